#include "bridge/devhub/call_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::devhub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallBrokerTest : public ::testing::Test {
 protected:
  // Starts a call of `invoke_tool` on topic "t"; its end is written to ends_.
  absl::Status Start(CallBroker& broker, const std::string& request_id) {
    return broker.Start(
        request_id, "t", "invoke_tool", absl::Seconds(10), [this](const Call& call) {
          ends_.push_back(absl::StrCat(call.request_id, " ", CallStateName(call.state)));
        });
  }

  fakes::ManualScheduler scheduler_;
  std::vector<std::string> ends_;
};

TEST_F(CallBrokerTest, AnAnswerEndsItsCallAndTellsTheTimeItTook) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  scheduler_.Advance(absl::Milliseconds(250));
  broker.OnAnswer("t", "invoke_tool_response", "a", R"({"data":1})");
  EXPECT_THAT(ends_, ElementsAre("a answered"));
  const CallAnswer& answer = broker.Find("a")->answers.at(0);
  EXPECT_EQ(answer.event, "invoke_tool_response");
  EXPECT_EQ(answer.payload, R"({"data":1})");
  EXPECT_EQ(answer.elapsed, absl::Milliseconds(250));
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

TEST_F(CallBrokerTest, ErrorsAndUnsupportedEventAreAnswersToo) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  ASSERT_TRUE(Start(broker, "b").ok());
  broker.OnAnswer("t", "invoke_tool_error", "a", "{}");
  broker.OnAnswer("t", "unsupported_event", "b", "{}");
  EXPECT_THAT(ends_, ElementsAre("a answered", "b answered"));
}

TEST_F(CallBrokerTest, ACallThatNobodyAnswersTimesOut) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(ends_, ElementsAre("a timed_out"));
}

TEST_F(CallBrokerTest, LateAndSecondAnswersAreKeptAndCounted) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  scheduler_.Advance(absl::Seconds(10));
  broker.OnAnswer("t", "invoke_tool_response", "a", "{}");
  broker.OnAnswer("t", "invoke_tool_error", "a", "{}");
  EXPECT_EQ(broker.Find("a")->answer_count, 2u);
  EXPECT_EQ(broker.counters().duplicate_answers, 1u);
  EXPECT_THAT(ends_, ElementsAre("a timed_out"));
}

TEST_F(CallBrokerTest, AnAnswerFromAnotherTopicOrToAnotherEventIsStray) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  broker.OnAnswer("u", "invoke_tool_response", "a", "{}");
  broker.OnAnswer("t", "locator_list_response", "a", "{}");
  broker.OnAnswer("t", "invoke_tool_response", "unknown", "{}");
  EXPECT_THAT(ends_, IsEmpty());
  EXPECT_EQ(broker.counters().stray_answers, 3u);
}

TEST_F(CallBrokerTest, ARequestIdIsUsedOnce) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Start(broker, "a")));
  broker.OnAnswer("t", "invoke_tool_response", "a", "{}");
  EXPECT_TRUE(absl::IsAlreadyExists(Start(broker, "a")));
}

TEST_F(CallBrokerTest, PendingCallsAreBounded) {
  CallBroker::Limits limits;
  limits.max_pending = 1;
  CallBroker broker(scheduler_, limits);
  ASSERT_TRUE(Start(broker, "a").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Start(broker, "b")));
}

TEST_F(CallBrokerTest, TheOldestFinishedCallIsForgottenPastTheCount) {
  CallBroker::Limits limits;
  limits.max_finished = 2;
  CallBroker broker(scheduler_, limits);
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(Start(broker, id).ok());
    broker.OnAnswer("t", "invoke_tool_response", id, "{}");
  }
  EXPECT_EQ(broker.Find("a"), nullptr);
  EXPECT_NE(broker.Find("b"), nullptr);
  EXPECT_EQ(broker.Recent(10).front()->request_id, "c");
}

TEST_F(CallBrokerTest, TheOldestFinishedCallIsForgottenPastTheBytes) {
  CallBroker::Limits limits;
  limits.max_finished_bytes = 30;
  CallBroker broker(scheduler_, limits);
  ASSERT_TRUE(Start(broker, "a").ok());
  ASSERT_TRUE(Start(broker, "b").ok());
  broker.OnAnswer("t", "invoke_tool_response", "a", std::string(20, ' '));
  broker.OnAnswer("t", "invoke_tool_response", "b", std::string(20, ' '));
  EXPECT_EQ(broker.Find("a"), nullptr);
  EXPECT_NE(broker.Find("b"), nullptr);
  // A second answer counts as well.
  broker.OnAnswer("t", "invoke_tool_response", "b", std::string(20, ' '));
  EXPECT_EQ(broker.finished(), 0u);
}

TEST_F(CallBrokerTest, RepeatedAnswersDoNotPileUp) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  for (int i = 0; i < 100; ++i) broker.OnAnswer("t", "invoke_tool_response", "a", "{}");
  EXPECT_EQ(broker.Find("a")->answer_count, 100u);
  EXPECT_EQ(broker.Find("a")->answers.size(), CallBroker::kMaxKeptAnswers);
}

TEST_F(CallBrokerTest, AbortingEndsEveryPendingCall) {
  CallBroker broker(scheduler_);
  ASSERT_TRUE(Start(broker, "a").ok());
  ASSERT_TRUE(Start(broker, "b").ok());
  broker.AbortAll();
  EXPECT_THAT(ends_, ElementsAre("a aborted", "b aborted"));
}

TEST(IsAnswerEventTest, KnowsTheAnswersOfTheHubsSevenCalls) {
  EXPECT_TRUE(IsAnswerEvent("invoke_tool_response"));
  EXPECT_TRUE(IsAnswerEvent("oauth2_get_token_error"));
  EXPECT_TRUE(IsAnswerEvent("unsupported_event"));
  EXPECT_FALSE(IsAnswerEvent("invoke_tool"));
  EXPECT_FALSE(IsAnswerEvent("other_response"));
  EXPECT_FALSE(IsAnswerEvent("_response"));
}

TEST(DefaultCallTimeoutTest, GivesThePluginItsTimeAndALittleMore) {
  EXPECT_EQ(DefaultCallTimeout("credential_auth_spec"), absl::Seconds(10));
  EXPECT_EQ(DefaultCallTimeout("invoke_tool"), absl::Minutes(30) + absl::Seconds(5));
  EXPECT_EQ(DefaultCallTimeout("no_such_event"), absl::Seconds(20));
}

}  // namespace
}  // namespace atomemo::devhub
