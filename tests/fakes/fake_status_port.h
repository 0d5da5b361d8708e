#ifndef ATOMEMO_TESTS_FAKES_FAKE_STATUS_PORT_H_
#define ATOMEMO_TESTS_FAKES_FAKE_STATUS_PORT_H_

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bridge/router/ports.h"

namespace atomemo::fakes {

// A bridge that is as the test says. Thread-safe.
class FakeStatusPort : public router::StatusPort {
 public:
  FakeStatusPort() { status_.set_ready(true); }

  void Set(admin::v1::GetStatusResponse status) {
    absl::MutexLock lock(&mutex_);
    status_ = std::move(status);
  }

  admin::v1::GetStatusResponse Status() const override {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  mutable absl::Mutex mutex_;
  admin::v1::GetStatusResponse status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_STATUS_PORT_H_
