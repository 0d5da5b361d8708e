// Wrong on purpose and never built: thread_safety.py proves with it that Clang finds a read without
// the lock.
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

class Counter {
 public:
  int Read() const { return value_; }

 private:
  mutable absl::Mutex mutex_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};
