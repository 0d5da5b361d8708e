#include "bridge/cli/limit_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atomemo::cli {
namespace {

using ::testing::HasSubstr;

class LimitFlagsTest : public ::testing::Test {
 protected:
  LimitFlagsTest() { flags_.AddTo(app_, options_); }

  absl::Status Parse(const std::string& command_line) {
    app_.parse(command_line);
    return flags_.Derive();
  }

  CLI::App app_;
  AppOptions options_;
  LimitFlags flags_;
};

TEST_F(LimitFlagsTest, AllFollowFromTheMemory) {
  ASSERT_TRUE(Parse("--memory 128MB").ok());
  const AppOptions half = options_;
  app_.clear();
  ASSERT_TRUE(Parse("--memory 256MB").ok());
  const router::RouterLimits& limits = options_.router.limits;
  EXPECT_EQ(limits.max_call_bytes, 112u << 20);
  EXPECT_EQ(limits.max_call_bytes, 2 * half.router.limits.max_call_bytes);
  EXPECT_EQ(limits.outbox.max_answers, 2 * half.router.limits.outbox.max_answers);
  EXPECT_EQ(options_.plugin_server.max_message_bytes,
            2 * half.plugin_server.max_message_bytes);
  // What is kept at the same time fits.
  EXPECT_LE(limits.max_call_bytes + limits.outbox.max_bytes + limits.ledger.max_answer_bytes,
            256u << 20);
}

TEST_F(LimitFlagsTest, WhatIsGivenStays) {
  ASSERT_TRUE(Parse("--memory 64MB --max-calls 7 --max-outbox-bytes 1GB").ok());
  EXPECT_EQ(options_.router.limits.max_calls, 7u);
  EXPECT_EQ(options_.router.limits.outbox.max_bytes, 1u << 30);
  EXPECT_EQ(options_.router.limits.max_call_bytes, 28u << 20);
}

TEST_F(LimitFlagsTest, TooLittleIsRefusedWithTheReason) {
  EXPECT_THAT(std::string(Parse("--memory 1MB").message()), HasSubstr("at least 32MB"));
}

}  // namespace
}  // namespace atomemo::cli
