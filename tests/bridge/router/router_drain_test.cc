// A bridge that shuts down finishes what it has, and loses nothing that the hub sends meanwhile.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(RouterTest, DrainingConfirmsWhatTheHubHas) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  router_.OnProven(hub_.position());
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  HubHandlesLeaves();
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
}

TEST_F(RouterTest, DrainingLetsCallsFinishAndProvesTheirDelivery) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  EXPECT_TRUE(worker->events->IsDraining());
  HubInvokes("r2");
  EXPECT_EQ(ErrorOf("r2").code(), "transient:shutting_down");
  EXPECT_EQ(router_.OpenSession(Spec(), worker->events).status().code(),
            absl::StatusCode::kUnavailable);
  Replies(*worker, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
  scheduler_.Advance(absl::Milliseconds(1));
  EXPECT_FALSE(undelivered.has_value());
  HubHandlesLeaves();
  EXPECT_EQ(undelivered, 0u);
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
}

// The hub may be far away, and never be without a call.
TEST_F(RouterTest, DrainingLeavesBehindTheLastAnswerWithoutWaitingForItsProof) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  EXPECT_THAT(hub_.left, ElementsAre(kTopic));
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
  HubHandlesLeaves();
  EXPECT_EQ(undelivered, 0u);
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, AnswersBeforeALeaveThatTheHubNeverHandledGoOutAgain) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  hub_.announcements.clear();
  HubHandlesLeaves(/*handled=*/false);
  EXPECT_FALSE(undelivered.has_value());
  ASSERT_THAT(hub_.announcements, SizeIs(1));
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  HubHandlesLeaves();
  EXPECT_EQ(undelivered, 0u);
}

TEST_F(RouterTest, WhatComesInTheLastWindowIsLeftToTheNextBridge) {
  auto worker = StartWorker();
  HubUp();
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  scheduler_.Advance(absl::Seconds(8));
  HubInvokes("late");
  hub_.announcements.clear();
  HubHandlesLeaves();
  EXPECT_THAT(hub_.announcements, IsEmpty());
  EXPECT_EQ(undelivered, 1u);
}

TEST_F(RouterTest, DrainingHandsOutWhatWaitsBeforeItTellsTheWorkersThatNothingComes) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  HubInvokes("r1");
  HubInvokes("r2");
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  Replies(*worker, "r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1", "r2"));
  EXPECT_EQ(worker->calls->drained, 0);
  Replies(*worker, "r2");
  EXPECT_EQ(ResultOf("r2"), "1");
  EXPECT_EQ(worker->calls->drained, 1);
}

TEST_F(RouterTest, DrainingTellsAnIdleWorkerAtOnce) {
  auto worker = StartWorker();
  HubUp();
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  EXPECT_EQ(worker->calls->drained, 1);
}

TEST_F(RouterTest, DrainingCutsOffCallsThatTakeTooLongAndSaysSo) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_EQ(ErrorOf("r1").code(), "transient:shutting_down");
  EXPECT_EQ(undelivered, 1u);
}

TEST_F(RouterTest, CallsThatAreCutOffMakeNoRoomForOthersToStart) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (int i = 0; i < 12; ++i) HubInvokes(absl::StrCat("r", i));
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r0"));
  EXPECT_THAT(worker->calls->cancelled, ElementsAre("r0"));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(ErrorOf(absl::StrCat("r", i)).code(), "transient:shutting_down") << i;
  }
}

TEST_F(RouterTest, ACallThatComesWhileTheTopicIsBeingLeftIsAnsweredAfterAnotherJoin) {
  auto worker = StartWorker();
  HubUp();
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  ASSERT_THAT(hub_.left, ElementsAre(kTopic));
  HubInvokes("late");  // pushed before the hub came to the leave
  EXPECT_THAT(hub_.pushed, IsEmpty());
  hub_.announcements.clear();
  HubHandlesLeaves();
  EXPECT_FALSE(undelivered.has_value());
  ASSERT_THAT(hub_.announcements, SizeIs(1));
  EXPECT_EQ(hub_.announcements[0].topic, kTopic);
  HubUp();
  EXPECT_EQ(ErrorOf("late").code(), "transient:shutting_down");
  EXPECT_THAT(hub_.left, ElementsAre(kTopic));
  HubHandlesLeaves();
  EXPECT_EQ(undelivered, 0u);
}

TEST_F(RouterTest, ATopicIsNotLeftTwiceForOneWindow) {
  auto worker = StartWorker();
  HubUp();
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  HubInvokes("late");
  HubInvokes("later");
  EXPECT_THAT(hub_.left, ElementsAre(kTopic));
}

TEST_F(RouterTest, CallsThatNeverStopComingDoNotHoldUpTheShutdownForEver) {
  auto worker = StartWorker();
  HubUp();
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  for (int i = 0; i < 100 && !undelivered; ++i) {
    HubInvokes(absl::StrCat("late", i));
    HubHandlesLeaves();
    HubUp();
    router_.OnProven(hub_.position());
    scheduler_.Advance(absl::Milliseconds(500));
  }
  EXPECT_TRUE(undelivered.has_value());
}

TEST_F(RouterTest, APluginThatIsNotRegisteredHoldsUpNothing) {
  auto worker = StartWorker();
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  HubHandlesLeaves();
  EXPECT_EQ(undelivered, 0u);
}

}  // namespace
}  // namespace atomemo::router
