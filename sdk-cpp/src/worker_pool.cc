#include "sdk-cpp/src/worker_pool.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace atomemo::internal {

// What threads share with the pool; outlives it while a left-behind task runs.
struct WorkerPool::Core {
  absl::Mutex mutex;
  std::deque<std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
  int idle ABSL_GUARDED_BY(mutex) = 0;
  int alive ABSL_GUARDED_BY(mutex) = 0;
  bool stopped ABSL_GUARDED_BY(mutex) = false;

  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return stopped || !tasks.empty(); }
  bool AllEnded() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return alive == 0; }

  // A thread's life.
  void Work() ABSL_LOCKS_EXCLUDED(mutex) {
    while (true) {
      std::function<void()> task;
      {
        absl::MutexLock lock(&mutex);
        ++idle;
        mutex.Await(absl::Condition(this, &Core::HasWork));
        --idle;
        if (stopped) {
          --alive;
          return;
        }
        task = std::move(tasks.front());
        tasks.pop_front();
      }
      task();
    }
  }
};

WorkerPool::WorkerPool(int max_threads)
    : max_threads_(std::max(1, max_threads)), core_(std::make_shared<Core>()) {}

WorkerPool::~WorkerPool() { Shutdown(absl::InfinitePast()); }

void WorkerPool::Submit(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  {
    absl::MutexLock core_lock(&core_->mutex);
    if (core_->stopped) return;
    core_->tasks.push_back(std::move(task));
    const bool enough = static_cast<std::size_t>(core_->idle) >= core_->tasks.size();
    if (enough || core_->alive == max_threads_) return;
    ++core_->alive;
  }
  threads_.emplace_back([core = core_] { core->Work(); });
}

bool WorkerPool::Shutdown(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  bool ended = false;
  std::deque<std::function<void()>> dropped;
  {
    absl::MutexLock core_lock(&core_->mutex);
    core_->stopped = true;
    dropped.swap(core_->tasks);
    ended = core_->mutex.AwaitWithDeadline(absl::Condition(core_.get(), &Core::AllEnded), deadline);
  }
  for (std::thread& thread : threads_) {
    if (ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  threads_.clear();
  return ended;
}

int WorkerPool::threads() const {
  absl::MutexLock lock(&core_->mutex);
  return core_->alive;
}

int WorkerPool::idle() const {
  absl::MutexLock lock(&core_->mutex);
  return core_->idle;
}

}  // namespace atomemo::internal
