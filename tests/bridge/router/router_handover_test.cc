// Calls between workers: cancelled where they run in vain, run again in order, and waiting for a
// worker for as long as they should.

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOtherTool[] =
    R"({"name":"forecast","display_name":{"en_US":"Changed"},"description":{"en_US":"d"},"icon":"i","parameters":[]})";

pb::ToolPolicy RetrySafe() {
  pb::ToolPolicy policy;
  policy.set_retry_safe(true);
  return policy;
}

pb::ToolPolicy TimeoutOf(std::int64_t seconds) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(seconds);
  return policy;
}

// ---- A call that another worker answers

// The worker is lost, and comes back with an answer that it offers before it publishes.
TEST_F(RouterTest, ACallThatStartsBecauseAnAnswerWasBroughtAlongIsNotFailedForWantOfAWorker) {
  auto first = StartWorker(/*max_in_flight=*/1, RetrySafe());
  HubUp();
  HubInvokes("r1");
  HubInvokes("r2");
  router_.CloseSession(first->session_id, "lost");
  auto second = Open(Spec());
  Register(*second, PartKind::kTool, kTool);
  Register(*second, PartKind::kCredential, kCredential);
  second->policies["forecast"] = RetrySafe();
  ASSERT_TRUE(router_.Subscribe(second->session_id, CallKind::kInvoke, 1, second->calls).ok());
  Replies(*second, "r1");
  Publish(*second);
  EXPECT_EQ(ResultOf("r1"), "1");
  EXPECT_THAT(second->calls->request_ids, ElementsAre("r2"));
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.AnswersTo("r2"), IsEmpty());
  Replies(*second, "r2", "2");
  EXPECT_EQ(ResultOf("r2"), "2");
}

TEST_F(RouterTest, AWorkerIsToldThatAnotherOneHasAnsweredItsCall) {
  auto first = StartWorker();
  HubUp();
  HubInvokes("r1");
  auto second = StartWorker();
  Replies(*second, "r1", "2");
  EXPECT_EQ(ResultOf("r1"), "2");
  EXPECT_THAT(first->calls->cancelled, ElementsAre("r1"));
  EXPECT_THAT(second->calls->cancelled, IsEmpty());
  Replies(*first, "r1", "1");
  EXPECT_EQ(ResultOf("r1"), "2");
}

TEST_F(RouterTest, ACallThatAnotherWorkerHasAnsweredHoldsItsCreditUntilItsOwnWorkerIsDone) {
  auto first = StartWorker(/*max_in_flight=*/1);
  HubUp();
  HubInvokes("r1");
  auto second = StartWorker(/*max_in_flight=*/1);
  Replies(*second, "r1");
  for (const char* id : {"r2", "r3"}) HubInvokes(id);
  EXPECT_THAT(first->calls->request_ids, ElementsAre("r1"));
  EXPECT_THAT(second->calls->request_ids, ElementsAre("r2"));
  Replies(*first, "r1");
  EXPECT_THAT(first->calls->request_ids, ElementsAre("r1", "r3"));
}

TEST_F(RouterTest, ItsOwnWorkersAnswerCancelsNothing) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  EXPECT_THAT(worker->calls->cancelled, IsEmpty());
}

TEST_F(RouterTest, AnAnswerToAQueuedCallEndsItWithoutARun) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"r1", "r2", "r3"}) HubInvokes(id);
  Replies(*worker, "r2", "2");  // The worker has it from an earlier bridge.
  EXPECT_EQ(ResultOf("r2"), "2");
  Replies(*worker, "r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1", "r3"));
}

TEST_F(RouterTest, AnAnswerOfAnotherKindIsNoneAndTheCallGoesOn) {
  auto worker = StartWorker();
  auto lists = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kListResources, 1, lists).ok());
  HubUp();
  HubInvokes("r1");
  pb::ListResourcesResult list;
  list.set_request_id("r1");
  router_.Reply(worker->session_id, fakes::ReplyOf(list));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  ASSERT_THAT(lists->rejected, SizeIs(1));
  EXPECT_THAT(lists->rejected[0].second.at(0).message(), HasSubstr("no ListResources call"));
  Replies(*worker, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
}

// ---- Calls of a dead worker

TEST_F(RouterTest, CallsOfADeadWorkerFailInTheOrderOfTheirArrival) {
  auto worker = StartWorker();
  HubUp();
  std::vector<std::string> ids;
  for (char id = 'a'; id <= 'p'; ++id) ids.emplace_back(1, id);
  for (const std::string& id : ids) HubInvokes(id);
  router_.CloseSession(worker->session_id, "killed");
  std::vector<std::string> failed;
  for (const auto& pushed : hub_.pushed) failed.push_back(pushed.answer.request_id);
  EXPECT_EQ(failed, ids);
}

TEST_F(RouterTest, CallsOfADeadWorkerGoOutInTheOrderOfTheirArrivalBeforeLaterOnes) {
  auto first = StartWorker(16, RetrySafe());
  HubUp();
  std::vector<std::string> ids;
  for (char id = 'a'; id <= 'p'; ++id) ids.emplace_back(1, id);  // At one and the same time.
  for (const std::string& id : ids) HubInvokes(id);
  ids.emplace_back("q");
  HubInvokes("q");
  router_.CloseSession(first->session_id, "killed");
  ids.emplace_back("r");
  HubInvokes("r");
  auto second = StartWorker(32, RetrySafe());
  EXPECT_EQ(second->calls->request_ids, ids);
}

TEST_F(RouterTest, CallsOfTwoDeadWorkersGoOutInTheOrderOfTheirArrival) {
  auto first = StartWorker(2, RetrySafe());
  auto second = StartWorker(2, RetrySafe());
  HubUp();
  for (const char* id : {"a", "b", "c", "d", "e"}) HubInvokes(id);
  ASSERT_THAT(first->calls->request_ids, SizeIs(2));
  ASSERT_THAT(second->calls->request_ids, SizeIs(2));
  router_.CloseSession(first->session_id, "killed");
  router_.CloseSession(second->session_id, "killed");
  auto third = StartWorker(16, RetrySafe());
  EXPECT_THAT(third->calls->request_ids, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(RouterTest, ACallThatRunsAgainHasTheSameDeadline) {
  pb::ToolPolicy policy = RetrySafe();
  policy.mutable_timeout()->set_seconds(20);
  auto first = StartWorker(16, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(15));
  auto second = StartWorker(16, policy);
  router_.CloseSession(first->session_id, "killed");
  ASSERT_THAT(second->calls->calls, SizeIs(1));
  EXPECT_EQ(second->calls->calls[0].As<pb::Invocation>().info().time_left().seconds(), 5);
  scheduler_.Advance(absl::Seconds(5));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
}

TEST_F(RouterTest, AStreamThatEndsTakesItsCancelledCallsAlong) {
  auto worker = StartWorker(16, TimeoutOf(3));
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(3));
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  scheduler_.Advance(absl::Seconds(30));  // Past the time for which it would have held its credit.
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
}

// ---- Waiting for a worker

TEST_F(RouterTest, TimeInTheQueueCountsForACallsDeadline) {
  auto worker = StartWorker(/*max_in_flight=*/1, TimeoutOf(20));
  HubUp();
  HubInvokes("r1");
  HubInvokes("r2");
  scheduler_.Advance(absl::Seconds(15));
  Replies(*worker, "r1");
  ASSERT_THAT(worker->calls->calls, SizeIs(2));
  EXPECT_EQ(worker->calls->calls[1].As<pb::Invocation>().info().time_left().seconds(), 5);
  scheduler_.Advance(absl::Seconds(5));
  EXPECT_EQ(ErrorOf("r2").code(), "sdk:timeout");
}

TEST_F(RouterTest, ACallThatIsQueuedAtItsDeadlineSaysThatNoWorkerWasFree) {
  auto worker = StartWorker(/*max_in_flight=*/1, TimeoutOf(20));
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(10));
  HubInvokes("r2");
  scheduler_.Advance(absl::Seconds(20));
  EXPECT_THAT(ErrorOf("r1").message(), HasSubstr("did not answer within 20s"));
  EXPECT_THAT(ErrorOf("r2").message(), HasSubstr("no worker"));
  EXPECT_THAT(worker->calls->cancelled, ElementsAre("r1"));
}

TEST_F(RouterTest, TheGraceEndsForAllWaitingCallsWhenAWorkerComesHoweverFewItTakes) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "restarting");
  for (const char* id : {"r1", "r2"}) HubInvokes(id);
  scheduler_.Advance(absl::Seconds(4));
  auto next = StartWorker(/*max_in_flight=*/1);
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.AnswersTo("r2"), IsEmpty());
  Replies(*next, "r1");
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1", "r2"));
}

TEST_F(RouterTest, TheGraceOfEachCallBeginsWithIt) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "gone");
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(3));
  HubInvokes("r2");
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_EQ(ErrorOf("r1").code(), "transient:no_worker");
  EXPECT_THAT(hub_.AnswersTo("r2"), IsEmpty());
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_EQ(ErrorOf("r2").code(), "transient:no_worker");
}

TEST_F(RouterTest, ALostWorkerDoesNotStartTheGraceOfCallsThatAnotherOneServes) {
  auto first = StartWorker(/*max_in_flight=*/1);
  auto second = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  router_.CloseSession(first->session_id, "killed");
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.AnswersTo("c"), IsEmpty());
  Replies(*second, second->calls->request_ids.at(0));
  EXPECT_EQ(second->calls->request_ids.back(), "c");
}

TEST_F(RouterTest, ACallWhoseDeadlineEndsWithinTheGraceTimesOutOnce) {
  auto worker = StartWorker(16, TimeoutOf(3));
  HubUp();
  router_.CloseSession(worker->session_id, "gone");
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, AWorkerThatComesAtTheEndOfTheGraceHasAMomentForItsStreams) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "restarting");
  HubInvokes("r1");
  scheduler_.Advance(absl::Milliseconds(4'500));
  auto next = Open(Spec());
  Register(*next, PartKind::kTool, kTool);
  Register(*next, PartKind::kCredential, kCredential);
  Publish(*next);
  scheduler_.Advance(absl::Milliseconds(900));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  ASSERT_TRUE(router_.Subscribe(next->session_id, CallKind::kInvoke, 16, next->calls).ok());
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
}

TEST_F(RouterTest, AWaitingCallFailsAtOnceWhenTheWorkersThatAreLeftShowThatTheyDoNotServeIt) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  auto other = Open(Spec());
  Register(*other, PartKind::kTool, kTool);
  Register(*other, PartKind::kCredential, kCredential);
  Publish(*other);
  HubUp();
  scheduler_.Advance(absl::Minutes(1));
  for (const char* id : {"runs", "waits"}) HubInvokes(id);
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  EXPECT_THAT(hub_.AnswersTo("waits"), IsEmpty());
  ASSERT_TRUE(router_
                  .Subscribe(other->session_id, CallKind::kListResources, 1,
                             std::make_shared<fakes::FakeCallSink>())
                  .ok());
  EXPECT_EQ(ErrorOf("waits").name(), "MethodNotSupported");
  Replies(*worker, "runs");
  EXPECT_EQ(ResultOf("runs"), "1");
}

TEST_F(RouterTest, WorkersCountAsSettledASecondAfterTheirStreamsChanged) {
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Milliseconds(999));
  HubAuthenticates("early");
  EXPECT_THAT(hub_.AnswersTo("early"), IsEmpty());
  scheduler_.Advance(absl::Milliseconds(1));
  HubAuthenticates("settled");
  EXPECT_EQ(ErrorOf("settled").code(), "sdk:method_not_supported");
  EXPECT_THAT(hub_.AnswersTo("early"), IsEmpty()) << "it waits its own second";
  scheduler_.Advance(absl::Milliseconds(999));
  EXPECT_EQ(ErrorOf("early").code(), "sdk:method_not_supported");
}

// ---- The topic of a plugin without workers

TEST_F(RouterTest, APluginThatComesBackWithinTheGraceKeepsItsTopic) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "restarting");
  scheduler_.Advance(absl::Seconds(4));
  auto next = StartWorker();
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
  HubInvokes("r1");
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
  Replies(*next, "r1");
  router_.OnProven(hub_.position());
  router_.CloseSession(next->session_id, "gone");
  scheduler_.Advance(absl::Seconds(4));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(hub_.withdrawn, ElementsAre(kTopic));
}

TEST_F(RouterTest, APluginStaysForAsLongAsACallOfItMayStillFindAWorker) {
  pb::ToolPolicy policy = RetrySafe();
  auto worker = StartWorker(16, policy);
  HubUp();
  router_.CloseSession(worker->session_id, "gone");
  scheduler_.Advance(absl::Seconds(4));
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
  auto next = StartWorker();
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
}

// ---- Workers that were replaced

class ReplacedTest : public RouterTest {
 protected:
  // A worker with the call "r1", and the one that takes its place.
  void Replace() {
    old_ = StartWorker(16, TimeoutOf(60));
    HubUp();
    HubInvokes("r1");
    new_ = StartWorker(16, TimeoutOf(60), kOtherTool);
    HubUp();
  }
  bool IsFinished() const { return old_->events->finished.has_value(); }

  std::unique_ptr<Worker> old_, new_;
};

TEST_F(ReplacedTest, AnIdleOneIsFinishedAtOnce) {
  old_ = StartWorker();
  HubUp();
  new_ = StartWorker(16, {}, kOtherTool);
  HubUp();
  ASSERT_TRUE(IsFinished());
  EXPECT_EQ(old_->events->finished->code(), absl::StatusCode::kAborted);
}

TEST_F(ReplacedTest, OneThatNeverAnswersIsFinishedWhenItsLastCallsDeadlineHasPassed) {
  Replace();
  scheduler_.Advance(absl::Seconds(59));
  EXPECT_FALSE(IsFinished());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  ASSERT_TRUE(IsFinished());
  EXPECT_EQ(old_->events->finished->code(), absl::StatusCode::kAborted);
}

TEST_F(ReplacedTest, OneWhoseCallAnotherWorkerAnswersIsFinished) {
  Replace();
  Replies(*new_, "r1");
  EXPECT_TRUE(IsFinished());
}

TEST_F(ReplacedTest, OneWhoseStreamEndsIsFinished) {
  Replace();
  router_.Unsubscribe(old_->session_id, CallKind::kInvoke);
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:crash");
  EXPECT_TRUE(IsFinished());
}

TEST_F(ReplacedTest, OneWhoseAnswerIsRefusedIsFinished) {
  Replace();
  Replies(*old_, "r1", "{broken");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_return");
  EXPECT_TRUE(IsFinished());
}

TEST_F(ReplacedTest, ItsCallsThatAreSafeToRetryGoToTheNewOne) {
  old_ = StartWorker(16, RetrySafe());
  HubUp();
  HubInvokes("r1");
  new_ = StartWorker(16, RetrySafe(), kOtherTool);
  HubUp();
  router_.Unsubscribe(old_->session_id, CallKind::kInvoke);
  EXPECT_THAT(new_->calls->request_ids, ElementsAre("r1"));
  EXPECT_TRUE(IsFinished());
}

}  // namespace
}  // namespace atomemo::router
