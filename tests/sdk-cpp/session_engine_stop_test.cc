// How Plugin::Run ends: at Stop, and when the bridge asks for it.

#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

using ::testing::ElementsAre;
namespace pb = ::atomemo::plugin::v1;

TEST_F(SessionEngineTest, StopFinishesCallsInFlightFirst) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  plugin_.Stop();
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  go_on_.Notify();
  EXPECT_TRUE(Finished().ok());
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_invoked());
}

TEST_F(SessionEngineTest, StopServesCallsThatWereSentBeforeTheBridgeDrained) {
  bridge_.HoldDrained();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  plugin_.Stop();
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  bridge_.Invoke("r1", "echo", "{}");
  bridge_.TellDrained();
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_invoked());
  EXPECT_TRUE(Finished().ok());
}

TEST_F(SessionEngineTest, StopCancelsCallsThatTakeTooLong) {
  options_.drain_timeout = absl::Milliseconds(1);
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  EXPECT_TRUE(StopPlugin().ok());
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_failure());
}

TEST_F(SessionEngineTest, StopLeavesHandlersBehindThatDoNotListen) {
  options_.drain_timeout = absl::Milliseconds(1);
  options_.cancel_grace = absl::Milliseconds(1);
  struct Signals {
    absl::Notification started;
    absl::Notification go_on;
  };
  const auto signals = std::make_shared<Signals>();
  plugin_.AddTool(Tool("deaf").Invoke([signals](const Call&) -> absl::StatusOr<Json> {
    signals->started.Notify();
    signals->go_on.WaitForNotification();
    return nullptr;
  }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "deaf", "{}");
  signals->started.WaitForNotification();
  EXPECT_EQ(StopPlugin().code(), absl::StatusCode::kDeadlineExceeded);
  signals->go_on.Notify();
}

TEST_F(SessionEngineTest, StopHalfClosesOnceAllIsAnswered) {
  options_.drain_timeout = absl::InfiniteDuration();
  bridge_.HoldEnd();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  plugin_.Stop();
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  go_on_.Notify();
  EXPECT_TRUE(Finished().ok());
  EXPECT_EQ(bridge_.reply_count("r1"), 1u);
}

TEST_F(SessionEngineTest, StopDoesNotWaitForEverForABridgeThatHangs) {
  options_.drain_timeout = absl::Milliseconds(1);
  options_.cancel_grace = absl::Milliseconds(1);
  bridge_.HoldDrained();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.HoldReads();
  EXPECT_TRUE(StopPlugin().ok());
}

TEST_F(SessionEngineTest, StopWithoutABridgeCancelsWhatStillRuns) {
  options_.drain_timeout = absl::Milliseconds(1);
  options_.cancel_grace = absl::Seconds(60);
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Stop();
  while (log().find("no session") == std::string::npos) std::this_thread::yield();
  EXPECT_TRUE(StopPlugin().ok());
}

TEST_F(SessionEngineTest, StopWithoutABridgeDoesNotWaitForOneIfThereIsNothingToBring) {
  options_.drain_timeout = absl::InfiniteDuration();
  StartPlugin();
  while (log().find("no session") == std::string::npos) std::this_thread::yield();
  EXPECT_TRUE(StopPlugin().ok());
}

TEST_F(SessionEngineTest, StopComesBackWithAnswersThatTheBridgeLost) {
  options_.drain_timeout = absl::InfiniteDuration();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("failed", "echo", "{broken");
  ASSERT_TRUE(bridge_.WaitForReply("failed").has_failure());
  bridge_.Invoke("kept", "echo", "{}");
  ASSERT_TRUE(bridge_.WaitForReply("kept").has_invoked());
  bridge_.Invoke("runs", "wait", "{}");
  started_.WaitForNotification();
  plugin_.Stop();
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForDrainRequest(2));
  go_on_.Notify();
  EXPECT_TRUE(Finished().ok());
  EXPECT_THAT(bridge_.order(), ElementsAre("failed", "kept", "drain",  //
                                           "drain", "failed", "kept", "runs"));
}

TEST_F(SessionEngineTest, StopGivesUpWaitingForTheHub) {
  bridge_.HoldPublish();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(1));
  EXPECT_TRUE(StopPlugin().ok());
}

TEST_F(SessionEngineTest, DrainingFinishesCallsAndComesBack) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  pb::BridgeMessage message;
  message.mutable_draining()->set_reason("restart");
  message.mutable_draining()->mutable_timeout()->set_seconds(20);
  bridge_.Send(message);
  go_on_.Notify();
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_invoked());
  EXPECT_THAT(bridge_.order(), ElementsAre("r1")) << "calls may still wait in the bridge";
  // One that waited in the bridge for its turn.
  bridge_.Invoke("r2", "echo", "{}");
  bridge_.TellDrained();
  EXPECT_TRUE(bridge_.WaitForReply("r2").has_invoked());
  EXPECT_TRUE(bridge_.WaitForSessions(2));
}

TEST_F(SessionEngineTest, ABridgeThatDoesNotSayThatItHasDrainedIsAskedTo) {
  bridge_.HoldDrained();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  pb::BridgeMessage message;
  message.mutable_draining()->mutable_timeout()->set_nanos(1'000'000);
  bridge_.Send(message);
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  bridge_.HoldDrained(false);
  bridge_.TellDrained();
  EXPECT_TRUE(bridge_.WaitForSessions(2));
}

TEST_F(SessionEngineTest, StopDoesNotWaitForADrainThatTheBridgeBegan) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  pb::BridgeMessage message;
  message.mutable_draining()->set_reason("restart");
  message.mutable_draining()->mutable_timeout()->set_seconds(3600);
  bridge_.Send(message);
  while (log().find("asks to drain") == std::string::npos) std::this_thread::yield();
  plugin_.Stop();
  ASSERT_TRUE(bridge_.WaitForDrainRequest());
  EXPECT_TRUE(Finished().ok());
}

TEST_F(SessionEngineTest, DrainingForANewerDefinitionIsForGood) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  pb::BridgeMessage message;
  message.mutable_draining()->set_replaced(true);
  bridge_.Send(message);
  bridge_.TellDrained();
  EXPECT_EQ(Finished().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace atomemo
