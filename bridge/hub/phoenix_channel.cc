#include "bridge/hub/phoenix_channel.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/json_members.h"
#include "bridge/hub/hub_refusal.h"

namespace atomemo::hub {
namespace {

using base::JsonMembers;
using base::UnquoteJson;
using router::pb::HubState;

// Two losses in a row behind a registration for which the hub blames a frame, or eight that tell
// nothing.
constexpr int kEnoughSuspicion = 8;
// So much is registered at once, whatever other topics were joined at the same time. In bytes.
constexpr std::size_t kSmallDefinition = 16 * 1024;
constexpr absl::string_view kSocketFull = "too many channels joined";
constexpr absl::string_view kUnmatchedTopic = "unmatched topic";

HubState StateOf(HubRefusal refusal, absl::string_view prefix) {
  HubState state;
  state.set_state(HubState::STATE_REJECTED);
  state.set_reason(absl::StrCat(prefix, refusal.message));
  for (auto& violation : refusal.violations) *state.add_violations() = std::move(violation);
  return state;
}

// The `reason` of an error reply's response, which Phoenix itself uses.
std::string ReasonOf(absl::string_view response) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(response);
  if (!members.ok()) return "";
  const std::optional<absl::string_view> reason = members->Take("reason");
  return reason ? UnquoteJson(*reason).value_or("") : "";
}

}  // namespace

PhoenixChannel::PhoenixChannel(base::Scheduler& scheduler, Owner& owner, std::string topic,
                               std::shared_ptr<const std::string> definition_json, Options options)
    : scheduler_(scheduler),
      owner_(owner),
      topic_(std::move(topic)),
      options_(options),
      definition_json_(std::move(definition_json)),
      backoff_(base::Backoff::Rejoin(options.seed)) {
  state_.set_state(HubState::STATE_CONNECTING);
}

PhoenixChannel::~PhoenixChannel() {
  StopTimer();
  if (socket_ != nullptr) socket_->Detach(topic_);
}

void PhoenixChannel::Attach(PhoenixSocket& socket) {
  Leave();
  socket_ = &socket;
  socket.Attach(topic_, *this);
  state_ = socket.state();
  if (socket.is_open()) Join();
}

void PhoenixChannel::Leave() {
  StopTimer();
  if (socket_ == nullptr) return;
  SendLeave();
  socket_->Detach(topic_);
  socket_ = nullptr;
  phase_ = Phase::kDown;
  ForgetJoin();
}

void PhoenixChannel::SendLeave() {
  if (socket_ == nullptr || join_ref_.empty()) return;
  // Without a connection there is nothing to leave.
  (void)socket_->Send({join_ref_, socket_->NextRef(), topic_, "phx_leave", "{}"});
}

void PhoenixChannel::LeaveAndReport() {
  StopTimer();
  leave_ref_.clear();
  if (joined_ && socket_ != nullptr && socket_->is_open()) {
    leave_ref_ = socket_->NextRef();
    if (!socket_->Send({join_ref_, leave_ref_, topic_, "phx_leave", "{}"}).ok()) leave_ref_.clear();
  } else {
    SendLeave();  // a join that is under way
  }
  phase_ = Phase::kLeaving;
  // Without a connection there is nothing to leave.
  StartTimer(leave_ref_.empty() ? absl::ZeroDuration() : options_.reply_timeout,
             &PhoenixChannel::OnNotLeft);
}

void PhoenixChannel::OnNotLeft() { OnLeft(/*handled=*/false); }

void PhoenixChannel::OnLeft(bool handled) {
  StopTimer();
  phase_ = Phase::kLeft;
  ForgetJoin();
  owner_.OnChannelLeft(*this, handled);
}

void PhoenixChannel::JoinAgain() {
  if (phase_ != Phase::kLeft || socket_ == nullptr) return;
  phase_ = Phase::kDown;
  if (socket_->is_open()) Join();
}

void PhoenixChannel::JoinSoon() {
  if (socket_ == nullptr) return;
  backoff_.Reset();
  if (phase_ == Phase::kWaiting) StartTimer(options_.hastened_rejoin, &PhoenixChannel::Join);
  if (phase_ == Phase::kDown) socket_->ReconnectSoon();
}

void PhoenixChannel::SetDefinition(std::shared_ptr<const std::string> definition_json) {
  if (definition_json_ == nullptr) return;
  const bool is_rejected = phase_ == Phase::kRejected;
  if (!is_rejected &&
      (definition_json == definition_json_ || *definition_json == *definition_json_)) {
    return;
  }
  definition_json_ = std::move(definition_json);
  suspicion_ = 0;
  if (is_leaving()) return;
  // The verdict was on what was announced before.
  if (is_rejected) Report(HubState::STATE_CONNECTING, "");
  if (joined_) return Register();
  if (is_rejected) StartTimer(absl::ZeroDuration(), &PhoenixChannel::Join);
}

absl::StatusOr<PhoenixChannel::Pushed> PhoenixChannel::Push(
    std::string event, absl::Span<const absl::string_view> payload) {
  if (!ready()) return absl::UnavailableError("the topic is not joined");
  Pushed pushed;
  pushed.ref = socket_->NextRef();
  const absl::StatusOr<router::HubPosition> position =
      socket_->Send({join_ref_, pushed.ref, topic_, std::move(event), ""}, payload);
  if (!position.ok()) return position.status();
  pushed.position = position_ = *position;
  return pushed;
}

void PhoenixChannel::RequestProof() {
  if (socket_ != nullptr) socket_->RequestProof(position_.sequence);
}

void PhoenixChannel::OnSocketOpen() {
  if (phase_ == Phase::kDown) Join();
}

void PhoenixChannel::OnSocketDown(const HubState& state, const router::HubLoss& loss) {
  if (phase_ == Phase::kLeft) return;
  if (phase_ == Phase::kLeaving) return OnNotLeft();
  StopTimer();
  loss_ = loss;
  registered_at_ = absl::InfiniteFuture();
  phase_ = Phase::kDown;
  position_ = {};
  if (IsDefinitionToBlame(loss)) return HoldBack(loss);
  ForgetJoin();
  state_ = state;
  owner_.OnChannelState(*this, state_);
}

void PhoenixChannel::OnFrame(ReceivedFrame frame) {
  if (frame.event == "phx_reply") return OnReply(frame);
  const bool is_error = frame.event == "phx_error";
  if (!is_error && frame.event != "phx_close") {
    return owner_.OnChannelEvent(*this, std::move(frame));
  }
  // The end of an earlier join on the same socket arrives after the new join's reply.
  const bool is_current = joined_ || phase_ == Phase::kJoining;
  if (!is_current || frame.join_ref != join_ref_) return;
  if (phase_ == Phase::kLeaving) return OnNotLeft();
  if (is_error) return Lose("the channel crashed at the hub", router::HubLoss::Cause::kRefused);
  // It may do so for an answer, too.
  Lose("the hub closed the channel", router::HubLoss::Cause::kRefused);
}

void PhoenixChannel::OnReply(const PhoenixFrame& frame) {
  absl::StatusOr<JsonMembers> reply = JsonMembers::Cut(frame.payload);
  if (!reply.ok() || !frame.ref) return;
  const bool ok = reply->Take("status") == "\"ok\"";
  const absl::string_view response = reply->Take("response").value_or("null");
  if (phase_ == Phase::kLeaving) {
    if (frame.ref == leave_ref_) OnLeft(/*handled=*/true);
    return;
  }
  if (phase_ == Phase::kJoining && frame.ref == join_ref_) return OnJoinReply(ok, response);
  if (!register_ref_.empty() && frame.ref == register_ref_) {
    // The channel was gone already: nothing is wrong with the definition.
    if (!ok && ReasonOf(response) == kUnmatchedTopic) return Lose("the hub lost the channel");
    return OnRegisterReply(ok, response);
  }
  if (ok) return;
  if (ReasonOf(response) == kUnmatchedTopic) {
    if (joined_) Lose("the hub lost the channel");
    return;
  }
  owner_.OnPushRefused(*this, *frame.ref, response);
}

// From here on nothing that belongs to the join counts any more.
void PhoenixChannel::ForgetJoin() {
  joined_ = false;
  join_ref_.clear();
  register_ref_.clear();
}

void PhoenixChannel::Join() {
  ForgetJoin();
  join_ref_ = socket_->NextRef();
  if (!socket_->Send({join_ref_, join_ref_, topic_, "phx_join", "{}"}).ok()) {
    phase_ = Phase::kDown;
    return;
  }
  phase_ = Phase::kJoining;
  StartTimer(options_.reply_timeout, &PhoenixChannel::OnReplyTimeout);
  Report(HubState::STATE_CONNECTING, "");
}

void PhoenixChannel::OnJoinReply(bool ok, absl::string_view response) {
  StopTimer();
  joined_ = ok;
  if (ok && definition_json_ != nullptr) {
    if (definition_json_->size() <= kSmallDefinition) return Register();
    phase_ = Phase::kRegistering;
    return owner_.RegisterInTurn(*this);
  }
  if (ok) return OnRegisterReply(true, response);
  if (ReasonOf(response) == kSocketFull) {
    ForgetJoin();
    if (owner_.OnSocketFull(*this)) return;
    return Lose(kSocketFull);
  }
  Reject(StateOf(ReadRefusal(response), "the hub refused the topic: "), backoff_.Next());
}

void PhoenixChannel::OnRegisterTurn() {
  if (phase_ == Phase::kRegistering && register_ref_.empty()) Register();
}

void PhoenixChannel::Register() {
  if (!ready()) phase_ = Phase::kRegistering;
  register_ref_ = socket_->NextRef();
  const absl::Status fits = owner_.CheckDefinitionFits(definition_json_->size());
  const absl::StatusOr<router::HubPosition> sent =
      fits.ok()
          ? socket_->Send({join_ref_, register_ref_, topic_, "register_plugin", *definition_json_})
          : absl::StatusOr<router::HubPosition>(fits);
  if (absl::IsResourceExhausted(sent.status())) {
    register_ref_.clear();
    return Reject(
        StateOf({std::string(sent.status().message()), {}}, "the definition is too large: "),
        options_.rejected_retry);
  }
  if (!sent.ok()) {  // closing: OnSocketDown is on its way
    register_ref_.clear();
    return;
  }
  StartTimer(options_.reply_timeout, &PhoenixChannel::OnReplyTimeout);
}

void PhoenixChannel::OnRegisterReply(bool ok, absl::string_view response) {
  StopTimer();
  register_ref_.clear();
  if (!ok) {
    return Reject(StateOf(ReadRefusal(response), "the hub refused the definition: "),
                  options_.rejected_retry);
  }
  phase_ = Phase::kReady;
  suspicion_ = 0;
  registered_at_ = std::min(registered_at_, scheduler_.Now());
  Report(HubState::STATE_REGISTERED, "");
}

void PhoenixChannel::OnReplyTimeout() {
  Lose(phase_ == Phase::kJoining ? "no reply to the join" : "no reply to the registration");
}

bool PhoenixChannel::IsDefinitionToBlame(const router::HubLoss& loss) {
  if (register_ref_.empty()) return false;
  if (loss.cause == router::HubLoss::Cause::kRefused) suspicion_ += 4;
  if (loss.cause == router::HubLoss::Cause::kMute) suspicion_ += 1;
  if (suspicion_ < kEnoughSuspicion) return false;
  if (!loss.shared) return true;
  owner_.OnDefinitionSuspected(*this);
  return false;
}

// No verdict: a hub that cannot reach its database fails alike.
void PhoenixChannel::HoldBack(const router::HubLoss& loss) {
  ForgetJoin();
  phase_ = Phase::kRejected;
  StartTimer(options_.rejected_retry, &PhoenixChannel::Join);
  Report(HubState::STATE_DISCONNECTED,
         absl::StrCat("each registration of the definition, of ", definition_json_->size(),
                      " bytes, ended the connection or the channel (", loss.reason,
                      "): it is tried every ", absl::FormatDuration(options_.rejected_retry)));
}

void PhoenixChannel::Lose(absl::string_view reason, router::HubLoss::Cause cause) {
  phase_ = Phase::kWaiting;
  loss_ = {};
  loss_.cause = cause;
  loss_.reason = std::string(reason);
  if (scheduler_.Now() - registered_at_ >= options_.stable_after) backoff_.Reset();
  registered_at_ = absl::InfiniteFuture();
  if (IsDefinitionToBlame(loss_)) return HoldBack(loss_);
  ForgetJoin();
  StartTimer(backoff_.Next(), &PhoenixChannel::Join);
  Report(HubState::STATE_DISCONNECTED, reason);
}

void PhoenixChannel::Reject(HubState state, absl::Duration retry_in) {
  phase_ = Phase::kRejected;
  StartTimer(retry_in, joined_ ? &PhoenixChannel::Register : &PhoenixChannel::Join);
  state_ = std::move(state);
  owner_.OnChannelState(*this, state_);
}

void PhoenixChannel::Report(HubState::State state, absl::string_view reason) {
  state_.Clear();
  state_.set_state(state);
  state_.set_reason(std::string(reason));
  owner_.OnChannelState(*this, state_);
}

void PhoenixChannel::StartTimer(absl::Duration delay, void (PhoenixChannel::*method)()) {
  StopTimer();
  timer_ = scheduler_.After(delay, [this, method] {
    timer_ = base::Scheduler::kNoTimer;
    (this->*method)();
  });
}

void PhoenixChannel::StopTimer() {
  if (timer_ == base::Scheduler::kNoTimer) return;
  scheduler_.Cancel(timer_);
  timer_ = base::Scheduler::kNoTimer;
}

}  // namespace atomemo::hub
