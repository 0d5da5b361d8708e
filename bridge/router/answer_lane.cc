#include "bridge/router/answer_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bridge/base/invariant.h"
#include "bridge/router/call_table.h"

namespace atomemo::router {
namespace {

// Two losses, if the hub says that it was a frame; four if it says nothing. So much makes answers
// suspects, and then convicts the one that is left.
constexpr int kEnough = 4;

// In the end as long as the channel of any hub may be behind.
constexpr absl::Duration kLongestWatch = absl::Seconds(1);

// Of one answer, for which the hub has asked again.
constexpr int kMaxCopiesUnderWay = 2;

int WeightOf(HubLoss::Cause cause) {
  switch (cause) {
    case HubLoss::Cause::kRefused:
      return 2;
    case HubLoss::Cause::kMute:
      return 1;
    case HubLoss::Cause::kOther:
      break;
  }
  return 0;
}

// All of `from`, in front of `before`. Each of them must know where it is.
void Splice(CallList& to, CallList::iterator before, CallList& from) {
  for (LiveCall& call : from) call.list = &to;
  to.splice(before, from);
}

void SpliceFront(CallList& to, CallList& from) { Splice(to, to.begin(), from); }

}  // namespace

AnswerLane::AnswerLane() : watch_time_(kShortestWatch) {}

LiveCall& AnswerLane::next() {
  if (!suspects_.empty()) return suspects_.front();
  return probation_.empty() ? rest_.front() : probation_.front();
}

std::size_t AnswerLane::sendable() const {
  if (group_ > 0) return 0;
  if (!suspects_.empty()) return narrowing_ ? (suspects_.size() + 1) / 2 : suspects_.size();
  return probation_.empty() ? rest_.size() : probation_.size();
}

void AnswerLane::Send(CallTable& calls, HubPosition position) {
  group_is_suspect_ = !suspects_.empty();
  LiveCall& call = next();
  call.position = position;
  calls.Move(call, CallState::kSent, sent_);
}

void AnswerLane::CloseGroup(std::size_t size) {
  if (size == 0) return;
  group_ = size;
  group_is_alone_ = group_is_suspect_ && size == 1 && settling_.empty();
  CheckInvariants();
}

void AnswerLane::SendAgain(CallTable& calls, LiveCall& call, absl::Time now) {
  if (call.state == CallState::kAnswered) return;
  // What is searched is not disturbed; then it is this one's turn once more.
  if (searching()) {
    call.asked_again = true;
  } else if (call.copies < kMaxCopiesUnderWay) {
    // One that the hub has had for a while begins anew: the hub asks for it often when it is the
    // hub that fails, and what that spoke against it would start a search at each further loss.
    const bool has_passed =
        call.state == CallState::kProven && now - call.proven_at >= kShortestWatch;
    if (has_passed) call.suspicion = Suspicion();
    const int copies = call.copies;
    calls.Move(call, CallState::kAnswered, rest_);
    call.copies = copies;
  }
}

LiveCall& AnswerLane::Prove(CallTable& calls) {
  LiveCall& call = sent_.front();
  calls.Move(call, CallState::kProven, settling_);
  return call;
}

bool AnswerLane::CanSettle(absl::Time proven_until, std::size_t max_answers, std::size_t bytes,
                           std::size_t max_bytes) const {
  if (proven_until == absl::InfiniteFuture()) return !settling_.empty();
  const std::size_t of_group = group_ > sent_.size() ? group_ - sent_.size() : 0;
  if (settling_.size() <= of_group) return false;
  if (settling_.front().proven_at <= proven_until) return true;
  // The last one stays, however large it is: it may be what the topic is about to be lost for.
  return settling_.size() > 1 && (settling_.size() > max_answers || bytes > max_bytes);
}

void AnswerLane::Pass() {
  // Some may have been counted as settled before their time.
  std::size_t left = std::min(group_, settling_.size());
  for (auto call = settling_.rbegin(); left > 0; ++call, --left) {
    call->suspicion = Suspicion();
    call->suspicion.passed = true;
  }
  group_ = 0;
  if (!narrowing_) SpliceFront(rest_, probation_);
  CheckInvariants();
}

CallList AnswerLane::TakeLost(CallTable& calls) {
  CallList lost;
  while (!settling_.empty()) calls.Move(settling_.front(), CallState::kAnswered, lost);
  while (!sent_.empty()) calls.Move(sent_.front(), CallState::kAnswered, lost);
  return lost;
}

bool AnswerLane::Lose(CallTable& calls, const HubLoss& lost_by) {
  const std::size_t group = std::exchange(group_, 0);
  CallList lost = TakeLost(calls);
  bool any_passed = false;
  for (LiveCall& call : lost) {
    call.suspicion.shared += WeightOf(lost_by.cause);
    any_passed |= std::exchange(call.suspicion.passed, false);
  }
  // It may have been too soon.
  if (group == 0 && any_passed) watch_time_ = std::min(2 * watch_time_, kLongestWatch);

  const bool is_telling = lost_by.cause != HubLoss::Cause::kOther;
  if (group == 0 && !searching()) {
    Judge(std::move(lost));
    return searching() && is_telling;
  }
  if (group == 0) {
    // Nothing of what is searched was under way: this hub fails without it, too.
    if (suspects_.size() == 1) suspects_.front().suspicion.alone = 0;
    SpliceFront(probation_, lost);
    CheckInvariants();
    return false;
  }
  if (!ATOMEMO_INVARIANT(group <= lost.size())) {
    SpliceFront(rest_, lost);
    return false;
  }
  if (group_is_alone_ && !lost_by.shared) lost.back().suspicion.alone += WeightOf(lost_by.cause);
  CallList of_group;
  of_group.splice(of_group.begin(), lost, std::prev(lost.end(), static_cast<std::ptrdiff_t>(group)),
                  lost.end());
  // What was settling when the group went out has nearly surely passed: it waits behind the
  // suspects.
  SpliceFront(probation_, lost);
  against_all_ += WeightOf(lost_by.cause);
  // That the connection just ended once more may be chance: all of them go out once again.
  if (is_telling && (narrowing_ || !group_is_suspect_ || against_all_ > 1)) {
    narrowing_ = true;
    SpliceFront(probation_, suspects_);
    SpliceFront(suspects_, of_group);
  } else {
    SpliceFront(group_is_suspect_ ? suspects_ : probation_, of_group);  // the same again
  }
  CheckInvariants();
  return is_telling;
}

// Whatever was there at every loss comes first.
void AnswerLane::Judge(CallList lost) {
  int most = 0;
  for (const LiveCall& call : lost) most = std::max(most, call.suspicion.shared);
  if (most < kEnough) return SpliceFront(rest_, lost);
  narrowing_ = false;
  against_all_ = 0;
  CallList others;
  for (auto call = lost.begin(); call != lost.end();) {
    const auto next = std::next(call);
    if (call->suspicion.shared != most) others.splice(others.end(), lost, call);
    call = next;
  }
  Splice(suspects_, suspects_.end(), lost);
  Splice(probation_, probation_.end(), others);
  CheckInvariants();
}

LiveCall* AnswerLane::culprit() {
  const bool is_found =
      group_ == 0 && suspects_.size() == 1 && suspects_.front().suspicion.alone >= kEnough;
  return is_found ? &suspects_.front() : nullptr;
}

void AnswerLane::CheckInvariants() const {
  (void)ATOMEMO_INVARIANT(group_ == 0 || sent_.size() <= group_);
  (void)ATOMEMO_INVARIANT(group_ <= sent_.size() + settling_.size());
}

}  // namespace atomemo::router
