#ifndef ATOMEMO_BRIDGE_DEVHUB_PHOENIX_SOCKET_H_
#define ATOMEMO_BRIDGE_DEVHUB_PHOENIX_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/devhub/plugin_topic.h"
#include "bridge/hub/phoenix_frame.h"

namespace atomemo::devhub {

class PhoenixSocket;

// The WebSocket under a PhoenixSocket. No method calls back into the socket before it returns.
class SocketTransport {
 public:
  virtual ~SocketTransport() = default;

  // Queues one text message.
  virtual void Send(const std::string& text) = 0;
  // Starts the closing handshake; what is queued goes out first.
  virtual void Close(std::uint16_t code, const std::string& reason) = 0;
  // Drops the connection at once: the peer sees an abnormal closure (1006).
  virtual void Abort() = 0;
  // What is queued and the peer has not taken yet.
  virtual std::size_t UnsentBytes() const = 0;
};

// What a channel does with an event that a client pushed to it.
struct ChannelOutcome {
  enum class Kind { kNoReply, kOk, kError, kCrash };

  static ChannelOutcome NoReply() { return {Kind::kNoReply, ""}; }
  static ChannelOutcome Ok(std::string response) { return {Kind::kOk, std::move(response)}; }
  static ChannelOutcome Error(std::string response) { return {Kind::kError, std::move(response)}; }
  static ChannelOutcome Crash() { return {Kind::kCrash, ""}; }

  Kind kind;
  std::string response;  // JSON text, for kOk and kError
};

// The application behind the channels. A joined channel ends with exactly one OnLeft, whatever
// ended it: a leave, a crash, a second join, or the end of the socket.
class ChannelHandler {
 public:
  virtual ~ChannelHandler() = default;
  virtual void OnJoined(PhoenixSocket& socket, const std::string& topic,
                        const PluginTopic& plugin) = 0;
  virtual void OnLeft(PhoenixSocket& socket, const std::string& topic) = 0;
  virtual ChannelOutcome OnEvent(PhoenixSocket& socket, const hub::PhoenixFrame& frame) = 0;
};

struct SocketOptions {
  HubMode mode = HubMode::kDebug;
  // The address under which this client reached the hub, for instance "http://127.0.0.1:4000".
  std::string base_url;
  std::size_t max_channels = 100;
  // Nothing received for so long: closed with 1002. Nothing taken by the peer for so long while
  // something is queued: dropped.
  absl::Duration idle_timeout = absl::Seconds(60);
  // More than this queued for a peer that does not read: dropped.
  std::size_t max_unsent_bytes = 256u << 20;
};

// The server's side of one Phoenix socket (V2 serialisation), as a stock Phoenix 1.7 behaves:
// joins, leaves, heartbeats, replies to unmatched topics, crashes, and the closing codes. A pure
// state machine. It lives on the io thread; scheduler, handler and transport must outlive it.
class PhoenixSocket {
 public:
  PhoenixSocket(SocketOptions options, base::Scheduler& scheduler, ChannelHandler& handler,
                SocketTransport& transport);
  ~PhoenixSocket();
  PhoenixSocket(const PhoenixSocket&) = delete;
  PhoenixSocket& operator=(const PhoenixSocket&) = delete;

  const SocketOptions& options() const { return options_; }
  std::size_t channel_count() const { return channels_.size(); }

  // One text message of the client.
  void OnText(absl::string_view text);
  // A binary message: no channel of the hub takes one, so the socket ends with 1011.
  void OnBinary();
  // A control frame: it only shows that the client lives.
  void OnControlFrame() { last_received_ = scheduler_.Now(); }

  // Pushes on the channel of `topic`, with its join_ref. `payload` is JSON text. False when the
  // topic is not joined here.
  bool Push(const std::string& topic, absl::string_view event, absl::string_view payload);
  // Sends one frame that is encoded already: broadcasts encode once for all sockets.
  void SendEncoded(const std::string& frame);

  // Ends the channel with `phx_error`, as a crash does, or with `phx_close`. False when the topic
  // is not joined here.
  bool CrashChannel(const std::string& topic) { return EndChannel(topic, "phx_error"); }
  bool CloseChannel(const std::string& topic) { return EndChannel(topic, "phx_close"); }

  // Ends the socket: every channel is left at once, and later messages are ignored.
  void Close(std::uint16_t code, const std::string& reason);
  void Abort();

 private:
  using JoinRef = std::optional<std::string>;

  void Dispatch(const hub::PhoenixFrame& frame);
  void Join(const hub::PhoenixFrame& frame);
  void Leave(const hub::PhoenixFrame& frame);
  void PassToChannel(const hub::PhoenixFrame& frame, const JoinRef& join_ref);
  bool EndChannel(const std::string& topic, absl::string_view event);
  void SendChannelEnd(const std::string& topic, const JoinRef& join_ref, absl::string_view event);
  void Reply(const JoinRef& join_ref, const hub::PhoenixFrame& to, bool ok,
             absl::string_view response);
  void Send(const hub::PhoenixFrame& frame);
  void LeaveAll();
  void WatchPeer();
  void CheckPeer();

  const SocketOptions options_;
  base::Scheduler& scheduler_;
  ChannelHandler& handler_;
  SocketTransport& transport_;

  std::unordered_map<std::string, JoinRef> channels_;  // by topic
  bool ended_ = false;
  absl::Time last_received_;
  // When the peer last took bytes while some were waiting; `sent_bytes_` minus the transport's
  // unsent bytes is what it has taken in all.
  absl::Time last_progress_;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;
  base::Scheduler::TimerId watch_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_PHOENIX_SOCKET_H_
