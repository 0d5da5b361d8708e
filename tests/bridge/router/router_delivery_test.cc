// Nothing finished is lost, and nothing is delivered for a second run.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(RouterTest, AnAnswerMadeWhileTheHubIsAwayGoesOutAfterTheRejoin) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  HubDown();
  Replies(*worker, "r1");
  EXPECT_THAT(hub_.pushed, IsEmpty());
  HubUp();
  EXPECT_EQ(ResultOf("r1"), "1");
}

TEST_F(RouterTest, AnAnswerThatIsNotProvenIsSentAgainAfterAReconnect) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  HubDown();
  hub_.socket = 2;
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
}

TEST_F(RouterTest, AnAnswerThatWentOutBeforeTheHubAskedAgainGoesOutOnceMore) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  HubDown();
  hub_.socket = 2;
  HubUp();
  HubInvokes("r1");  // a hub that has restarted, and did not know the call when the answer came
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(3));
}

TEST_F(RouterTest, AProvenAnswerIsNotSentAgainAndItsWorkerIsTold) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  EXPECT_THAT(worker->events->DeliveredIds(), IsEmpty());
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
  HubDown();
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, AnAnswerWhoseChannelIsLostRightAfterTheProofIsSentAgain) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  router_.OnProven(hub_.position());
  // The hub's socket has the answer, but its channel may have crashed before it came to it.
  scheduler_.Advance(absl::Milliseconds(500));
  HubDown();
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  EXPECT_THAT(worker->events->DeliveredIds(), IsEmpty());
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
  EXPECT_EQ(router_.counters().delivered, 1u);
  HubDown();
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
}

TEST_F(RouterTest, AnswersThatAreSentAgainKeepTheirOrder) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"r1", "r2", "r3"}) HubInvokes(id);
  Replies(*worker, "r1");
  router_.OnProven(hub_.position());
  Replies(*worker, "r2");
  HubDown();
  Replies(*worker, "r3");
  hub_.pushed.clear();
  HubUp();
  ASSERT_THAT(hub_.pushed, SizeIs(3));
  EXPECT_EQ(hub_.pushed[0].answer.request_id, "r1");
  EXPECT_EQ(hub_.pushed[1].answer.request_id, "r2");
  EXPECT_EQ(hub_.pushed[2].answer.request_id, "r3");
}

TEST_F(RouterTest, AnAnswerThatCameTooLateIsConfirmedAtOnceSoThatNobodyOffersItAgain) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Hours(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  Replies(*worker, "r1");
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
}

// Until then the plugin keeps it: the bridge may be killed.
TEST_F(RouterTest, AnAnswerThatIsGivenTwiceIsConfirmedOnceItIsSettled) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  Replies(*worker, "r1");
  EXPECT_THAT(worker->events->DeliveredIds(), IsEmpty());
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1"));
}

TEST_F(RouterTest,
       AnAnswerOfferedBeforeTheEndOfTheEarlierSessionIsNoticedIsConfirmedOnceItIsSettled) {
  SessionSpec spec = Spec();
  spec.instance_id = "the worker";
  auto first = Open(spec);
  Register(*first, PartKind::kTool, kTool);
  ASSERT_TRUE(router_.Subscribe(first->session_id, CallKind::kInvoke, 16, first->calls).ok());
  Publish(*first);
  HubUp();
  HubInvokes("r1");
  Replies(*first, "r1");
  auto second = Open(spec);
  Register(*second, PartKind::kTool, kTool);
  Publish(*second);
  Replies(*second, "r1");
  EXPECT_THAT(second->events->DeliveredIds(), IsEmpty());
  router_.CloseSession(first->session_id, "lost");
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_THAT(second->events->DeliveredIds(), ElementsAre("r1"));
}

TEST_F(RouterTest, AReofferedAnswerIsConfirmedToTheNewSessionOnceItIsSettled) {
  auto first = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*first, "r1");
  router_.CloseSession(first->session_id, "gone");
  auto second = StartWorker();
  Replies(*second, "r1");
  EXPECT_THAT(second->events->DeliveredIds(), IsEmpty());
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_THAT(second->events->DeliveredIds(), ElementsAre("r1"));
}

class SettlingTest : public RouterTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.limits.outbox.max_topic_answers = 1;
    options.limits.outbox.max_settling_answers = 1;
    return options;
  }
  SettlingTest() : RouterTest(Options()) {}
};

TEST_F(SettlingTest, ProvenAnswersTakeNoRoomAndOnlyTheLastOnesAreKept) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"r1", "r2", "r3"}) {
    HubInvokes(id);
    Replies(*worker, id);
    EXPECT_EQ(ResultOf(id), "1");
    router_.OnProven(hub_.position());
  }
  scheduler_.Advance(absl::Milliseconds(500));
  EXPECT_THAT(worker->events->DeliveredIds(), ElementsAre("r1", "r2"));
  HubDown();
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r2"), SizeIs(1));
  EXPECT_THAT(hub_.AnswersTo("r3"), SizeIs(2));
}

TEST_F(RouterTest, AProofOfAnotherSocketProvesNothing) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  router_.OnProven({hub_.socket + 1, 100});
  HubDown();
  HubUp();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
}

TEST_F(RouterTest, ACallThatIsRepeatedWhileItsAnswerWaitsGetsItOnce) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  hub_.writable = false;
  Replies(*worker, "r1");
  HubInvokes("r1");
  hub_.writable = true;
  router_.OnWritable();
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, AHubThatAsksWithoutEndGetsTwoCopiesForEachProof) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  for (int i = 0; i < 100; ++i) HubInvokes("r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  router_.OnProven(hub_.position());
  for (int i = 0; i < 100; ++i) HubInvokes("r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(4));
  EXPECT_EQ(router_.counters().delivered, 1u);
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
}

TEST_F(RouterTest, AProofIsAskedForSoonAfterAnAnswer) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  scheduler_.Advance(absl::Milliseconds(100));
  EXPECT_THAT(hub_.proof_requests, Not(IsEmpty()));
  router_.OnProven(hub_.position());
  hub_.proof_requests.clear();
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(hub_.proof_requests, IsEmpty());
}

TEST_F(RouterTest, AnswersWaitForAFullSendBufferToEmpty) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  hub_.writable = false;
  Replies(*worker, "r1");
  EXPECT_THAT(hub_.pushed, IsEmpty());
  hub_.writable = true;
  router_.OnWritable();
  EXPECT_EQ(ResultOf("r1"), "1");
}

// Two plugins' answers that wait for the send buffer.
class TwoTopicsTest : public RouterTest {
 protected:
  static constexpr char kOtherTopic[] = "debug_plugin:greeter";

  TwoTopicsTest() {
    SessionSpec spec = Spec();
    spec.name = "greeter";
    greeter_ = Open(std::move(spec));
    Register(*greeter_, PartKind::kTool, kTool);
    EXPECT_TRUE(
        router_.Subscribe(greeter_->session_id, CallKind::kInvoke, 16, greeter_->calls).ok());
    Publish(*greeter_);
    SetTopic(pb::HubState::STATE_REGISTERED, kOtherTopic);
    HubUp();
    HubInvokes("weather's");
    pb::Invocation call;
    call.mutable_info()->set_request_id("greeter's");
    call.set_tool_name("forecast");
    call.mutable_parameters()->set_json("{}");
    router_.OnHubCall(kOtherTopic, fakes::CallOf("invoke_tool", std::move(call)));
    hub_.writable = false;
    Replies(*weather_, "weather's");
    Replies(*greeter_, "greeter's");
    hub_.writable = true;
  }

  std::unique_ptr<Worker> weather_ = StartWorker();
  std::unique_ptr<Worker> greeter_;
};

TEST_F(TwoTopicsTest, BothGoOutWhenThereIsRoom) {
  router_.OnWritable();
  EXPECT_EQ(ResultOf("weather's"), "1");
  EXPECT_EQ(ResultOf("greeter's"), "1");
}

TEST_F(TwoTopicsTest, OneThatCannotBePushedHoldsUpNoOther) {
  hub_.joined.erase(kTopic);
  router_.OnWritable();
  EXPECT_EQ(ResultOf("weather's"), "none");
  EXPECT_EQ(ResultOf("greeter's"), "1");
}

TEST_F(TwoTopicsTest, NorTheOtherWayRound) {
  hub_.joined.erase(kOtherTopic);
  router_.OnWritable();
  EXPECT_EQ(ResultOf("weather's"), "1");
  EXPECT_EQ(ResultOf("greeter's"), "none");
}

TEST_F(RouterTest, AnAnswerToACallThatARestartedBridgeNeverSawIsForwardedOnce) {
  auto worker = StartWorker();
  HubUp();
  Replies(*worker, "before-the-restart", "9");
  Replies(*worker, "before-the-restart", "9");
  EXPECT_EQ(ResultOf("before-the-restart"), "9");
  EXPECT_EQ(router_.counters().forwarded_answers, 1u);
}

TEST_F(RouterTest, AnAnswerOfferedBeforePublishIsForwardedAfterIt) {
  auto worker = Open(Spec());
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 1, worker->calls).ok());
  Replies(*worker, "early", "3");
  Publish(*worker);
  HubUp();
  EXPECT_EQ(ResultOf("early"), "3");
}

TEST_F(RouterTest, AReofferedAnswerThatTheHubHasIsConfirmedToTheNewSession) {
  auto first = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*first, "r1");
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(3));
  router_.CloseSession(first->session_id, "gone");
  auto second = StartWorker();
  Replies(*second, "r1");
  EXPECT_THAT(second->events->DeliveredIds(), ElementsAre("r1"));
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, AReofferedFailureNeedsNoEventOnAStreamThatCarriesOne) {
  auto worker = StartWorker();
  HubUp();
  pb::CallFailure failure;
  failure.set_request_id("r1");
  failure.mutable_error()->set_code("app:failed");
  router_.Reply(worker->session_id, fakes::ReplyOf(failure, CallKind::kInvoke));
  EXPECT_EQ(AnswerTo("r1").event, "invoke_tool");
  EXPECT_EQ(ErrorOf("r1").code(), "app:failed");
}

TEST_F(RouterTest, AReofferedOAuth2AnswerNeedsItsEvent) {
  auto worker = StartWorker();
  auto oauth = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kAuthorizeOAuth2, 1, oauth).ok());
  HubUp();
  pb::OAuth2Result result;
  result.set_request_id("r1");
  result.mutable_tokens()->set_access_token("t");
  router_.Reply(worker->session_id, fakes::ReplyOf(result));
  EXPECT_THAT(oauth->rejected, SizeIs(1));
  result.set_event("oauth2_refresh_token");
  router_.Reply(worker->session_id, fakes::ReplyOf(result));
  EXPECT_EQ(AnswerTo("r1").event, "oauth2_refresh_token");
}

TEST_F(RouterTest, ThePluginIsWithdrawnOnceItsAnswersAreDelivered) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  router_.CloseSession(worker->session_id, "done");
  scheduler_.Advance(absl::Seconds(30));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(30));
  EXPECT_THAT(hub_.withdrawn, ElementsAre(kTopic));
}

class ForgetfulRouterTest : public RouterTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.limits.answered_ids.max_answer_bytes = 0;
    return options;
  }
  ForgetfulRouterTest() : RouterTest(Options()) {}
};

TEST_F(ForgetfulRouterTest, ARepeatedCallWhoseAnswerIsNotKeptFailsAsTheSameEventWithoutASecondRun) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Seconds(2));  // settled
  HubInvokes("r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  ASSERT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  const HubAnswer again = hub_.AnswersTo("r1")[1];
  EXPECT_EQ(again.event, "invoke_tool");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(std::get<pb::PluginError>(again.outcome).code(), "sdk:invalid_request_id");
}

}  // namespace
}  // namespace atomemo::router
