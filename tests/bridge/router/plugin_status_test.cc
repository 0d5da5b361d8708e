// Readiness tests the data path: what calls and answers have to pass.
#include "bridge/router/plugin_status.h"

#include <gmock/gmock.h>

#include "google/protobuf/util/time_util.h"
#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PluginStatusTest : public RouterTest {
 protected:
  admin::v1::PluginStatus Status() const {
    const admin::v1::GetStatusResponse status = router_.Status();
    return status.plugins_size() == 1 ? status.plugins(0) : admin::v1::PluginStatus();
  }

  void ExpectNotReady(const std::string& reason) const {
    EXPECT_FALSE(Status().ready());
    EXPECT_THAT(Status().reason(), HasSubstr(reason));
    EXPECT_FALSE(router_.Status().ready());
    EXPECT_THAT(router_.Status().reason(), HasSubstr("weather: "));
  }

  // A call that its worker never answers.
  void TimeOut(const std::string& request_id) {
    HubInvokes(request_id);
    scheduler_.Advance(absl::Minutes(30));
    router_.OnProven(hub_.position());
  }
};

TEST_F(PluginStatusTest, ABridgeWithoutPluginsIsReadyForThem) {
  EXPECT_TRUE(router_.Status().ready());
}

TEST_F(PluginStatusTest, WithoutAConnectionToTheHubTheBridgeIsNotReady) {
  hub_.why_not_connected = "the hub refused the key";
  EXPECT_FALSE(router_.Status().ready());
  EXPECT_EQ(router_.Status().reason(), "no connection to the hub: the hub refused the key");
  EXPECT_FALSE(router_.Status().hub().connected());
}

TEST_F(PluginStatusTest, WhatTheHubsAbsenceDoesToPluginsIsNotSaidForEachOfThem) {
  auto worker = StartWorker();
  hub_.why_not_connected = "no such host";
  EXPECT_EQ(router_.Status().reason(), "no connection to the hub: no such host");
  EXPECT_THAT(Status().reason(), HasSubstr("not registered with the hub"));
}

TEST_F(PluginStatusTest, ARegisteredPluginWithAWorkerIsReady) {
  auto worker = StartWorker();
  HubUp();
  EXPECT_TRUE(Status().ready());
  EXPECT_THAT(Status().reason(), IsEmpty());
  EXPECT_EQ(Status().topic(), kTopic);
  EXPECT_EQ(Status().workers(), 1);
  EXPECT_TRUE(router_.Status().ready());
}

TEST_F(PluginStatusTest, APluginThatTheHubHasNotJoinedIsNotReady) {
  auto worker = StartWorker();
  ExpectNotReady("not registered with the hub");
  SetTopic(pb::HubState::STATE_UNAUTHORIZED, kTopic, "run `atomemo plugin refresh-key`");
  ExpectNotReady("the hub refused the key: run `atomemo plugin refresh-key`");
}

TEST_F(PluginStatusTest, APluginWhoseLastWorkerIsGoneOrDrainsIsNotReady) {
  auto worker = StartWorker();
  HubUp();
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  ExpectNotReady("no worker is connected");
  router_.CloseSession(worker->session_id, "gone");
  ExpectNotReady("no worker is connected");
}

TEST_F(PluginStatusTest, APluginThatServesNoneOfItsToolsIsNotReady) {
  auto worker = StartWorker();
  HubUp();
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  ExpectNotReady("no worker has opened an Invoke stream");
}

TEST_F(PluginStatusTest, APluginWhoseCallsAllTimeOutIsNotReadyUntilOneIsAnswered) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"a", "b"}) TimeOut(id);
  EXPECT_TRUE(Status().ready());
  TimeOut("c");
  ExpectNotReady("its last 3 calls ran into their deadline");
  HubInvokes("d");
  Replies(*worker, "d");
  EXPECT_TRUE(Status().ready());
}

TEST_F(PluginStatusTest, AFreshWorkerGetsAFreshStart) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"a", "b", "c"}) TimeOut(id);
  auto second = StartWorker();
  EXPECT_TRUE(Status().ready());
}

TEST_F(PluginStatusTest, ACallThatShouldHaveTimedOutTellsThatTheEventLoopStoodStill) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("a");
  scheduler_.AdvanceWithoutRunning(absl::Minutes(31));
  ExpectNotReady("a call is past its deadline");
}

TEST_F(PluginStatusTest, AHubThatConfirmsNothingIsToldLongBeforeTheConnectionCountsAsDead) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("a");
  Replies(*worker, "a");
  scheduler_.Advance(absl::Seconds(11));
  ExpectNotReady("the hub has not confirmed an answer for 11 s");
  EXPECT_EQ(Status().undelivered_answers(), 1);
  router_.OnProven(hub_.position());
  EXPECT_TRUE(Status().ready());
}

TEST_F(PluginStatusTest, CallsAreCountedWhereTheyAre) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  HubInvokes("a");
  scheduler_.Advance(absl::Seconds(2));
  HubInvokes("b");
  EXPECT_EQ(Status().running_calls(), 1);
  EXPECT_EQ(Status().queued_calls(), 1);
  EXPECT_EQ(google::protobuf::util::TimeUtil::DurationToSeconds(Status().oldest_call_age()), 2);
  EXPECT_EQ(router_.Status().active_calls(), 2);
}

TEST_F(PluginStatusTest, ADrainingBridgeIsNotReady) {
  auto worker = StartWorker();
  HubUp();
  router_.Drain(absl::Seconds(1), [](std::size_t) {});
  EXPECT_FALSE(router_.Status().ready());
  EXPECT_TRUE(router_.Status().draining());
}

}  // namespace
}  // namespace atomemo::router
