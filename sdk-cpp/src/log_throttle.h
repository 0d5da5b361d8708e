#ifndef ATOMEMO_SDK_CPP_SRC_LOG_THROTTLE_H_
#define ATOMEMO_SDK_CPP_SRC_LOG_THROTTLE_H_

#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace atomemo::internal {

// Keeps a line that may be due for every call to one a second.
class LogThrottle {
 public:
  // If the line may be written now: how many were left out since the last one.
  std::optional<int> Allow(absl::Time now) {
    if (now - last_ < absl::Seconds(1)) {
      ++left_out_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(left_out_, 0);
  }

 private:
  absl::Time last_ = absl::InfinitePast();
  int left_out_ = 0;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_LOG_THROTTLE_H_
