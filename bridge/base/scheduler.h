#ifndef ATOMEMO_BRIDGE_BASE_SCHEDULER_H_
#define ATOMEMO_BRIDGE_BASE_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace atomemo::base {

// Time and deferred work for everything that lives on the io thread. Injected, so that tests turn
// the clock by hand.
//
// All methods but Post and RunAside are called on the io thread only; tasks run on the io thread,
// one at a time, in the order of their due times (equal times: order of scheduling). Tasks must not
// throw.
class Scheduler {
 public:
  using Task = std::function<void()>;
  using TimerId = std::uint64_t;
  static constexpr TimerId kNoTimer = 0;

  virtual ~Scheduler() = default;

  // Monotonic time, for deadlines and intervals; unrelated to the wall clock.
  virtual absl::Time Now() const = 0;

  // Runs `task` once, `delay` from now (a negative delay means at once, but never inside this
  // call).
  virtual TimerId After(absl::Duration delay, Task task) = 0;

  // The task will not run any more. Unknown, finished and kNoTimer ids are ignored.
  virtual void Cancel(TimerId id) = 0;

  // Runs `task` soon on the io thread. Thread-safe.
  virtual void Post(Task task) = 0;

  // For what takes longer than the io thread may: runs `work`, which must own all that it touches,
  // on a thread of its own, and then `done` (if any) on the io thread. One work at a time, in the
  // order of the calls, and so are their `done`. Thread-safe.
  virtual void RunAside(Task work, Task done) = 0;
};

// Reading, checking or writing a larger message than this is work for RunAside: it may take a
// millisecond and more. In bytes.
inline constexpr std::size_t kLargeMessage = 256 * 1024;

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_SCHEDULER_H_
