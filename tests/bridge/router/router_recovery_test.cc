// A bridge that is started after another was killed: its calls end, and none runs twice.

#include <gmock/gmock.h>

#include "bridge/router/errors.h"
#include "tests/bridge/router/router_fixture.h"
#include "tests/fakes/captured_log.h"
#include "tests/fakes/fake_call_journal.h"

namespace atomemo::router {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kInstance[] = "the worker that got the calls";

class RouterRecoveryTest : public RouterTest {
 protected:
  RouterRecoveryTest() : RouterTest({}, &journal_) {}

  void Left(const std::string& request_id, bool started,
            absl::Duration time_left = absl::Minutes(2), const std::string& event = "invoke_tool") {
    router_.Recover({{kTopic, request_id, event, time_left, started, kInstance, std::nullopt}});
  }

  // A worker that an earlier bridge had as `instance_id`, and what it has from then.
  std::unique_ptr<Worker> Returns(const std::string& instance_id,
                                  std::vector<std::string> open_request_ids) {
    SessionSpec spec = Spec();
    spec.instance_id = instance_id;
    spec.open_request_ids = std::move(open_request_ids);
    auto worker = Open(std::move(spec));
    Register(*worker, PartKind::kTool, kTool);
    EXPECT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 16, worker->calls).ok());
    Publish(*worker);
    return worker;
  }

  fakes::FakeCallJournal journal_;
};

TEST_F(RouterRecoveryTest, ACallIsNotedUntilTheHubProvablyHasItsAnswer) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  HubInvokes("r1");
  HubInvokes("r2");
  EXPECT_THAT(journal_.notes, ElementsAre("accepted r1", "started r1", "accepted r2"));
  Replies(*worker, "r1");
  EXPECT_THAT(journal_.notes, Not(Contains("ended r1")));
  router_.OnProven(hub_.position());
  EXPECT_THAT(journal_.notes, Contains("ended r1"));
}

// What a plugin wrote may hold a secret.
TEST_F(RouterRecoveryTest, AnExcerptOfABadAnswerReachesHubAndPluginButNeitherLogNorJournal) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  fakes::CapturedLog log;
  Replies(*worker, "r1", R"({"average": NaN})");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_return");
  EXPECT_THAT(
      ErrorOf("r1").message(),
      AllOf(HasSubstr("line 1, column 13: NaN is no JSON: use null"), HasSubstr("average")));
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(worker->calls->rejected[0].second.at(0).message(), HasSubstr("average"));
  for (const std::string& kept : {log.Take(), journal_.error_messages.at(0)}) {
    EXPECT_THAT(kept, AllOf(HasSubstr("column 13: NaN is no JSON"), Not(HasSubstr("average"))));
  }
}

TEST_F(RouterRecoveryTest, ACallThatWorkerMayHaveRunDoesNotRunAgainWhenItIsRepeated) {
  Left("r1", /*started=*/true);
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  EXPECT_THAT(worker->calls->request_ids, IsEmpty());
  Replies(*worker, "r1", "7");
  EXPECT_EQ(ResultOf("r1"), "7");
  EXPECT_EQ(router_.Status().recovered_calls(), 0);
}

TEST_F(RouterRecoveryTest, ACallThatNoWorkerHadRunsWhenItIsRepeated) {
  Left("r1", /*started=*/false);
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  Replies(*worker, "r1", "7");
  scheduler_.Advance(absl::Minutes(3));
  EXPECT_EQ(ResultOf("r1"), "7");
}

TEST_F(RouterRecoveryTest, ACallThatNoWorkerHadFailsAfterTheGraceSoThatItMayBeTriedAgain) {
  Left("r1", /*started=*/false);
  auto worker = StartWorker();
  HubUp();
  EXPECT_THAT(hub_.pushed, IsEmpty());
  scheduler_.Advance(absl::Seconds(5));
  EXPECT_EQ(ErrorOf("r1").code(), "transient:restarted");
  EXPECT_EQ(AnswerTo("r1").event, "invoke_tool");
  router_.OnProven(hub_.position());
  EXPECT_THAT(journal_.notes, ElementsAre("failed r1 transient:restarted", "ended r1"));
}

TEST_F(RouterRecoveryTest, ACallWhoseWorkerOffersNoAnswerFailsAtItsDeadline) {
  Left("r1", /*started=*/true, absl::Seconds(40));
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Seconds(39));
  EXPECT_THAT(hub_.pushed, IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  EXPECT_THAT(ErrorOf("r1").message(), HasSubstr("the bridge was restarted"));
  Replies(*worker, "r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterRecoveryTest, AnAnswerThatWasDueWhileTheBridgeWasAwayFailsAfterTheGrace) {
  Left("r1", /*started=*/true, absl::Seconds(-3));
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Milliseconds(4999));
  EXPECT_THAT(hub_.pushed, IsEmpty());
  scheduler_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
}

// The hub was away for longer than the call may take, and then the bridge was restarted.
TEST_F(RouterRecoveryTest, AnAnswerThatWasDueIsTakenFromTheWorkerThatHasHadItForLong) {
  Left("r1", /*started=*/true, absl::Seconds(-3));
  scheduler_.Advance(absl::Seconds(1));
  auto worker = Returns(kInstance, {"r1"});
  HubUp();
  Replies(*worker, "r1", "7");
  EXPECT_EQ(ResultOf("r1"), "7");
}

TEST_F(RouterRecoveryTest, ACallWhosePluginComesBackLateFailsThen) {
  Left("r1", /*started=*/true, absl::Seconds(10));
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(journal_.notes, IsEmpty());
  auto worker = StartWorker();
  HubUp();
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
}

TEST_F(RouterRecoveryTest, ACallThatTheEarlierBridgeFailedKeepsThatAnswer) {
  router_.Recover({{kTopic, "r1", "invoke_tool", absl::Minutes(2), /*started=*/true, kInstance,
                    BridgeError("sdk:timeout", "Timeout", "decided before")}});
  auto worker = StartWorker();
  Replies(*worker, "r1", "\"too late\"");
  HubUp();
  EXPECT_EQ(ErrorOf("r1").message(), "decided before");
  EXPECT_EQ(router_.counters().late_answers, 1u);
}

// What the earlier bridge had failed is told in turns; an answer may come between them.
TEST_F(RouterRecoveryTest, ACallKeepsTheEarlierBridgesAnswerThoughItsWorkerIsQuicker) {
  std::vector<JournaledCall> left;
  for (int i = 0; i < 300; ++i) {
    left.push_back({kTopic, absl::StrCat("r", i), "invoke_tool", absl::Minutes(2), /*started=*/true,
                    kInstance, BridgeError("sdk:timeout", "Timeout", "decided before")});
  }
  router_.Recover(std::move(left));
  auto worker = StartWorker();
  HubUp();
  for (int i = 0; i < 300; ++i) Replies(*worker, absl::StrCat("r", i), "\"too late\"");
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(hub_.pushed.size(), 300u);
  for (const auto& pushed : hub_.pushed) EXPECT_FALSE(pushed.answer.ok());
}

TEST_F(RouterRecoveryTest, ACallThatNeverReachedItsWorkerFailsAsSoonAsTheWorkerIsBack) {
  Left("lost", /*started=*/true);
  Left("runs", /*started=*/true);
  auto worker = Returns(kInstance, {"runs"});
  HubUp();
  EXPECT_EQ(ErrorOf("lost").code(), "transient:restarted");
  EXPECT_THAT(hub_.AnswersTo("runs"), IsEmpty());
  Replies(*worker, "runs", "7");
  EXPECT_EQ(ResultOf("runs"), "7");
}

TEST_F(RouterRecoveryTest, WhatOneWorkerDoesNotKnowAnotherMayHave) {
  Left("r1", /*started=*/true);
  auto other = Returns("another worker", {});
  auto silent = Returns("", {});
  HubUp();
  EXPECT_THAT(hub_.pushed, IsEmpty());
}

TEST_F(RouterRecoveryTest, ACallWhoseWorkerCameBackAndIsLostThenFailsAtOnce) {
  Left("its", /*started=*/true);
  Left("answered", /*started=*/true);
  auto worker = Returns(kInstance, {"its", "answered"});
  auto other = Returns("another worker", {"its"});
  HubUp();
  Replies(*worker, "answered", "7");
  router_.CloseSession(other->session_id, "the plugin was killed");
  EXPECT_THAT(hub_.AnswersTo("its"), IsEmpty());
  router_.CloseSession(worker->session_id, "the plugin was killed");
  EXPECT_EQ(ErrorOf("its").code(), "sdk:crash");
  EXPECT_THAT(ErrorOf("its").message(), HasSubstr("the plugin was killed"));
  EXPECT_EQ(ResultOf("answered"), "7");
}

TEST_F(RouterRecoveryTest, ThousandsAreAnsweredInTurnsOfTheIoThread) {
  for (int i = 0; i < 1000; ++i) Left(absl::StrCat("r", i), /*started=*/true);
  auto worker = Returns(kInstance, {"r7"});
  HubUp();
  EXPECT_LT(hub_.pushed.size(), 300u);
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(hub_.pushed.size(), 999u);
  EXPECT_EQ(router_.Status().recovered_calls(), 1);
}

TEST_F(RouterRecoveryTest, ACallGoesOnWithTheWorkersNextSession) {
  Left("r1", /*started=*/true);
  auto first = Returns(kInstance, {"r1"});
  auto second = Returns(kInstance, {"r1"});
  HubUp();
  router_.CloseSession(first->session_id, "the plugin opened another one");
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  Replies(*second, "r1", "7");
  EXPECT_EQ(ResultOf("r1"), "7");
}

TEST_F(RouterRecoveryTest, AnInstanceIdMayNotBeEndless) {
  SessionSpec spec = Spec();
  spec.instance_id = std::string(129, 'x');
  EXPECT_EQ(router_.OpenSession(spec, std::make_shared<fakes::FakeSessionSink>()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RouterRecoveryTest, AnErrorOfTheBridgeIsNotedBeforeItGoesOut) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Minutes(30));
  EXPECT_THAT(journal_.notes, ElementsAre("accepted r1", "started r1", "failed r1 sdk:timeout"));
}

TEST_F(RouterRecoveryTest, AnAnswerOfThePluginIsNotNotedBecauseThePluginKeepsIt) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  EXPECT_THAT(journal_.notes, ElementsAre("accepted r1", "started r1"));
}

TEST_F(RouterRecoveryTest, ACallWhosePluginDoesNotComeBackIsDroppedInTheEnd) {
  Left("r1", /*started=*/false);
  scheduler_.Advance(absl::Minutes(11));
  EXPECT_THAT(journal_.notes, ElementsAre("ended r1"));
  EXPECT_EQ(router_.Status().recovered_calls(), 0);
}

TEST_F(RouterRecoveryTest, ACallIsNotedWithItsDeadlineAndItsWorker) {
  auto worker = Returns(kInstance, {});
  HubUp();
  HubInvokes("r1");
  EXPECT_THAT(journal_.times_left, ElementsAre(absl::Minutes(30)));
  EXPECT_THAT(journal_.instance_ids, ElementsAre(kInstance));
}

TEST_F(RouterRecoveryTest, ACallThatNoWorkerHadFailsAtItsDeadlineIfThatComesBeforeTheGraceEnds) {
  Left("r1", /*started=*/false, absl::Seconds(2));
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Milliseconds(1999));
  EXPECT_THAT(hub_.pushed, IsEmpty());
  scheduler_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "transient:restarted");
}

TEST_F(RouterRecoveryTest, ADecidedAnswerWaitsForItsPluginAsLongAsIdsAreRemembered) {
  Left("r1", /*started=*/true, absl::Seconds(10));
  scheduler_.Advance(absl::Seconds(10) + absl::Minutes(10) - absl::Milliseconds(1));
  EXPECT_THAT(journal_.notes, IsEmpty());
  scheduler_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(journal_.notes, ElementsAre("ended r1"));
}

TEST_F(RouterRecoveryTest, ADecidedAnswerWaitsForItsPluginUntilTheCallsDeadlineIfThatIsLater) {
  Left("r1", /*started=*/false, absl::Minutes(20));
  scheduler_.Advance(absl::Minutes(20) - absl::Milliseconds(1));
  EXPECT_THAT(journal_.notes, IsEmpty());
  auto worker = StartWorker();
  HubUp();
  EXPECT_EQ(ErrorOf("r1").code(), "transient:restarted");
  scheduler_.Advance(absl::Minutes(20));
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterRecoveryTest, ACallIsAnsweredOnceThoughItsDeadlineComesAfterwards) {
  Left("r1", /*started=*/true, absl::Seconds(40));
  auto worker = StartWorker();
  HubUp();
  Replies(*worker, "r1", "7");
  scheduler_.Advance(absl::Minutes(10));
  EXPECT_EQ(ResultOf("r1"), "7");
}

TEST_F(RouterRecoveryTest, TheCallsOfAnotherTopicAreNotAnsweredByThisPlugin) {
  router_.Recover({{"debug_plugin:other", "r1", "invoke_tool", absl::Minutes(2), /*started=*/true,
                    kInstance, BridgeError("sdk:timeout", "Timeout", "decided before")}});
  auto worker = Returns(kInstance, {});
  HubUp();
  EXPECT_THAT(hub_.pushed, IsEmpty());
  EXPECT_EQ(router_.Status().recovered_calls(), 1);
}

TEST_F(RouterRecoveryTest, ABadAnswerToSuchACallFailsItAndIsToldToThePlugin) {
  Left("r1", /*started=*/true, absl::Minutes(2), "credential_auth_spec");
  auto worker = StartWorker();
  auto calls = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kAuthenticate, 1, calls).ok());
  HubUp();
  pb::AuthenticateResult result;
  result.set_request_id("r1");
  result.mutable_data()->set_json("{\"adapter\":\"no-such-adapter\"}");
  router_.Reply(worker->session_id, fakes::ReplyOf(result));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_return");
  EXPECT_EQ(AnswerTo("r1").event, "credential_auth_spec");
  EXPECT_THAT(calls->rejected, SizeIs(1));
}

TEST_F(RouterRecoveryTest, AnAnswerOfAnotherKindIsRefusedAndTheCallGoesOnWaiting) {
  Left("r1", /*started=*/true, absl::Minutes(2), "credential_auth_spec");
  auto worker = StartWorker();
  HubUp();
  Replies(*worker, "r1");
  EXPECT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(hub_.pushed, IsEmpty());
}

TEST_F(RouterRecoveryTest, AnOAuth2AnswerThatNamesNoStepIsNoneToAnotherCall) {
  Left("r1", /*started=*/true, absl::Minutes(2), "locator_list");
  auto worker = StartWorker();
  HubUp();
  pb::OAuth2Result result;
  result.set_request_id("r1");
  result.mutable_tokens()->set_access_token("t");
  auto calls = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kAuthorizeOAuth2, 1, calls).ok());
  router_.Reply(worker->session_id, fakes::ReplyOf(result));
  EXPECT_THAT(calls->rejected, SizeIs(1));
  EXPECT_THAT(hub_.pushed, IsEmpty());
}

TEST_F(RouterRecoveryTest, TheJournalKnowsTheOAuth2StepThatAnAnswerDoesNotName) {
  Left("r1", /*started=*/true, absl::Minutes(2), "oauth2_get_token");
  auto worker = StartWorker();
  auto calls = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kAuthorizeOAuth2, 1, calls).ok());
  HubUp();
  pb::CallFailure failure;
  failure.set_request_id("r1");
  failure.mutable_error()->set_code("app:denied");
  router_.Reply(worker->session_id, fakes::ReplyOf(failure, CallKind::kAuthorizeOAuth2));
  EXPECT_EQ(AnswerTo("r1").event, "oauth2_get_token");
  EXPECT_EQ(ErrorOf("r1").code(), "app:denied");
}

}  // namespace
}  // namespace atomemo::router
