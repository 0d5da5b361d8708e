#include "bridge/hub/phoenix_socket.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"
#include "bridge/hub/closed_reason.h"

namespace atomemo::hub {
namespace {

using router::pb::HubState;

constexpr char kPhoenixTopic[] = "phoenix";

HubState MakeState(HubState::State state, absl::string_view reason) {
  HubState made;
  made.set_state(state);
  made.set_reason(std::string(reason));
  return made;
}

// More than a socket's buffers swallow at once.
constexpr std::int64_t kLongBacklog = 64 * 1024;

// Whether the hub may have closed the connection for a frame that it was sent.
router::HubLoss::Cause CauseOf(const WebSocketClosed& closed) {
  if (!closed.was_open || closed.by_bridge) return router::HubLoss::Cause::kOther;
  switch (closed.code) {
    case kCloseUnsupported:
    case kCloseInvalidText:
    case kCloseTooBig:
    case kCloseInternalError:
      return router::HubLoss::Cause::kRefused;
    case kCloseGoingAway:
    case kCloseServiceRestart:
      return router::HubLoss::Cause::kOther;
    default:  // 1006, 1002 for idle connections, too, 1008 of a firewall, 1000 of a gateway
      return router::HubLoss::Cause::kMute;
  }
}

}  // namespace

PhoenixSocket::PhoenixSocket(Environment environment, Options options)
    : scheduler_(environment.scheduler),
      transport_(std::move(environment.transport)),
      environment_(std::move(environment)),
      options_(options),
      state_(MakeState(HubState::STATE_CONNECTING, "")),
      backoff_(base::Backoff::Reconnect(environment_.seed)) {
  transport_->SetCallbacks({[this] { OnOpen(); },
                            [this](std::string text) { OnMessage(std::move(text)); },
                            [this](const WebSocketClosed& closed) { OnClose(closed); }});
}

PhoenixSocket::~PhoenixSocket() {
  transport_->Drop();
  for (const auto timer : {beat_timer_, alive_timer_, pause_timer_, reconnect_timer_}) {
    scheduler_.Cancel(timer);
  }
}

void PhoenixSocket::Start() {
  reconnect_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { Connect(); });
}

void PhoenixSocket::Shutdown(std::function<void()> done) {
  stopped_ = true;
  scheduler_.Cancel(reconnect_timer_);
  if (open_) {
    stopped_callback_ = std::move(done);
    transport_->Close(kCloseNormal);
  } else {
    transport_->Drop();
    scheduler_.Post(std::move(done));
  }
}

void PhoenixSocket::Attach(const std::string& topic, TopicHandler& handler) {
  handlers_[topic] = &handler;
}

void PhoenixSocket::Detach(const std::string& topic) { handlers_.erase(topic); }

std::string PhoenixSocket::NextRef() { return absl::StrCat(++last_ref_); }

absl::StatusOr<router::HubPosition> PhoenixSocket::Send(const PhoenixFrame& frame) {
  const absl::string_view payload = frame.payload;
  return Send(frame, absl::MakeConstSpan(&payload, 1));
}

absl::StatusOr<router::HubPosition> PhoenixSocket::Send(
    const PhoenixFrame& frame, absl::Span<const absl::string_view> payload) {
  if (!open_) return absl::UnavailableError("not connected to the hub");
  const std::string text = EncodePhoenixFrame(frame, payload);
  if (text.size() + kFrameHeaderBytes > options_.max_frame_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the message has ", text.size() + kFrameHeaderBytes,
                     " bytes with its header, the hub takes at most ", options_.max_frame_bytes));
  }
  if (absl::Status sent = transport_->Send(text); !sent.ok()) return sent;
  queued_bytes_ += static_cast<std::int64_t>(text.size());
  ++position_.sequence;
  return position_;
}

void PhoenixSocket::RequestProof(std::uint64_t sequence) {
  if (!open_) return;
  if (!heartbeats_.empty() && heartbeats_.back().sequence > sequence) return;
  SendHeartbeat();
}

void PhoenixSocket::FetchUrl(void (PhoenixSocket::*next)(absl::StatusOr<std::string>)) {
  reconnect_timer_ = base::Scheduler::kNoTimer;
  environment_.url(
      [this, alive = std::weak_ptr<bool>(alive_), next](absl::StatusOr<std::string> url) {
        if (alive.lock() != nullptr && !stopped_) (this->*next)(std::move(url));
      });
}

void PhoenixSocket::Connect() { FetchUrl(&PhoenixSocket::ConnectTo); }

void PhoenixSocket::ConnectTo(absl::StatusOr<std::string> url) {
  if (!url.ok()) {
    tried_url_.clear();
    Next next;
    next.refused = true;
    return GoDown(MakeState(HubState::STATE_UNAUTHORIZED, url.status().message()), std::move(next));
  }
  tried_url_ = *std::move(url);
  transport_->Connect(tried_url_);
}

// After a refusal: goes on when the address has changed, or when it is time to try it once more.
void PhoenixSocket::ConnectIfDue(absl::StatusOr<std::string> url) {
  const bool changed = url.ok() && *url != tried_url_;
  if (changed || scheduler_.Now() >= retry_at_) return ConnectTo(std::move(url));
  reconnect_timer_ =
      scheduler_.After(options_.refused_poll, [this] { FetchUrl(&PhoenixSocket::ConnectIfDue); });
}

void PhoenixSocket::OnOpen() {
  open_ = true;
  opened_at_ = scheduler_.Now();
  if (reads_aside_) UpdateReading();
  position_ = {environment_.next_connection_number(), 0};
  state_ = MakeState(HubState::STATE_CONNECTING, "");
  logged_reason_.clear();
  base::LogInfo("hub connected", {{"url", environment_.display_url},
                                  {"address", transport_->peer()},
                                  {"connection", position_.socket}});
  last_heartbeat_at_ = opened_at_;
  beat_timer_ = scheduler_.After(options_.heartbeat_interval, [this] { OnBeat(); });
  ForEachHandler([](TopicHandler& handler) { handler.OnSocketOpen(); });
}

// A message that waits, or is being read aside.
struct PhoenixSocket::Message {
  std::string text;
  absl::StatusOr<ReceivedFrame> frame = absl::UnknownError("not read");
};

void PhoenixSocket::OnMessage(std::string text) {
  if (!reads_aside_ && text.size() <= base::kLargeMessage) {
    return HandleMessage(text.size(), ParsePhoenixFrame(text));
  }
  auto message = std::make_shared<Message>();
  message->text.swap(text);
  incoming_.emplace_back(std::move(message));
  HandleIncoming();
}

void PhoenixSocket::OnClose(const WebSocketClosed& closed) {
  if (!reads_aside_) return HandleClose(closed);
  incoming_.emplace_back(closed);
}

void PhoenixSocket::HandleIncoming() {
  while (!reads_aside_ && !incoming_.empty()) {
    const Incoming next = std::move(incoming_.front());
    incoming_.pop_front();
    if (const auto* closed = std::get_if<WebSocketClosed>(&next)) {
      HandleClose(*closed);
      continue;
    }
    const auto& message = std::get<std::shared_ptr<Message>>(next);
    const std::size_t bytes = message->text.size();
    if (bytes > base::kLargeMessage) {
      ReadAside(message);
    } else {
      HandleMessage(bytes, ParsePhoenixFrame(message->text));
    }
  }
  UpdateReading();
}

void PhoenixSocket::ReadAside(const std::shared_ptr<Message>& message) {
  reads_aside_ = true;
  const std::size_t bytes = message->text.size();
  scheduler_.RunAside(
      [message] {
        message->frame = ReadInFull(message->text);
        std::string().swap(message->text);
      },
      [this, alive = std::weak_ptr<bool>(alive_), message, bytes] {
        if (alive.lock() == nullptr) return;
        reads_aside_ = false;
        HandleMessage(bytes, std::move(message->frame));
        HandleIncoming();
      });
}

void PhoenixSocket::HandleMessage(std::size_t bytes, absl::StatusOr<ReceivedFrame> frame) {
  if (!frame.ok()) {
    base::LogWarning("hub sent a malformed frame",
                     {{"bytes", bytes}, {"error", frame.status().message()}});
    return;
  }
  if (!frame->damage.ok()) {
    base::LogWarning("hub sent a frame that cannot be read in full",
                     {{"topic", frame->topic},
                      {"event", frame->event},
                      {"bytes", bytes},
                      {"error", frame->damage.message()}});
  }
  if (frame->topic == kPhoenixTopic) return OnHeartbeatReply(*frame);
  const auto handler = handlers_.find(frame->topic);
  if (handler == handlers_.end()) return;  // of a topic that was left
  handler->second->OnFrame(*std::move(frame));
  PauseIfFull();
}

void PhoenixSocket::PauseIfFull() {
  if (!open_ || pause_timer_ != base::Scheduler::kNoTimer ||
      transport_->buffered_amount() <= options_.pause_reading_above) {
    return;
  }
  pause_timer_ = scheduler_.After(options_.pause_poll, [this] { ResumeIfDrained(); });
  UpdateReading();
}

void PhoenixSocket::ResumeIfDrained() {
  pause_timer_ = base::Scheduler::kNoTimer;
  if (!open_) return;
  if (transport_->buffered_amount() > options_.pause_reading_above / 2) {
    pause_timer_ = scheduler_.After(options_.pause_poll, [this] { ResumeIfDrained(); });
    return;
  }
  UpdateReading();
}

void PhoenixSocket::UpdateReading() {
  transport_->SetReading(!reads_aside_ && pause_timer_ == base::Scheduler::kNoTimer);
}

void PhoenixSocket::HandleClose(const WebSocketClosed& closed) {
  Next next;
  next.refused = IsRefusal(closed);
  next.peer = closed.peer;
  next.stay_away = closed.retry_after;
  next.loss.cause = CauseOf(closed);
  next.loss.close_code = closed.code;
  GoDown(ExplainClose(closed, options_.uses_api_key), std::move(next));
}

void PhoenixSocket::ReconnectSoon() {
  if (open_ || stopped_ || reconnect_timer_ == base::Scheduler::kNoTimer) return;
  if (scheduler_.Now() < stay_away_until_) return;
  backoff_.Reset();
  scheduler_.Cancel(reconnect_timer_);
  reconnect_timer_ = scheduler_.After(options_.hastened_reconnect, [this] { Connect(); });
}

void PhoenixSocket::GoDown(HubState state, Next next) {
  if (open_ && scheduler_.Now() - opened_at_ >= options_.stable_after) backoff_.Reset();
  open_ = false;
  // A close that waits behind a message is that of this connection, whose end is told here.
  incoming_.erase(std::remove_if(incoming_.begin(), incoming_.end(),
                                 [](const Incoming& incoming) {
                                   return std::holds_alternative<WebSocketClosed>(incoming);
                                 }),
                  incoming_.end());
  heartbeats_.clear();
  scheduler_.Cancel(beat_timer_);
  scheduler_.Cancel(alive_timer_);
  alive_timer_ = base::Scheduler::kNoTimer;
  scheduler_.Cancel(std::exchange(pause_timer_, base::Scheduler::kNoTimer));
  const std::string reason = state.reason();
  state_ = std::move(state);
  if (!next.peer.empty()) state_.set_reason(absl::StrCat(reason, " [", next.peer, "]"));
  if (stopped_) {
    if (stopped_callback_) scheduler_.Post(std::exchange(stopped_callback_, nullptr));
    return;
  }
  LogDown(reason);
  ScheduleReconnect(next);
  next.loss.shared = handlers_.size() > 1;
  next.loss.reason = reason;
  ForEachHandler([&](TopicHandler& handler) { handler.OnSocketDown(state_, next.loss); });
}

void PhoenixSocket::ScheduleReconnect(const Next& next) {
  const absl::Duration stay_away = next.stay_away.value_or(absl::ZeroDuration());
  stay_away_until_ = scheduler_.Now() + stay_away;
  if (next.refused) {
    retry_at_ = scheduler_.Now() + options_.refused_retry;
    reconnect_timer_ =
        scheduler_.After(options_.refused_poll, [this] { FetchUrl(&PhoenixSocket::ConnectIfDue); });
  } else {
    reconnect_timer_ = scheduler_.After(stay_away + backoff_.Next(), [this] { Connect(); });
  }
}

void PhoenixSocket::LogDown(const std::string& reason) {
  const base::LogLevel level = std::exchange(logged_reason_, reason) == reason
                                   ? base::LogLevel::kDebug
                                   : base::LogLevel::kWarning;
  if (!base::LogEnabled(level)) return;
  base::Log(level, "hub not connected",
            {{"url", environment_.display_url}, {"reason", state_.reason()}});
}

void PhoenixSocket::SendHeartbeat() {
  const std::string ref = NextRef();
  const absl::StatusOr<router::HubPosition> sent =
      Send({std::nullopt, ref, kPhoenixTopic, "heartbeat", "{}"});
  if (!sent.ok()) return;  // closing: on_close is on its way
  last_heartbeat_at_ = scheduler_.Now();
  heartbeats_.push_back({ref, sent->sequence, last_heartbeat_at_});
  if (alive_timer_ == base::Scheduler::kNoTimer) {
    LookAtBacklog();
    alive_timer_ = scheduler_.After(options_.heartbeat_timeout, [this] { CheckAlive(); });
  }
}

void PhoenixSocket::OnBeat() {
  // A heartbeat that was sent as a proof counts.
  absl::Duration wait = last_heartbeat_at_ + options_.heartbeat_interval - scheduler_.Now();
  if (wait <= absl::ZeroDuration()) {
    SendHeartbeat();
    wait = options_.heartbeat_interval;
  }
  beat_timer_ = scheduler_.After(wait, [this] { OnBeat(); });
}

void PhoenixSocket::OnHeartbeatReply(const PhoenixFrame& frame) {
  const auto answered = std::find_if(heartbeats_.begin(), heartbeats_.end(),
                                     [&](const Heartbeat& beat) { return frame.ref == beat.ref; });
  if (answered == heartbeats_.end()) return;
  const router::HubPosition proven{position_.socket, answered->sequence};
  heartbeats_.erase(heartbeats_.begin(), answered + 1);
  environment_.on_proven(proven);
}

void PhoenixSocket::LookAtBacklog() {
  const auto buffered = static_cast<std::int64_t>(transport_->buffered_amount());
  backlog_.taken_bytes = queued_bytes_ - buffered;
  backlog_.is_long = buffered > kLongBacklog;
}

void PhoenixSocket::CheckAlive() {
  alive_timer_ = base::Scheduler::kNoTimer;
  if (heartbeats_.empty()) return;
  const absl::Time deadline = heartbeats_.front().sent_at + options_.heartbeat_timeout;
  if (scheduler_.Now() < deadline) {
    alive_timer_ = scheduler_.After(deadline - scheduler_.Now(), [this] { CheckAlive(); });
    return;
  }
  // On a slow line a heartbeat waits for its turn behind megabytes, and so does its reply while the
  // bridge reads aside: alive is whoever takes something.
  const Backlog before = backlog_;
  LookAtBacklog();
  const bool moves = backlog_.taken_bytes > before.taken_bytes;
  if (reads_aside_ || (moves && (before.is_long || backlog_.is_long))) {
    alive_timer_ = scheduler_.After(options_.heartbeat_timeout, [this] { CheckAlive(); });
    return;
  }
  Next next;
  next.peer = transport_->peer();
  next.loss.cause = router::HubLoss::Cause::kMute;
  next.loss.close_code = kCloseAbnormal;
  transport_->Drop();
  GoDown(MakeState(HubState::STATE_DISCONNECTED,
                   absl::StrCat("connection lost: no heartbeat reply within ",
                                absl::FormatDuration(options_.heartbeat_timeout))),
         std::move(next));
}

// Handlers may come and go while they are called.
template <typename Call>
void PhoenixSocket::ForEachHandler(Call call) {
  std::vector<std::string> topics;
  topics.reserve(handlers_.size());
  for (const auto& [topic, handler] : handlers_) topics.push_back(topic);
  for (const std::string& topic : topics) {
    const auto handler = handlers_.find(topic);
    if (handler != handlers_.end()) call(*handler->second);
  }
}

}  // namespace atomemo::hub
