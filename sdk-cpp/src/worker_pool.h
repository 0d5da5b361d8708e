#ifndef ATOMEMO_SDK_CPP_SRC_WORKER_POOL_H_
#define ATOMEMO_SDK_CPP_SRC_WORKER_POOL_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace atomemo::internal {

// A bounded number of threads that run tasks in the order in which they came. Threads are started
// when they are needed. Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(int max_threads);
  // Shuts down without waiting.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Tasks must not throw. After Shutdown they are dropped.
  void Submit(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops what waits, and waits for running tasks until `deadline`. False if some still run: their
  // threads then go on by themselves and end with their task.
  bool Shutdown(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

  // The threads there are, and those of them that have nothing to do.
  int threads() const;
  int idle() const;

 private:
  struct Core;

  const int max_threads_;
  const std::shared_ptr<Core> core_;
  absl::Mutex mutex_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_WORKER_POOL_H_
