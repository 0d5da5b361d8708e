#ifndef ATOMEMO_BRIDGE_BASE_SCHEDULER_H_
#define ATOMEMO_BRIDGE_BASE_SCHEDULER_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace atomemo::base {

// Time and deferred work for everything that lives on the io thread. Injected, so that tests turn
// the clock by hand.
//
// All methods but Post are called on the io thread only; tasks run on the io thread, one at a time,
// in the order of their due times (equal times: order of scheduling). Tasks must not throw.
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
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_SCHEDULER_H_
