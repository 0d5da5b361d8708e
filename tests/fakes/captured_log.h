#ifndef ATOMEMO_TESTS_FAKES_CAPTURED_LOG_H_
#define ATOMEMO_TESTS_FAKES_CAPTURED_LOG_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "bridge/base/log.h"

namespace atomemo::fakes {

// What the process writes on stderr, from the construction on. One at a time.
class CapturedLog {
 public:
  CapturedLog() {
    base::FlushLog(absl::InfiniteDuration());  // of what was logged before
    testing::internal::CaptureStderr();
  }
  ~CapturedLog() { Take(); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // The lines so far, and ends the capture; afterwards nothing.
  std::string Take() {
    if (taken_) return "";
    taken_ = true;
    base::FlushLog(absl::InfiniteDuration());
    return testing::internal::GetCapturedStderr();
  }

 private:
  bool taken_ = false;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_CAPTURED_LOG_H_
