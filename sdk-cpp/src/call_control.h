#ifndef ATOMEMO_SDK_CPP_SRC_CALL_CONTROL_H_
#define ATOMEMO_SDK_CPP_SRC_CALL_CONTROL_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace atomemo::internal {

// The clock and the cancellation of one call. Thread-safe.
class CallControl {
 public:
  virtual ~CallControl() = default;

  virtual absl::Time deadline() const = 0;
  virtual absl::Time Now() const = 0;
  // Cancelled, or past the deadline.
  virtual bool cancelled() const = 0;
  // See Call::WaitCancelled.
  virtual bool WaitCancelled(absl::Duration timeout) = 0;

  // Has `hook` run when the call is cancelled, at once if it is already; not when its deadline
  // passes. Hooks must not block.
  virtual std::uint64_t AddCancelHook(std::function<void()> hook) = 0;
  // After this the hook neither runs nor is running.
  virtual void RemoveCancelHook(std::uint64_t id) = 0;
};

// The real one.
class LiveCallControl final : public CallControl {
 public:
  explicit LiveCallControl(absl::Duration time_left) : deadline_(absl::Now() + time_left) {}

  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return;
    cancelled_ = true;
    for (const auto& [id, hook] : hooks_) hook();
  }

  absl::Time deadline() const override { return deadline_; }
  absl::Time Now() const override { return absl::Now(); }

  bool cancelled() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return cancelled_ || absl::Now() >= deadline_;
  }

  bool WaitCancelled(absl::Duration timeout) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(&cancelled_),
                             std::min(deadline_, absl::Now() + timeout));
    return cancelled_ || absl::Now() >= deadline_;
  }

  std::uint64_t AddCancelHook(std::function<void()> hook) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) hook();
    hooks_.emplace(++last_hook_, std::move(hook));
    return last_hook_;
  }

  void RemoveCancelHook(std::uint64_t id) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    hooks_.erase(id);
  }

 private:
  const absl::Time deadline_;
  mutable absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t last_hook_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, std::function<void()>> hooks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_CONTROL_H_
