#include "bridge/cli/limit_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"

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
  EXPECT_EQ(options_.plugin_server.max_message_bytes, 2 * half.plugin_server.max_message_bytes);
  // What is kept at the same time fits.
  EXPECT_LE(limits.max_call_bytes + limits.outbox.max_bytes + limits.answered_ids.max_answer_bytes,
            256u << 20);
}

TEST_F(LimitFlagsTest, WhatIsGivenStays) {
  ASSERT_TRUE(Parse("--memory 64MB --max-calls 7 --max-outbox-bytes 1GB").ok());
  EXPECT_EQ(options_.router.limits.max_calls, 7u);
  EXPECT_EQ(options_.router.limits.outbox.max_bytes, 1u << 30);
  EXPECT_EQ(options_.router.limits.max_call_bytes, 28u << 20);
}

// The flags, what each sets, and its value at the most memory, as bridge/docs/limits.md has them.
struct Flag {
  const char* name;
  std::size_t (*bound)(const AppOptions&);
  std::size_t value;
};

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr Flag kFlags[] = {
    {"--max-calls", [](const AppOptions& o) { return o.router.limits.max_calls; }, 21'845},
    {"--max-call-bytes", [](const AppOptions& o) { return o.router.limits.max_call_bytes; },
     112 * kMiB},
    {"--max-plugin-calls", [](const AppOptions& o) { return o.router.limits.max_plugin_calls; },
     5'461},
    {"--max-plugin-call-bytes",
     [](const AppOptions& o) { return o.router.limits.max_plugin_call_bytes; }, 96 * kMiB},
    {"--max-queued-calls", [](const AppOptions& o) { return o.router.limits.max_queued_calls; },
     1'024},
    {"--max-outbox-answers", [](const AppOptions& o) { return o.router.limits.outbox.max_answers; },
     65'536},
    {"--max-outbox-bytes", [](const AppOptions& o) { return o.router.limits.outbox.max_bytes; },
     112 * kMiB},
    {"--max-plugin-answers",
     [](const AppOptions& o) { return o.router.limits.outbox.max_topic_answers; }, 16'384},
    {"--max-plugin-answer-bytes",
     [](const AppOptions& o) { return o.router.limits.outbox.max_topic_bytes; }, 96 * kMiB},
    {"--max-sessions", [](const AppOptions& o) { return o.router.limits.max_sessions; }, 2'048},
    {"--max-hub-calls", [](const AppOptions& o) { return o.router.limits.max_hub_calls; }, 1'024},
    {"--max-parked-answers", [](const AppOptions& o) { return o.router.limits.max_parked_answers; },
     65'536},
    {"--max-parked-bytes", [](const AppOptions& o) { return o.router.limits.max_parked_bytes; },
     64 * kMiB},
    {"--max-definition-bytes",
     [](const AppOptions& o) { return o.plugin_server.max_definition_bytes; }, 8 * kMiB},
    {"--max-waiting-definitions",
     [](const AppOptions& o) { return o.plugin_server.max_waiting_definitions; }, 1'024},
    {"--max-waiting-definition-bytes",
     [](const AppOptions& o) { return o.plugin_server.max_waiting_definition_bytes; }, 24 * kMiB},
    {"--max-message-bytes", [](const AppOptions& o) { return o.plugin_server.max_message_bytes; },
     32 * kMiB},
    {"--max-file-bytes", [](const AppOptions& o) { return o.plugin_server.max_file_bytes; },
     1'024 * kMiB},
    {"--max-transfers", [](const AppOptions& o) { return o.plugin_server.max_transfers; }, 8},
    {"--max-stream-messages",
     [](const AppOptions& o) { return o.plugin_server.max_stream_messages; }, 20'000},
    {"--max-stream-bytes", [](const AppOptions& o) { return o.plugin_server.max_stream_bytes; },
     64 * kMiB},
};

TEST(LimitFlagTest, EachHasItsValueWhenNoneIsGiven) {
  CLI::App app;
  AppOptions options;
  LimitFlags flags;
  flags.AddTo(app, options);
  app.parse("--memory 256MB");
  ASSERT_TRUE(flags.Derive().ok());
  for (const Flag& flag : kFlags) EXPECT_EQ(flag.bound(options), flag.value) << flag.name;
}

TEST(LimitFlagTest, EachSetsItsOwnBoundAndNoOther) {
  for (const Flag& given : kFlags) {
    CLI::App app;
    AppOptions options;
    LimitFlags flags;
    flags.AddTo(app, options);
    app.parse(absl::StrCat("--memory 256MB ", given.name, " 77"));
    ASSERT_TRUE(flags.Derive().ok());
    for (const Flag& flag : kFlags) {
      EXPECT_EQ(flag.bound(options), flag.name == given.name ? 77 : flag.value)
          << flag.name << " with " << given.name;
    }
  }
}

TEST_F(LimitFlagsTest, TooLittleIsRefusedWithTheReason) {
  EXPECT_THAT(std::string(Parse("--memory 1MB").message()), HasSubstr("at least 32MB"));
}

}  // namespace
}  // namespace atomemo::cli
