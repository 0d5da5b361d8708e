#ifndef ATOMEMO_BRIDGE_HUB_PHOENIX_SOCKET_H_
#define ATOMEMO_BRIDGE_HUB_PHOENIX_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/backoff.h"
#include "bridge/base/scheduler.h"
#include "bridge/hub/hub_events.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/hub/websocket.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

// The largest header of a frame that a client sends (RFC 6455, 5.2).
inline constexpr std::size_t kFrameHeaderBytes = 14;

// A Phoenix socket: one WebSocket that carries many topics. Keeps itself connected from Start to
// Shutdown: beats, notices a dead connection, and reconnects after every kind of loss.
//
// What comes is handled in its order. A large message is read aside (base::Scheduler::RunAside),
// and meanwhile nothing more is read from the connection; what came before its end counts, though
// the connection be lost by then.
//
// Lives on the io thread. Handlers must be detached before this object is destroyed, which must not
// happen inside one of its callbacks.
class PhoenixSocket {
 public:
  struct Options {
    // The hub closes a socket that was silent for 60 s.
    absl::Duration heartbeat_interval = absl::Seconds(30);
    // A heartbeat unanswered for so long means a dead connection.
    absl::Duration heartbeat_timeout = absl::Seconds(30);
    // A connection that lasted so long was a good one: the next loss starts the backoff anew.
    absl::Duration stable_after = absl::Seconds(1);
    // After a refusal (HTTP 401 or 403): how often the address (with the key) is read again, and
    // when it is tried again although unchanged.
    absl::Duration refused_poll = absl::Seconds(1);
    absl::Duration refused_retry = absl::Seconds(5);
    // The hub closes the connection on a larger frame, so none is sent. As Phoenix's web server
    // counts: with the frame's header of 14 bytes.
    std::size_t max_frame_bytes = 8'000'000;
    // While more than this is queued for the hub, nothing is read from it: what it asks for only
    // adds to the queue. In bytes. How often that is looked at.
    std::size_t pause_reading_above = 16u << 20;
    absl::Duration pause_poll = absl::Milliseconds(20);
    // How soon ReconnectSoon tries.
    absl::Duration hastened_reconnect = absl::Milliseconds(50);
    // The address contains an API key: a refusal is explained by it.
    bool uses_api_key = false;
  };

  using UrlCallback = std::function<void(absl::StatusOr<std::string>)>;

  // What the socket needs from around it. The functions run on the io thread.
  struct Environment {
    base::Scheduler& scheduler;
    std::unique_ptr<WebSocketTransport> transport;
    // Asks for the address, for every attempt anew because the key in it may have been refreshed.
    // The callback is called once, at once or later. An error means that there is none now (its
    // message says why).
    std::function<void(UrlCallback)> url;
    // For logs, without secrets.
    std::string display_url;
    // Numbers for HubPosition::socket: a new one for every connection.
    std::function<std::uint64_t()> next_connection_number;
    // The hub has handled every frame up to this one.
    std::function<void(router::HubPosition)> on_proven;
    // For jitter.
    std::uint64_t seed = 0;
  };

  // Whose topic it is. All methods may attach and detach handlers.
  class TopicHandler {
   public:
    virtual ~TopicHandler() = default;
    // A new connection: nothing is joined on it.
    virtual void OnSocketOpen() = 0;
    // `state` is DISCONNECTED or UNAUTHORIZED. Comes for every failed attempt, too.
    virtual void OnSocketDown(const router::pb::HubState& state, const router::HubLoss& loss) = 0;
    virtual void OnFrame(ReceivedFrame frame) = 0;
  };

  PhoenixSocket(Environment environment, Options options);
  ~PhoenixSocket();
  PhoenixSocket(const PhoenixSocket&) = delete;
  PhoenixSocket& operator=(const PhoenixSocket&) = delete;

  // Starts the first attempt. Handlers hear of its outcome later.
  void Start();

  // Closes with 1000 and stays so. `done` runs once, later; it may never run if this object is
  // destroyed first.
  void Shutdown(std::function<void()> done);

  // One handler a topic.
  void Attach(const std::string& topic, TopicHandler& handler);
  void Detach(const std::string& topic);

  // While a reconnect is due: the cause of the losses so far is being dealt with, so it comes soon,
  // and the next delays are short again. But as long as the hub has asked is waited.
  void ReconnectSoon();

  bool is_open() const { return open_; }
  // Of the connection; CONNECTING before the first attempt's outcome and while open.
  const router::pb::HubState& state() const { return state_; }

  // Refs are unique over this object's life.
  std::string NextRef();

  // Sends a frame. UNAVAILABLE if not connected; RESOURCE_EXHAUSTED names the limit if the frame is
  // larger than the hub takes.
  absl::StatusOr<router::HubPosition> Send(const PhoenixFrame& frame);
  // The same with a payload in parts, instead of the frame's own.
  absl::StatusOr<router::HubPosition> Send(const PhoenixFrame& frame,
                                           absl::Span<const absl::string_view> payload);

  // Of the last frame that was sent.
  router::HubPosition position() const { return position_; }

  // Sends a heartbeat unless one that was sent after frame `sequence` is under way; its reply
  // proves (Environment::on_proven) everything sent before it.
  void RequestProof(std::uint64_t sequence);

  std::size_t buffered_amount() const { return transport_->buffered_amount(); }

 private:
  struct Heartbeat {
    std::string ref;
    std::uint64_t sequence;
    absl::Time sent_at;
  };

  struct Message;
  using Incoming = std::variant<std::shared_ptr<Message>, WebSocketClosed>;

  // Asks for the address, and goes on with `next` unless it is too late then.
  void FetchUrl(void (PhoenixSocket::*next)(absl::StatusOr<std::string>));
  void Connect();
  void ConnectTo(absl::StatusOr<std::string> url);
  void ConnectIfDue(absl::StatusOr<std::string> url);
  void OnOpen();
  void OnMessage(std::string text);
  void OnClose(const WebSocketClosed& closed);
  void ReadAside(const std::shared_ptr<Message>& message);
  void HandleIncoming();
  void HandleMessage(std::size_t bytes, absl::StatusOr<ReceivedFrame> frame);
  void HandleClose(const WebSocketClosed& closed);
  // What is to be done once the connection is down.
  struct Next {
    // The hub refused the key.
    bool refused = false;
    // As in WebSocketClosed.
    std::string peer;
    std::optional<absl::Duration> stay_away;
    router::HubLoss loss;
  };

  void GoDown(router::pb::HubState state, Next next);
  void ScheduleReconnect(const Next& next);
  // The same reason over and over is worth one line, whatever the address that the state names.
  void LogDown(const std::string& reason);
  void SendHeartbeat();
  void OnBeat();
  void OnHeartbeatReply(const PhoenixFrame& frame);
  void LookAtBacklog();
  void CheckAlive();
  void PauseIfFull();
  void ResumeIfDrained();
  void UpdateReading();
  template <typename Call>
  void ForEachHandler(Call call);

  base::Scheduler& scheduler_;
  const std::unique_ptr<WebSocketTransport> transport_;
  const Environment environment_;
  const Options options_;

  std::map<std::string, TopicHandler*> handlers_;
  router::pb::HubState state_;
  std::string logged_reason_;
  std::uint64_t last_ref_ = 0;

  // Of the connection.
  bool open_ = false;
  absl::Time opened_at_;
  router::HubPosition position_;
  // Unanswered, oldest first.
  std::deque<Heartbeat> heartbeats_;
  absl::Time last_heartbeat_at_;
  base::Scheduler::TimerId beat_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId alive_timer_ = base::Scheduler::kNoTimer;
  // Set while nothing is read because much is queued for the hub.
  base::Scheduler::TimerId pause_timer_ = base::Scheduler::kNoTimer;

  // All that was sent on any connection, and what of it was not taken over by the system when it
  // was last looked at.
  struct Backlog {
    std::int64_t taken_bytes = 0;
    bool is_long = false;
  };
  std::int64_t queued_bytes_ = 0;
  Backlog backlog_;

  // A large message is being read, and what came behind it.
  bool reads_aside_ = false;
  std::deque<Incoming> incoming_;

  // Of reconnecting.
  base::Backoff backoff_;
  base::Scheduler::TimerId reconnect_timer_ = base::Scheduler::kNoTimer;
  std::string tried_url_;
  absl::Time retry_at_;
  absl::Time stay_away_until_;
  bool stopped_ = false;
  std::function<void()> stopped_callback_;
  // Expires with this object.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PHOENIX_SOCKET_H_
