#include "bridge/cli/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace atomemo::cli {
namespace {

TEST(DescriptorLimitTest, IsRaisedToWhatTheProcessMayHave) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max / 2;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  RaiseDescriptorLimit();
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace atomemo::cli
