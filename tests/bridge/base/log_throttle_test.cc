#include "bridge/base/log_throttle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::base {
namespace {

using ::testing::ElementsAre;

class LogThrottleTest : public ::testing::Test {
 protected:
  void Happen(const std::string& what) {
    throttle_->Log(
        [this, what](std::uint64_t count) { lines_.push_back(absl::StrCat(what, " x", count)); });
  }

  fakes::ManualScheduler scheduler_;
  std::optional<LogThrottle> throttle_{std::in_place, scheduler_};
  std::vector<std::string> lines_;
};

TEST_F(LogThrottleTest, WhatHappensNowAndThenIsLoggedAtOnce) {
  Happen("a");
  EXPECT_THAT(lines_, ElementsAre("a x1"));
  scheduler_.Advance(absl::Seconds(1));
  Happen("b");
  EXPECT_THAT(lines_, ElementsAre("a x1", "b x1"));
}

TEST_F(LogThrottleTest, AFloodIsOneLineASecondWithTheCount) {
  for (int i = 0; i < 3'000; ++i) {
    Happen(absl::StrCat("e", i));
    scheduler_.Advance(absl::Milliseconds(1));
  }
  EXPECT_THAT(lines_, ElementsAre("e0 x1", "e1 x999", "e1000 x1000", "e2000 x1000"));
}

TEST_F(LogThrottleTest, TheEndOfAFloodIsLoggedThoughNothingFollows) {
  Happen("a");
  Happen("b");
  Happen("c");
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(lines_, ElementsAre("a x1", "b x2"));
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

TEST_F(LogThrottleTest, WhatWaitsIsLoggedBeforeItGoes) {
  Happen("a");
  Happen("b");
  throttle_.reset();
  EXPECT_THAT(lines_, ElementsAre("a x1", "b x1"));
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

}  // namespace
}  // namespace atomemo::base
