// What the router counts.

#include <gtest/gtest.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

TEST_F(RouterTest, EachCallCountsOnceAsAnsweredOrAsFailed) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"good", "bad", "late"}) HubInvokes(id);
  HubInvokes("unknown", "no-such-tool");
  router_.OnBadHubCall(kTopic, "dance", "unsupported", absl::UnimplementedError("no event dance"));
  HubInvokes("good");
  Replies(*worker, "good");
  pb::CallFailure failure;
  failure.set_request_id("bad");
  router_.Reply(worker->session_id, fakes::ReplyOf(failure, CallKind::kInvoke));
  HubInvokes("good");
  scheduler_.Advance(absl::Minutes(30));
  Replies(*worker, "late");
  EXPECT_EQ(router_.counters().calls, 5u);
  EXPECT_EQ(router_.counters().answered, 1u);
  EXPECT_EQ(router_.counters().failed, 4u);
  EXPECT_EQ(router_.counters().repeated_calls, 2u);
  EXPECT_EQ(router_.counters().late_answers, 1u);
  EXPECT_EQ(router_.counters().forwarded_answers, 0u);
}

TEST_F(RouterTest, AnAnswerCountsAsDeliveredOnceItIsProven) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"r1", "r2"}) {
    HubInvokes(id);
    Replies(*worker, id);
  }
  EXPECT_EQ(router_.counters().delivered, 0u);
  router_.OnProven(hub_.position());
  EXPECT_EQ(router_.counters().delivered, 2u);
}

TEST_F(RouterTest, OnlyWhatWasSentBeforeCountsAsSentAgain) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"r1", "r2", "r3"}) HubInvokes(id);
  for (const char* id : {"r1", "r2"}) Replies(*worker, id);
  EXPECT_EQ(router_.counters().resent, 0u);
  HubDown();
  Replies(*worker, "r3");
  HubUp();
  EXPECT_EQ(router_.counters().resent, 2u);
}

}  // namespace
}  // namespace atomemo::router
