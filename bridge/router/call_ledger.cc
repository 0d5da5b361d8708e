#include "bridge/router/call_ledger.h"

#include "absl/hash/hash.h"
#include "bridge/base/invariant.h"

namespace atomemo::router {

CallLedger::Fingerprint CallLedger::Of(absl::string_view topic, absl::string_view request_id) {
  // Two differently salted hashes: with one of 64 bits, a collision among a million ids would not
  // be absurd enough.
  return {absl::HashOf(1, topic, request_id), absl::HashOf(request_id, 2, topic)};
}

void CallLedger::Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer,
                     absl::Time now) {
  const Fingerprint id = Of(topic, answer->request_id);
  const std::size_t size = answer->size();
  const auto [entry, inserted] = entries_.try_emplace(id, Entry{std::move(answer)});
  if (!inserted) return;
  answer_bytes_ += size;
  by_age_.emplace_back(now, id);
  with_answer_.push_back(id);
  Forget(now);
  (void)ATOMEMO_INVARIANT(entries_.size() == by_age_.size());
  (void)ATOMEMO_INVARIANT(with_answer_.size() <= by_age_.size());
}

void CallLedger::Replace(absl::string_view topic, std::shared_ptr<const HubAnswer> answer) {
  const auto entry = entries_.find(Of(topic, answer->request_id));
  // One that was forgotten stays so: it is in the queue of those that may be no more.
  if (entry == entries_.end() || entry->second.answer == nullptr) return;
  answer_bytes_ += answer->size();
  answer_bytes_ -= entry->second.answer->size();
  entry->second.answer = std::move(answer);
}

const CallLedger::Entry* CallLedger::Find(absl::string_view topic,
                                          absl::string_view request_id) const {
  const auto entry = entries_.find(Of(topic, request_id));
  return entry == entries_.end() ? nullptr : &entry->second;
}

void CallLedger::Forget(absl::Time now) {
  const auto forget_answer = [this](Entry& entry) {
    if (entry.answer == nullptr) return;
    (void)ATOMEMO_INVARIANT(answer_bytes_ >= entry.answer->size());
    answer_bytes_ -= entry.answer->size();
    entry.answer.reset();
  };
  while (answer_bytes_ > limits_.max_answer_bytes && !with_answer_.empty()) {
    const auto entry = entries_.find(with_answer_.front());
    if (entry != entries_.end()) forget_answer(entry->second);
    with_answer_.pop_front();
  }
  while (!by_age_.empty() &&
         (by_age_.front().first + limits_.keep < now || entries_.size() > limits_.max_ids)) {
    const auto entry = entries_.find(by_age_.front().second);
    if (ATOMEMO_INVARIANT(entry != entries_.end())) {
      forget_answer(entry->second);
      entries_.erase(entry);
    }
    // Both queues are in the order of Add, so a forgotten entry is at the front of this one too, if
    // it is in it.
    if (!with_answer_.empty() && with_answer_.front() == by_age_.front().second)
      with_answer_.pop_front();
    by_age_.pop_front();
  }
}

}  // namespace atomemo::router
