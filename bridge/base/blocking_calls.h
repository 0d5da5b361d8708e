#ifndef ATOMEMO_BRIDGE_BASE_BLOCKING_CALLS_H_
#define ATOMEMO_BRIDGE_BASE_BLOCKING_CALLS_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/status.h"

namespace atomemo::base {

// Runs what may block for long, such as a name look-up or a file on a share, each on a thread of
// its own. Nobody waits for these threads: neither who asks, nor the end of the process.
//
// Lives on the io thread.
class BlockingCalls {
 public:
  using Task = std::function<void()>;

  // `post` runs a task on the io thread soon; it is thread-safe, and not called any more once this
  // object is destroyed.
  explicit BlockingCalls(std::function<void(Task)> post, std::size_t max_threads = 16);
  // Forgets what still runs: it gets to its end, and its result goes nowhere.
  ~BlockingCalls();
  BlockingCalls(const BlockingCalls&) = delete;
  BlockingCalls& operator=(const BlockingCalls&) = delete;

  // Runs `work` on a thread, and then, on the io thread, the task that it returned. `work` must not
  // throw, and must own what it touches; the task never runs after this object's destruction.
  // RESOURCE_EXHAUSTED when so many threads are stuck, or when the system gives no further one.
  absl::Status Run(std::function<Task()> work);

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
  const std::size_t max_threads_;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_BLOCKING_CALLS_H_
