#include "bridge/cli/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <iostream>

namespace atomemo::cli {
namespace {

TEST(DescriptorLimitTest, IsRaisedToWhatTheProcessMayHave) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max / 2;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(RaiseDescriptorLimit().ok());
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

// In a process of its own: a hard limit cannot be taken back.
void TryWith(rlim_t limit) {
  const rlimit both = {limit, limit};
  setrlimit(RLIMIT_NOFILE, &both);
  const absl::Status status = RaiseDescriptorLimit();
  std::cerr << status.message();
  std::exit(status.ok() ? 0 : 1);
}

TEST(DescriptorLimitDeathTest, TooFewAreRefusedWithWhatToDo) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(TryWith(64), testing::ExitedWithCode(1), "may open 64 files.*ulimit -n");
  EXPECT_EXIT(TryWith(128), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace atomemo::cli
