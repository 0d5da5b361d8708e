// A changed definition serves once the hub has taken it, and changes nothing before.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CandidatesTest : public RouterTest {
 protected:
  static constexpr char kOtherTool[] =
      R"({"name":"report","display_name":{"en_US":"R"},"description":{"en_US":"d"},"icon":"i",
      "parameters":[]})";
  static constexpr char kThirdTool[] =
      R"({"name":"warn","display_name":{"en_US":"W"},"description":{"en_US":"d"},"icon":"i",
      "parameters":[]})";

  // The plugin as it runs.
  void Run() {
    running_ = StartWorker();
    HubUp();
    hub_.announcements.clear();
  }
  void HubRefuses() {
    pb::HubState refused;
    refused.set_state(pb::HubState::STATE_REJECTED);
    refused.set_reason("no icon");
    router_.OnTopicState(kTopic, refused);
  }
  bool HubWasTold(const char* tool) const {
    return !hub_.announcements.empty() &&
           hub_.announcements.back().definition_json->find(tool) != std::string::npos;
  }

  std::unique_ptr<Worker> running_;
};

TEST_F(CandidatesTest, CallsGoOnToTheRunningOneWhileTheHubIsAsked) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  EXPECT_TRUE(HubWasTold("report"));
  EXPECT_FALSE(changed->published.has_value());
  HubInvokes("r1");
  EXPECT_THAT(running_->calls->request_ids, ElementsAre("r1"));
  Replies(*running_, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
  EXPECT_TRUE(router_.Status().ready());
}

TEST_F(CandidatesTest, OneThatTheHubRefusesChangesNothing) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubRefuses();
  ASSERT_TRUE(changed->published.has_value());
  EXPECT_EQ(changed->published->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(changed->published->status().message(), HasSubstr("no icon"));
  EXPECT_TRUE(HubWasTold("forecast")) << "what it had taken before, once more";
  EXPECT_FALSE(running_->events->IsDraining());
  HubUp();
  HubInvokes("r1");
  EXPECT_THAT(running_->calls->request_ids, ElementsAre("r1"));
  EXPECT_THAT(changed->calls->request_ids, IsEmpty());
}

TEST_F(CandidatesTest, OneThatTheHubTakesServesFromThenOn) {
  Run();
  HubInvokes("r1");
  auto changed = StartWorker(16, {}, kOtherTool);
  auto second = StartWorker(16, {}, kOtherTool);
  EXPECT_THAT(hub_.announcements, SizeIs(2));
  HubUp();
  ASSERT_TRUE(changed->published.has_value());
  EXPECT_TRUE(changed->published->ok());
  EXPECT_TRUE(second->published.has_value());
  EXPECT_TRUE(running_->events->IsDraining());
  HubInvokes("r2", "report");
  HubInvokes("r3", "report");
  EXPECT_THAT(changed->calls->request_ids, SizeIs(1));
  EXPECT_THAT(second->calls->request_ids, SizeIs(1));
  Replies(*running_, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
  EXPECT_TRUE(running_->events->finished.has_value());
}

TEST_F(CandidatesTest, AFurtherChangeTakesThePlaceOfOneThatIsBeingAsked) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  auto further = StartWorker(16, {}, kThirdTool);
  ASSERT_TRUE(changed->published.has_value());
  EXPECT_EQ(changed->published->status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(HubWasTold("warn"));
  HubUp();
  ASSERT_TRUE(further->published.has_value());
  HubInvokes("r1", "warn");
  EXPECT_THAT(further->calls->request_ids, ElementsAre("r1"));
}

TEST_F(CandidatesTest, AnotherWorkerOfTheRunningOneDoesNotEndTheAsking) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  auto second = StartWorker();
  EXPECT_TRUE(second->published.has_value());
  EXPECT_TRUE(HubWasTold("report"));
  HubUp();
  EXPECT_TRUE(changed->published.has_value());
  EXPECT_TRUE(second->events->IsDraining());
}

TEST_F(CandidatesTest, OneWhoseSessionsEndIsTakenBack) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  router_.CloseSession(changed->session_id, "gone");
  EXPECT_TRUE(HubWasTold("forecast"));
  HubUp();
  EXPECT_FALSE(running_->events->IsDraining());
  HubInvokes("r1");
  EXPECT_THAT(running_->calls->request_ids, ElementsAre("r1"));
}

TEST_F(CandidatesTest, ThePluginStaysThoughItsRunningWorkersLeaveMeanwhile) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  router_.CloseSession(running_->session_id, "gone");
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
  HubUp();
  HubInvokes("r1", "report");
  EXPECT_THAT(changed->calls->request_ids, ElementsAre("r1"));
}

TEST_F(CandidatesTest, OneThatIsRefusedWhenNobodyElseIsLeftTakesThePluginWithIt) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  router_.CloseSession(running_->session_id, "gone");
  HubRefuses();
  EXPECT_TRUE(changed->published.has_value());
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.withdrawn, ElementsAre(kTopic));
}

TEST_F(CandidatesTest, ASessionIsPublishedOnce) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  EXPECT_EQ(router_.CheckUnpublished(changed->session_id).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(CandidatesTest, OneThatWasRefusedIsShownAlthoughTheRunningOneIsRegisteredAgain) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubRefuses();
  HubUp();
  EXPECT_EQ(router_.Status().refused_definitions_size(), 1);
  auto better = StartWorker(16, {}, kThirdTool);
  HubUp();
  EXPECT_EQ(router_.Status().refused_definitions_size(), 0);
}

TEST_F(CandidatesTest, ARefusedSessionPublishesNoMore) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubRefuses();
  EXPECT_EQ(router_.CheckUnpublished(changed->session_id).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(CandidatesTest, OneBehindWhichTheTopicIsLostIsTriedAgainByItsPluginAlone) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubDown();
  ASSERT_TRUE(changed->published.has_value());
  EXPECT_EQ(changed->published->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(HubWasTold("forecast"));
  EXPECT_EQ(router_.Status().refused_definitions_size(), 0);
  HubUp();
  HubInvokes("r1");
  EXPECT_THAT(running_->calls->request_ids, ElementsAre("r1"));
}

TEST_F(CandidatesTest, OneThatCrashesTheHubsChannelIsRefused) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubLoss loss;
  loss.cause = HubLoss::Cause::kRefused;
  loss.reason = "the channel crashed at the hub";
  router_.OnTopicLost(kTopic, loss);
  HubDown();
  ASSERT_TRUE(changed->published.has_value());
  EXPECT_EQ(changed->published->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(changed->published->status().message(), HasSubstr("crashed"));
  EXPECT_TRUE(HubWasTold("forecast"));
}

TEST_F(CandidatesTest, WhileTheRunningOneIsRegisteredAgainAChangeStillWaits) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  HubRefuses();
  pb::HubState asked;
  asked.set_state(pb::HubState::STATE_CONNECTING);
  router_.OnTopicState(kTopic, asked);
  EXPECT_TRUE(router_.Status().plugins(0).ready());
  auto further = StartWorker(16, {}, kThirdTool);
  EXPECT_FALSE(running_->events->IsDraining());
}

TEST_F(CandidatesTest, ABridgeThatShutsDownAnnouncesNothingMore) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  const std::size_t announced = hub_.announcements.size();
  router_.CloseSession(changed->session_id, "gone");
  EXPECT_THAT(hub_.announcements, SizeIs(announced));
}

TEST_F(CandidatesTest, AnswersToCallsOfAnEarlierBridgeCountWhileTheHubIsAsked) {
  Run();
  auto changed = StartWorker(16, {}, kOtherTool);
  Replies(*changed, "old", "7");
  EXPECT_EQ(ResultOf("old"), "7");
}

TEST_F(CandidatesTest, ACallThatTheRunningOneHasIsNotACandidatesToAnswer) {
  Run();
  HubInvokes("r1");
  auto changed = StartWorker(16, {}, kOtherTool);
  Replies(*changed, "r1", "7");
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  Replies(*running_, "r1", "1");
  EXPECT_EQ(ResultOf("r1"), "1");
}

TEST_F(CandidatesTest, OnesThatAreLeftAloneServeTogetherWithTheNext) {
  Run();
  auto first = StartWorker(16, {}, kOtherTool);
  router_.CloseSession(running_->session_id, "gone");
  auto second = StartWorker(16, {}, kOtherTool);
  HubUp();
  ASSERT_TRUE(first->published.has_value());
  EXPECT_TRUE(first->published->ok());
  ASSERT_TRUE(second->published.has_value());
  EXPECT_TRUE(second->published->ok());
}

TEST_F(CandidatesTest, WithoutTheHubAChangeTakesThePlaceAtOnce) {
  Run();
  HubDown();
  auto changed = StartWorker(16, {}, kOtherTool);
  EXPECT_TRUE(running_->events->IsDraining());
}

}  // namespace
}  // namespace atomemo::router
