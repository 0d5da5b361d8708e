#ifndef ATOMEMO_BRIDGE_ROUTER_ANSWERED_IDS_H_
#define ATOMEMO_BRIDGE_ROUTER_ANSWERED_IDS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "bridge/router/live_call.h"

namespace atomemo::router {

// Remembers the calls that have ended, so that a repeated request_id gets the same answer again and
// never a second run, and a repeated answer is not sent twice.
//
// Ids are kept for `keep`, at most `max_ids`; the answers themselves as long as they fit in
// `max_answer_bytes`, oldest forgotten first. Lives on the io thread.
class AnsweredIds {
 public:
  struct Limits {
    absl::Duration keep = absl::Minutes(10);
    std::size_t max_ids = 500'000;
    std::size_t max_answer_bytes = 64u << 20;
  };

  explicit AnsweredIds(Limits limits) : limits_(limits) {}

  // Notes that the call has ended, with this answer. Nothing if it is known already.
  void Add(CallId id, std::shared_ptr<const HubAnswer> answer, absl::Time now);

  bool Contains(CallId id) const { return ids_.contains(id); }
  // Null if the call is not known, or its answer was forgotten.
  std::shared_ptr<const HubAnswer> AnswerTo(CallId id) const;

  std::size_t size() const { return ids_.size(); }
  std::size_t answer_bytes() const { return answer_bytes_; }

 private:
  void ForgetAnswer(CallId id);
  void ForgetOld(absl::Time now);

  const Limits limits_;
  absl::flat_hash_set<CallId> ids_;
  std::deque<std::pair<CallId, std::uint32_t>> by_age_;  // all ids and their second, oldest first
  absl::flat_hash_map<CallId, std::shared_ptr<const HubAnswer>> answers_;
  std::deque<CallId> answers_by_age_;  // of `answers_`, oldest first
  std::size_t answer_bytes_ = 0;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ANSWERED_IDS_H_
