#include "sdk-cpp/src/log_throttle.h"

#include <gtest/gtest.h>

namespace atomemo::internal {
namespace {

TEST(LogThrottleTest, AllowsOneLineASecondAndCountsTheOthers) {
  LogThrottle throttle;
  const absl::Time start = absl::UnixEpoch() + absl::Hours(1);
  EXPECT_EQ(throttle.Allow(start), 0);
  EXPECT_EQ(throttle.Allow(start), std::nullopt);
  EXPECT_EQ(throttle.Allow(start + absl::Milliseconds(999)), std::nullopt);
  EXPECT_EQ(throttle.Allow(start + absl::Seconds(1)), 2);
  EXPECT_EQ(throttle.Allow(start + absl::Seconds(1.5)), std::nullopt);
  EXPECT_EQ(throttle.Allow(start + absl::Seconds(9)), 1);
  EXPECT_EQ(throttle.Allow(start + absl::Seconds(20)), 0);
}

}  // namespace
}  // namespace atomemo::internal
