#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_THREAD_POOL_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_THREAD_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace atomemo::plugin_service {

// Runs tasks that take long or block, in the order in which they came, so that neither the io
// thread nor the completion queue's has to. Thread-safe.
class ThreadPool {
 public:
  // At most `max_waiting` tasks wait for a thread.
  ThreadPool(std::size_t threads, std::size_t max_waiting);
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False, and the task is dropped, if too many wait or Stop was called.
  bool Run(std::function<void()> task);

  // Drops what waits and returns when what runs has ended. Idempotent.
  void Stop();

 private:
  void Work();
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopped_ || !waiting_.empty(); }

  const std::size_t max_waiting_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_THREAD_POOL_H_
