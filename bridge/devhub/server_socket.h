#ifndef ATOMEMO_BRIDGE_DEVHUB_SERVER_SOCKET_H_
#define ATOMEMO_BRIDGE_DEVHUB_SERVER_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/plugin_topic.h"
#include "bridge/base/scheduler.h"
#include "bridge/hub/phoenix_frame.h"

namespace atomemo::devhub {

class ServerSocket;

// The WebSocket under a ServerSocket. No method calls back into the socket before it returns.
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
  // What the peer has sent in all, with what is no whole message yet.
  virtual std::uint64_t ReceivedBytes() const = 0;
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
  // Whether the hub's parser takes the frame of a joined channel: otherwise the socket ends with
  // 1011. Asked before the frame waits for its channel.
  virtual bool CanRead(const hub::PhoenixFrame& /*frame*/) { return true; }
  virtual void OnJoined(ServerSocket& socket, const std::string& topic,
                        const base::PluginTopic& plugin) = 0;
  virtual void OnLeft(ServerSocket& socket, const std::string& topic) = 0;
  virtual ChannelOutcome OnEvent(ServerSocket& socket, const hub::PhoenixFrame& frame) = 0;
  // The channel ended before it looked at `frame`, which waited for it.
  virtual void OnLost(ServerSocket& /*socket*/, const hub::PhoenixFrame& /*frame*/) {}
};

struct SocketOptions {
  base::HubMode mode = base::HubMode::kDebug;
  // The address under which this client reached the hub, for instance "http://127.0.0.1:4000".
  std::string base_url;
  std::size_t max_channels = 100;
  // How far every channel is behind its socket, which itself answers heartbeats and joins at once.
  absl::Duration channel_lag = absl::ZeroDuration();
  // Nothing received for so long: closed with 1002. Nothing taken by the peer for so long while
  // something is queued: dropped.
  absl::Duration idle_timeout = absl::Seconds(60);
  // More than this queued for a peer that does not read: dropped.
  std::size_t max_unsent_bytes = 256u << 20;
};

// The server's side of one Phoenix socket (V2 serialisation), as a stock Phoenix 1.7 behaves:
// joins, leaves, heartbeats, replies to unmatched topics, crashes, and the closing codes. A pure
// state machine. It lives on the io thread; scheduler, handler and transport must outlive it.
//
// As in Phoenix, a channel is a process beside its socket's: frames for it, pushes through it and
// its leave wait in its mailbox, in order. What waits when it crashes, leaves or is joined anew is
// lost without a word; when only the socket ends, the channel still handles it.
class ServerSocket {
 public:
  ServerSocket(SocketOptions options, base::Scheduler& scheduler, ChannelHandler& handler,
               SocketTransport& transport);
  ~ServerSocket();
  ServerSocket(const ServerSocket&) = delete;
  ServerSocket& operator=(const ServerSocket&) = delete;

  const SocketOptions& options() const { return options_; }
  std::size_t channel_count() const { return channels_.size(); }

  // One text message of the client.
  void OnText(absl::string_view text);
  // A binary message: no channel of the hub takes one, so the socket ends with 1011.
  void OnBinary();
  // A control frame: it only shows that the client lives.
  void OnControlFrame() { last_received_ = scheduler_.Now(); }

  // Pushes on the channel of `topic`, with its join_ref, behind what waits for it. `payload` is
  // JSON text. False when the topic is not joined here.
  bool Push(const std::string& topic, absl::string_view event, absl::string_view payload);
  // Sends one frame that is encoded already: broadcasts encode once for all sockets, and pass the
  // channels by.
  void SendEncoded(const std::string& frame);

  // Ends the channel with `phx_error` at once, as a crash does, or with `phx_close` behind what
  // waits for it. False when the topic is not joined here.
  bool CrashChannel(const std::string& topic) { return EndChannel(topic, "phx_error"); }
  bool CloseChannel(const std::string& topic);

  // Ends the socket: every channel handles what waits for it and is left, and later messages are
  // ignored.
  void Close(std::uint16_t code, const std::string& reason);
  void Abort();
  // Aborts as the end of the whole hub does: what waits for the channels is lost with them.
  void Die();

 private:
  using JoinRef = std::optional<std::string>;

  // What waits for a channel.
  struct Mail {
    enum class Kind { kFrame, kPush, kClose };
    Kind kind;
    hub::PhoenixFrame frame;  // of a push, only event and payload
    absl::Time due;
  };
  struct Channel {
    JoinRef join_ref;
    // The join_ref in what the channel itself sends: without one, the join's ref.
    JoinRef own_ref;
    std::deque<Mail> mailbox;
    base::Scheduler::TimerId timer = base::Scheduler::kNoTimer;
  };
  using Channels = std::unordered_map<std::string, Channel>;

  void Dispatch(hub::PhoenixFrame frame);
  void Join(const hub::PhoenixFrame& frame);
  void Leave(hub::PhoenixFrame frame);
  void Post(const std::string& topic, Channel& channel, Mail mail);
  void ReadMail(const std::string& topic);
  void Handle(const std::string& topic, const Mail& mail, const JoinRef& own_ref);
  void HandleFrame(const hub::PhoenixFrame& frame, const JoinRef& own_ref);
  bool EndChannel(const std::string& topic, absl::string_view event);
  void LoseMail(Channel& channel);
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

  Channels channels_;  // by topic
  bool ended_ = false;
  absl::Time last_received_;
  std::uint64_t received_bytes_ = 0;  // when the peer was looked at last
  // When the peer last took bytes while some were waiting; `sent_bytes_` minus the transport's
  // unsent bytes is what it has taken in all.
  absl::Time last_progress_;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;
  base::Scheduler::TimerId watch_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_SERVER_SOCKET_H_
