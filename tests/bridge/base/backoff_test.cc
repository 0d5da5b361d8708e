#include "bridge/base/backoff.h"

#include <gtest/gtest.h>

namespace atomemo::base {
namespace {

TEST(BackoffTest, WithoutJitterFollowsItsTableAndRepeatsTheLastEntry) {
  Backoff backoff({absl::Seconds(1), absl::Seconds(2)}, 0.0, 1);
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
  EXPECT_EQ(backoff.attempt(), 3u);
}

TEST(BackoffTest, ResetStartsTheTableAgain) {
  Backoff backoff({absl::Seconds(1), absl::Seconds(2)}, 0.0, 1);
  backoff.Next();
  backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, JitterStaysWithinItsBoundsAndDiffersBetweenSeeds) {
  Backoff one({absl::Seconds(10)}, 0.5, 1);
  Backoff two({absl::Seconds(10)}, 0.5, 2);
  bool differed = false;
  for (int i = 0; i < 100; ++i) {
    const absl::Duration delay = one.Next();
    EXPECT_GE(delay, absl::Seconds(5));
    EXPECT_LE(delay, absl::Seconds(10));
    differed = differed || delay != two.Next();
  }
  EXPECT_TRUE(differed);
}

}  // namespace
}  // namespace atomemo::base
