#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CALL_BOOK_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CALL_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace atomemo::chaos {

// A call that the hub is going to make.
struct CallPlan {
  std::string event;
  // The text of a JSON object without request_id.
  std::string payload;
  // How long the hub waits; the deadline follows from it.
  absl::Duration timeout;
  // The tool runs past its own, shorter, timeout on purpose: the bridge has to answer for it.
  bool overruns = false;
};

// One answer, as it reached the hub.
struct Answer {
  absl::Time at;
  std::string event;
  // Of an error; empty for a response.
  std::string code;
  // The beginning of the payload; the fingerprint is of the whole.
  std::string text;
  std::size_t fingerprint = 0;

  bool SaysTheSame(const Answer& other) const {
    return event == other.event && fingerprint == other.fingerprint;
  }
};

// One call that the hub has made.
struct BookedCall {
  std::string request_id;
  CallPlan plan;  // its payload only while the call is pending
  absl::Time sent;
  int repeats = 0;
  // The first answer is the one that counts.
  std::optional<Answer> answer;
  int duplicates = 0;
  // The first later answer that says something else.
  std::optional<Answer> contradiction;
  // Answers that ended with the hub's channel before it looked at them.
  int dropped = 0;

  absl::Time deadline() const { return sent + plan.timeout; }
};

// What the hub knows of its calls. Survives the hub, as a hub's database does. Thread-safe.
class CallBook {
 public:
  // Books a call; gives its whole payload, with a new request_id.
  std::string Open(CallPlan plan, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // `payload` is JSON text.
  void OnAnswer(absl::string_view event, absl::string_view request_id, absl::string_view payload,
                absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // An answer reached the hub's socket, but its channel ended before it looked at it.
  void OnAnswerDropped(absl::string_view request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The calls without an answer whose deadline has not passed, as (event, whole payload), oldest
  // first; counts them as repeated. Those of dropped answers are left out: that the bridge sends
  // these again must not depend on the hub.
  std::vector<std::pair<std::string, std::string>> Repeat(absl::Time now)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // From `time` on frames pass again between hub and bridge.
  void OnLineRestored(absl::Time time) ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls that were due while nobody had joined: made later.
  void OnPostponed(std::size_t count) ABSL_LOCKS_EXCLUDED(mutex_);

  std::size_t pending() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::int64_t CallsSince(absl::Time time) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time last_deadline() const ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<BookedCall> calls() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<absl::Time> line_restored() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::size_t postponed() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers to calls that were never made.
  std::size_t strays() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Null if it names none.
  BookedCall* Find(absl::string_view request_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<BookedCall> calls_ ABSL_GUARDED_BY(mutex_);  // the request_id tells the index
  std::vector<absl::Time> line_restored_ ABSL_GUARDED_BY(mutex_);
  std::size_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t postponed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t strays_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CALL_BOOK_H_
