#include "bridge/router/answered_ids.h"

#include <utility>

#include "bridge/base/invariant.h"

namespace atomemo::router {
namespace {

std::uint32_t SecondOf(absl::Time time) {
  return static_cast<std::uint32_t>(absl::ToUnixSeconds(time));
}

}  // namespace

void AnsweredIds::Add(CallId id, std::shared_ptr<const HubAnswer> answer, absl::Time now) {
  if (!ids_.insert(id).second) return;
  by_age_.emplace_back(id, SecondOf(now));
  answer_bytes_ += answer->size();
  answers_.emplace(id, std::move(answer));
  answers_by_age_.push_back(id);
  ForgetOld(now);
  (void)ATOMEMO_INVARIANT(ids_.size() == by_age_.size());
  (void)ATOMEMO_INVARIANT(answers_.size() == answers_by_age_.size());
}

std::shared_ptr<const HubAnswer> AnsweredIds::AnswerTo(CallId id) const {
  const auto answer = answers_.find(id);
  return answer == answers_.end() ? nullptr : answer->second;
}

void AnsweredIds::ForgetAnswer(CallId id) {
  // Both queues are in the order of Add: the oldest id is the oldest answer's, if it has one.
  if (answers_by_age_.empty() || answers_by_age_.front() != id) return;
  answers_by_age_.pop_front();
  const auto answer = answers_.find(id);
  if (!ATOMEMO_INVARIANT(answer != answers_.end())) return;
  (void)ATOMEMO_INVARIANT(answer_bytes_ >= answer->second->size());
  answer_bytes_ -= answer->second->size();
  answers_.erase(answer);
}

void AnsweredIds::ForgetOld(absl::Time now) {
  while (answer_bytes_ > limits_.max_answer_bytes) ForgetAnswer(answers_by_age_.front());
  const auto is_old = [&](std::uint32_t second) {
    return absl::FromUnixSeconds(second) + limits_.keep < now;
  };
  while (!by_age_.empty() && (is_old(by_age_.front().second) || ids_.size() > limits_.max_ids)) {
    const CallId id = by_age_.front().first;
    ForgetAnswer(id);
    ids_.erase(id);
    by_age_.pop_front();
  }
}

}  // namespace atomemo::router
