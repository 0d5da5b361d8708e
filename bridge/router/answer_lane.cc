#include "bridge/router/answer_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bridge/base/invariant.h"

namespace atomemo::router {
namespace {

// Two losses, if the hub says that it was a frame; four if it says nothing. So much makes answers
// suspects, and then convicts the one that is left.
constexpr int kEnough = 4;

// How long a group is watched. In the end as long as the channel of any hub may be behind.
constexpr absl::Duration kShortestWatch = absl::Milliseconds(250);
constexpr absl::Duration kLongestWatch = absl::Seconds(1);

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

template <typename Deque>
void MoveTo(Deque& to, typename Deque::iterator place, Deque from) {
  to.insert(place, std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

AnswerLane::AnswerLane() : watch_time_(kShortestWatch) {}

void AnswerLane::Add(Entry entry) {
  bytes_ += entry.answer->size();
  waiting_.push_back(std::move(entry));
}

std::size_t AnswerLane::sendable() const {
  if (group_ > 0) return 0;
  if (suspects_ > 0) return narrowing_ ? (suspects_ + 1) / 2 : suspects_;
  return probation_ > 0 ? probation_ : waiting_.size();
}

AnswerLane::Entry& AnswerLane::Send(HubPosition position, absl::Time now) {
  Entry& entry = sent_.emplace_back(std::move(waiting_.front()));
  waiting_.pop_front();
  entry.position = position;
  entry.sent_at = now;
  entry.sent_before = true;
  return entry;
}

void AnswerLane::CloseGroup(std::size_t size) {
  if (size == 0 || !searching()) return;
  group_is_suspect_ = suspects_ > 0;
  std::size_t& part = group_is_suspect_ ? suspects_ : probation_;
  if (!ATOMEMO_INVARIANT(size <= part)) size = part;
  part -= size;
  group_ = size;
  group_is_alone_ = group_is_suspect_ && size == 1 && settling_.empty();
  CheckInvariants();
}

AnswerLane::Entry AnswerLane::TakeProven() {
  Entry entry = std::move(sent_.front());
  sent_.pop_front();
  bytes_ -= entry.answer->size();
  return entry;
}

void AnswerLane::Settle(Entry entry) {
  settling_bytes_ += entry.answer->size();
  settling_.push_back(std::move(entry));
}

bool AnswerLane::CanPopSettled(absl::Time proven_until, std::size_t max_answers,
                               std::size_t max_bytes) const {
  if (proven_until == absl::InfiniteFuture()) return !settling_.empty();
  const std::size_t of_group = group_ > sent_.size() ? group_ - sent_.size() : 0;
  if (settling_.size() <= of_group) return false;
  if (settling_.front().proven_at <= proven_until) return true;
  // The last one stays, however large it is: it may be what the topic is about to be lost for.
  return settling_.size() > 1 && (settling_.size() > max_answers || settling_bytes_ > max_bytes);
}

AnswerLane::Entry AnswerLane::PopSettled() {
  Entry entry = std::move(settling_.front());
  settling_.pop_front();
  settling_bytes_ -= entry.answer->size();
  return entry;
}

void AnswerLane::Pass() {
  // Some may have been counted as settled before their time.
  const std::size_t left = std::min(group_, settling_.size());
  for (auto entry = settling_.end() - static_cast<std::ptrdiff_t>(left); entry != settling_.end();
       ++entry) {
    entry->suspicion = 0;
    entry->evidence = 0;
    entry->passed = true;
  }
  group_ = 0;
  if (!narrowing_) probation_ = 0;
  CheckInvariants();
}

bool AnswerLane::Lose(const HubLoss& lost_by) {
  const std::size_t group = std::exchange(group_, 0);
  std::deque<Entry> lost = std::move(settling_);
  for (const Entry& entry : lost) bytes_ += entry.answer->size();
  settling_.clear();
  settling_bytes_ = 0;
  MoveTo(lost, lost.end(), std::move(sent_));
  sent_.clear();
  bool any_passed = false;
  for (Entry& entry : lost) {
    entry.suspicion += WeightOf(lost_by.cause);
    any_passed |= std::exchange(entry.passed, false);
  }
  // It may have been too soon.
  if (group == 0 && any_passed) watch_time_ = std::min(2 * watch_time_, kLongestWatch);

  if (group == 0 && !searching()) {
    const std::size_t count = lost.size();
    MoveTo(waiting_, waiting_.begin(), std::move(lost));
    probation_ = count;
    StartSearch();
    return searching() && lost_by.cause != HubLoss::Cause::kOther;
  }
  if (group == 0) {
    // Nothing of what is searched was under way: this hub fails without it, too.
    if (suspects_ == 1) waiting_.front().evidence = 0;
    probation_ += lost.size();
    MoveTo(waiting_, waiting_.begin() + static_cast<std::ptrdiff_t>(suspects_), std::move(lost));
    CheckInvariants();
    return false;
  }
  if (!ATOMEMO_INVARIANT(group <= lost.size())) return false;
  if (group_is_alone_ && !lost_by.shared) lost.back().evidence += WeightOf(lost_by.cause);
  const bool is_telling = lost_by.cause != HubLoss::Cause::kOther;
  // What was settling when the group went out has nearly surely passed: it waits behind the
  // suspects.
  const auto passed = lost.end() - static_cast<std::ptrdiff_t>(group);
  probation_ += lost.size() - group;
  const auto behind = waiting_.begin() + static_cast<std::ptrdiff_t>(suspects_);
  waiting_.insert(behind, std::make_move_iterator(lost.begin()), std::make_move_iterator(passed));
  waiting_.insert(waiting_.begin(), std::make_move_iterator(passed),
                  std::make_move_iterator(lost.end()));
  against_all_ += WeightOf(lost_by.cause);
  // That the connection just ended once more may be chance: all of them go out once again.
  if (is_telling && (narrowing_ || !group_is_suspect_ || against_all_ > 1)) {
    narrowing_ = true;
    probation_ += std::exchange(suspects_, group);
  } else {
    (group_is_suspect_ ? suspects_ : probation_) += group;  // the same again
  }
  CheckInvariants();
  return is_telling;
}

// Whatever was there at every loss comes first.
void AnswerLane::StartSearch() {
  const auto begin = waiting_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(std::exchange(probation_, 0));
  if (begin == end) return;
  const int most = std::max_element(begin, end, [](const Entry& a, const Entry& b) {
                     return a.suspicion < b.suspicion;
                   })->suspicion;
  if (most < kEnough) return;
  const auto others = std::stable_partition(
      begin, end, [most](const Entry& entry) { return entry.suspicion == most; });
  narrowing_ = false;
  against_all_ = 0;
  suspects_ = static_cast<std::size_t>(others - begin);
  probation_ = static_cast<std::size_t>(end - others);
  CheckInvariants();
}

bool AnswerLane::has_culprit() const {
  return group_ == 0 && suspects_ == 1 && waiting_.front().evidence >= kEnough;
}

void AnswerLane::ReplaceCulprit(std::shared_ptr<const HubAnswer> answer) {
  Entry& entry = waiting_.front();
  bytes_ += answer->size();
  bytes_ -= entry.answer->size();
  entry.answer = std::move(answer);
  entry.is_replacement = true;
  entry.proven_before = false;
  entry.suspicion = 0;
  entry.evidence = 0;
  watch_time_ = kShortestWatch;
}

AnswerLane::Entry AnswerLane::GiveUpCulprit() {
  Entry entry = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= entry.answer->size();
  suspects_ = 0;
  CheckInvariants();
  return entry;
}

void AnswerLane::CheckInvariants() const {
  (void)ATOMEMO_INVARIANT(suspects_ + probation_ <= waiting_.size());
  (void)ATOMEMO_INVARIANT(group_ == 0 || sent_.size() <= group_);
  (void)ATOMEMO_INVARIANT(group_ <= sent_.size() + settling_.size());
  (void)ATOMEMO_INVARIANT(!waiting_.empty() || !sent_.empty() || bytes_ == 0);
  (void)ATOMEMO_INVARIANT(!settling_.empty() || settling_bytes_ == 0);
}

}  // namespace atomemo::router
