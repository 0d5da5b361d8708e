// Plugin::Run while the hub is slow to take answers: each is kept until it is delivered, and calls
// wait instead.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

using ::testing::Contains;
using ::testing::Not;

// A plugin that keeps few answers, and a tool that counts its runs.
class SlowHubTest : public SessionEngineTest {
 protected:
  static constexpr int kMaxKept = 3;

  SlowHubTest() {
    options_.max_kept_answers = kMaxKept;
    options_.drain_timeout = absl::Milliseconds(1);
    plugin_.AddTool(Tool("count").Invoke([this](const Call& call) -> absl::StatusOr<Json> {
      absl::MutexLock lock(&runs_mutex_);
      runs_.push_back(call.parameters().at("id"));
      return "counted";
    }));
    bridge_.Start();
    StartPlugin();
  }
  // Before the handler's members go.
  ~SlowHubTest() override {
    plugin_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  void SetUp() override { ASSERT_TRUE(bridge_.WaitForSessions(1)); }

  void Invoke(const std::string& id) { bridge_.Invoke(id, "count", Json{{"id", id}}.dump()); }
  bool IsAnswered(const std::string& id) { return bridge_.WaitForReply(id).has_invoked(); }

  // Fills the plugin with kept answers: k1, k2, k3.
  void Fill() {
    for (const char* id : {"k1", "k2", "k3"}) {
      Invoke(id);
      ASSERT_TRUE(IsAnswered(id));
    }
  }

  // Waits until the plugin has read what was sent before: it sends an answer that it keeps again.
  void WaitUntilRead(const std::string& kept = "k3") {
    const std::size_t replies = bridge_.reply_count(kept);
    Invoke(kept);
    ASSERT_TRUE(bridge_.WaitForReply(kept, replies + 1).has_invoked());
  }

  std::vector<std::string> runs() {
    absl::MutexLock lock(&runs_mutex_);
    return runs_;
  }

  absl::Mutex runs_mutex_;
  std::vector<std::string> runs_ ABSL_GUARDED_BY(runs_mutex_);
};

TEST_F(SlowHubTest, RunsNoMoreCallsThanItCanKeepAnswersOfAndDropsNone) {
  constexpr int kCalls = 40;
  for (int i = 0; i < kCalls; ++i) Invoke(absl::StrCat(i));
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(IsAnswered(absl::StrCat(i)));
    // Of those before, all but kMaxKept at most were delivered.
    EXPECT_LE(runs().size(), static_cast<std::size_t>(i + kMaxKept));
    bridge_.Deliver(absl::StrCat(i));
  }
  for (int i = 0; i < kCalls; ++i) EXPECT_EQ(bridge_.reply_count(absl::StrCat(i)), 1u);
  EXPECT_EQ(runs().size(), static_cast<std::size_t>(kCalls));
}

TEST_F(SlowHubTest, AKeptAnswerOutlastsAnyNumberOfLaterCalls) {
  Fill();
  for (const char* id : {"w1", "w2", "w3", "w4"}) Invoke(id);
  WaitUntilRead();
  bridge_.Stop();
  bridge_.Start();
  for (const char* id : {"k1", "k2"}) EXPECT_TRUE(bridge_.WaitForReply(id, 2).has_invoked()) << id;
}

TEST_F(SlowHubTest, WaitingCallsRunOnceAnswersAreDelivered) {
  Fill();
  Invoke("w1");
  Invoke("w2");
  WaitUntilRead();
  EXPECT_EQ(runs().size(), 3u);
  bridge_.Deliver("k2");
  EXPECT_TRUE(IsAnswered("w1"));
  EXPECT_EQ(runs().back(), "w1");
  bridge_.Deliver("k1");
  EXPECT_TRUE(IsAnswered("w2"));
}

TEST_F(SlowHubTest, ARefusedAnswerMakesRoomAsWell) {
  Fill();
  Invoke("w1");
  bridge_.Reject("k1", "no such thing");
  EXPECT_TRUE(IsAnswered("w1"));
}

TEST_F(SlowHubTest, AWaitingCallThatIsCancelledIsAnsweredWithoutARun) {
  Fill();
  Invoke("w1");
  Invoke("w2");
  bridge_.Cancel("w1");
  EXPECT_EQ(bridge_.WaitForReply("w1").failure().error().code(), "sdk:cancelled");
  bridge_.Deliver("k1");
  EXPECT_TRUE(IsAnswered("w2"));
  EXPECT_THAT(runs(), Not(Contains("w1")));
}

TEST_F(SlowHubTest, AWaitingCallIsOneThatThePluginHas) {
  Fill();
  Invoke("w1");
  WaitUntilRead();
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  EXPECT_THAT(bridge_.hellos().back().session().open_request_ids(), Contains("w1"));
  Invoke("w1");  // It waits.
  bridge_.Deliver("k1");
  EXPECT_TRUE(IsAnswered("w1"));
  EXPECT_EQ(runs().size(), 4u);
}

TEST_F(SlowHubTest, StopDoesNotWaitForRoomForEver) {
  Fill();
  Invoke("w1");
  WaitUntilRead();
  EXPECT_TRUE(StopPlugin().ok());
  EXPECT_EQ(bridge_.WaitForReply("w1").failure().error().code(), "sdk:cancelled");
}

TEST_F(SlowHubTest, ManyWaitingCallsAreOneLineInTheLog) {
  const absl::Time start = absl::Now();
  Fill();
  for (int i = 0; i < 100; ++i) Invoke(absl::StrCat("w", i));
  WaitUntilRead();
  // One a second, however slow this machine is.
  const auto seconds = static_cast<std::ptrdiff_t>(absl::ToInt64Seconds(absl::Now() - start));
  const std::vector<std::string> lines = absl::StrSplit(log(), '\n');
  const auto count = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return absl::StrContains(line, "has not confirmed");
  });
  EXPECT_GE(count, 1);
  EXPECT_LE(count, 1 + seconds);
}

}  // namespace
}  // namespace atomemo
