#ifndef ATOMEMO_BRIDGE_ROUTER_CALL_LEDGER_H_
#define ATOMEMO_BRIDGE_ROUTER_CALL_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/router/call.h"

namespace atomemo::router {

// Remembers the calls that were answered, so that a repeated request_id gets the same answer again
// and never a second run, and a repeated answer is not sent twice.
//
// Ids are kept as 128-bit fingerprints for `keep`, at most `max_ids`; the answers themselves as
// long as they fit in `max_answer_bytes`, oldest forgotten first. Lives on the io thread.
class CallLedger {
 public:
  struct Limits {
    absl::Duration keep = absl::Minutes(10);
    std::size_t max_ids = 500'000;
    std::size_t max_answer_bytes = 64u << 20;
  };
  struct Entry {
    // Null once the answer itself was forgotten.
    std::shared_ptr<const HubAnswer> answer;
  };

  explicit CallLedger(Limits limits) : limits_(limits) {}

  // Notes the call's terminal answer. A second answer to the same call is the caller's mistake:
  // Find first.
  void Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer, absl::Time now);

  // Another answer takes the place of the call's answer, if that is remembered.
  void Replace(absl::string_view topic, std::shared_ptr<const HubAnswer> answer);

  // Nothing if the call was not answered, or so long ago that it was forgotten. Valid until the
  // next Add.
  const Entry* Find(absl::string_view topic, absl::string_view request_id) const;

  std::size_t size() const { return entries_.size(); }
  std::size_t answer_bytes() const { return answer_bytes_; }

 private:
  using Fingerprint = std::pair<std::uint64_t, std::uint64_t>;
  static Fingerprint Of(absl::string_view topic, absl::string_view request_id);
  void Forget(absl::Time now);

  const Limits limits_;
  absl::flat_hash_map<Fingerprint, Entry> entries_;
  std::deque<std::pair<absl::Time, Fingerprint>> by_age_;  // every entry, oldest first
  std::deque<Fingerprint> with_answer_;  // entries that may still hold their answer, oldest first
  std::size_t answer_bytes_ = 0;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_CALL_LEDGER_H_
