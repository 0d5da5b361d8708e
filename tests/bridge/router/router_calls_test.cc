// One terminal answer per hub call, by its deadline.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(RouterTest, ACallGoesToTheWorkerAndItsAnswerBackToTheHub) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  ASSERT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  const auto call = worker->calls->calls[0].As<pb::Invocation>();
  EXPECT_EQ(call.info().event(), "invoke_tool");
  EXPECT_EQ(call.info().time_left().seconds(), 30 * 60);
  Replies(*worker, "r1", R"({"t":21})");
  EXPECT_EQ(ResultOf("r1"), R"({"t":21})");
  EXPECT_EQ(AnswerTo("r1").event, "invoke_tool");
}

TEST_F(RouterTest, APluginsErrorReachesTheHubAsItIs) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  pb::CallFailure failure;
  failure.set_request_id("r1");
  failure.mutable_error()->set_code("weather:unknown_city");
  router_.Reply(worker->session_id, fakes::ReplyOf(failure, CallKind::kInvoke));
  EXPECT_EQ(ErrorOf("r1").code(), "weather:unknown_city");
}

TEST_F(RouterTest, ACallForAnUnknownToolFailsAtOnce) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1", "no-such-tool");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:tool_not_found");
  EXPECT_THAT(ErrorOf("r1").message(), HasSubstr("no-such-tool"));
  EXPECT_THAT(worker->calls->calls, IsEmpty());
}

TEST_F(RouterTest, ACallForAnUnknownCredentialFailsAtOnce) {
  auto worker = StartWorker();
  HubUp();
  pb::Authentication call;
  call.mutable_info()->set_request_id("r1");
  call.set_credential_name("other");
  router_.OnHubCall(kTopic, fakes::CallOf("credential_auth_spec", call));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:credential_not_found");
}

TEST_F(RouterTest, AMethodThatNoParameterNamesFailsAtOnce) {
  auto worker = StartWorker();
  auto lists = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kListResources, 1, lists).ok());
  HubUp();
  pb::ResourceQuery query;
  query.set_tool_name("forecast");
  query.mutable_info()->set_request_id("good");
  query.set_method("list_cities");
  router_.OnHubCall(kTopic, fakes::CallOf("locator_list", query));
  EXPECT_THAT(lists->request_ids, ElementsAre("good"));
  query.mutable_info()->set_request_id("bad");
  query.set_method("list_countries");
  router_.OnHubCall(kTopic, fakes::CallOf("locator_list", query));
  EXPECT_EQ(ErrorOf("bad").code(), "sdk:method_not_supported");
  EXPECT_THAT(ErrorOf("bad").message(), HasSubstr("list_countries"));
}

TEST_F(RouterTest, AKindThatAFreshWorkerDoesNotServeFailsAfterAMomentAndNamesTheStream) {
  auto worker = StartWorker();
  HubUp();
  HubAuthenticates("r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:method_not_supported");
  EXPECT_THAT(ErrorOf("r1").message(), HasSubstr("Authenticate stream"));
}

TEST_F(RouterTest, AKindThatTheWorkersDoNotServeFailsAtOnceWhenTheyAreSettled) {
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Seconds(2));
  HubAuthenticates("r1");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:method_not_supported");
}

TEST_F(RouterTest, AnUnknownEventIsAnsweredAsUnsupported) {
  auto worker = StartWorker();
  HubUp();
  router_.OnBadHubCall(kTopic, "dance", "r1", absl::UnimplementedError("no event dance"));
  EXPECT_TRUE(AnswerTo("r1").unsupported);
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:method_not_supported");
}

TEST_F(RouterTest, AnUnusablePayloadIsAnsweredWithItsFault) {
  auto worker = StartWorker();
  HubUp();
  router_.OnBadHubCall(kTopic, "invoke_tool", "r1",
                       absl::InvalidArgumentError("tool_name is missing"));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_parameter");
  EXPECT_THAT(ErrorOf("r1").message(), HasSubstr("tool_name"));
}

TEST_F(RouterTest, AnAnswerThatIsNoJsonBecomesAnErrorForTheHubAndAWordToThePlugin) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1", "{broken");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_return");
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_EQ(worker->calls->rejected[0].first, "r1");
}

TEST_F(RouterTest, ADeadlineCancelsTheCallAndAnswersTheHub) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(3);
  auto worker = StartWorker(16, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  EXPECT_THAT(worker->calls->cancelled, ElementsAre("r1"));
}

TEST_F(RouterTest, AnAnswerAfterTheDeadlineIsCountedAndDropped) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(3);
  auto worker = StartWorker(16, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(3));
  Replies(*worker, "r1");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  EXPECT_EQ(router_.counters().late_answers, 1u);
}

TEST_F(RouterTest, AnAnswerAfterTheDeadlineIsDroppedEvenIfItIsReadBeforeTheTimerRan) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(3);
  auto worker = StartWorker(/*max_in_flight=*/1, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.AdvanceWithoutRunning(absl::Seconds(3));
  Replies(*worker, "r1");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:timeout");
  EXPECT_EQ(router_.counters().late_answers, 1u);
  // The plugin is done with it, so it holds no credit.
  HubInvokes("r2");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1", "r2"));
}

TEST_F(RouterTest, ACancelledCallHoldsItsCreditUntilThePluginAnswersIt) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(3);
  auto worker = StartWorker(/*max_in_flight=*/1, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(3));
  HubInvokes("r2");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  Replies(*worker, "r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1", "r2"));
}

TEST_F(RouterTest, AHandlerThatNeverReturnsLosesItsCreditAfterTheGrace) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(30);
  auto worker = StartWorker(/*max_in_flight=*/1, policy);
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(30));
  HubInvokes("r2");
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1", "r2"));
}

TEST_F(RouterTest, NeverMoreCallsThanCreditsAndTheRestInOrder) {
  auto worker = StartWorker(/*max_in_flight=*/2);
  HubUp();
  for (const char* id : {"a", "b", "c", "d"}) HubInvokes(id);
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b"));
  Replies(*worker, "b");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c"));
  Replies(*worker, "a");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c", "d"));
}

TEST_F(RouterTest, ARepeatedRequestIdIsNotRunAgainWhileItRuns) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  HubInvokes("r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  Replies(*worker, "r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(1));
}

TEST_F(RouterTest, ARepeatedRequestIdGetsTheSameAnswerAgainWithoutASecondRun) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1", "7");
  router_.OnProven(hub_.position());
  HubInvokes("r1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  ASSERT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  EXPECT_EQ(std::get<std::string>(hub_.AnswersTo("r1")[1].outcome), "7");
}

class RouterLimitsTest : public RouterTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.limits.max_queued_calls = 2;
    options.limits.max_calls = 4;
    options.limits.outbox.max_answers = 3;
    return options;
  }
  RouterLimitsTest() : RouterTest(Options()) {}
};

TEST_F(RouterLimitsTest, PastTheQueueLimitACallFailsAtOnceAndNamesTheFlag) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"run", "q1", "q2", "over"}) HubInvokes(id);
  EXPECT_EQ(ErrorOf("over").code(), "transient:overloaded");
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-queued-calls"));
  Replies(*worker, "run");
  EXPECT_EQ(ResultOf("run"), "1");
}

class PluginLimitsTest : public RouterTest {
 protected:
  static constexpr char kOtherTopic[] = "debug_plugin:greeter";

  static RouterOptions Options() {
    RouterOptions options;
    options.limits.max_plugin_calls = 2;
    options.limits.max_plugin_call_bytes = 1'000;
    options.limits.outbox.max_topic_answers = 2;
    return options;
  }
  PluginLimitsTest() : RouterTest(Options()) {}

  // A second plugin beside "weather".
  std::unique_ptr<Worker> StartGreeter() {
    SessionSpec spec = Spec();
    spec.name = "greeter";
    auto worker = Open(std::move(spec));
    Register(*worker, PartKind::kTool, kTool);
    EXPECT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 16, worker->calls).ok());
    Publish(*worker);
    SetTopic(pb::HubState::STATE_REGISTERED, kOtherTopic);
    return worker;
  }

  void HubInvokesGreeter(const std::string& request_id) {
    pb::Invocation invocation;
    invocation.mutable_info()->set_request_id(request_id);
    invocation.set_tool_name("forecast");
    invocation.mutable_parameters()->set_json("{}");
    router_.OnHubCall(kOtherTopic, fakes::CallOf("invoke_tool", std::move(invocation)));
  }
};

TEST_F(PluginLimitsTest, OnePluginsCallsFillOnlyItsOwnShare) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  for (const char* id : {"a", "b", "over"}) HubInvokes(id);
  EXPECT_EQ(ErrorOf("over").code(), "transient:overloaded");
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-plugin-calls"));
  HubInvokesGreeter("g");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
}

TEST_F(PluginLimitsTest, OnePluginsPayloadsFillOnlyItsOwnShare) {
  auto worker = StartWorker();
  HubUp();
  pb::Invocation large;
  large.mutable_info()->set_request_id("over");
  large.set_tool_name("forecast");
  large.mutable_parameters()->set_json("{\"text\":\"" + std::string(2'000, 'x') + "\"}");
  router_.OnHubCall(kTopic, fakes::CallOf("invoke_tool", std::move(large)));
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-plugin-call-bytes"));
  HubInvokes("a");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a"));
}

TEST_F(PluginLimitsTest, APluginWhoseAnswersPileUpIsRefusedNewCallsAlone) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  for (const char* id : {"a", "b"}) HubInvokes(id);
  for (const char* id : {"a", "b"}) Replies(*worker, id);
  HubInvokes("over");
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-plugin-answers"));
  HubInvokesGreeter("g");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
  router_.OnProven(hub_.position());
  HubInvokes("c");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c"));
}

TEST_F(RouterLimitsTest, AnAnswerOfferedAgainToAFullOutboxIsTakenOnceThereIsRoom) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  for (const char* id : {"a", "b", "c"}) Replies(*worker, id);
  Replies(*worker, "from-an-earlier-bridge", "7");
  EXPECT_EQ(ResultOf("from-an-earlier-bridge"), "none");
  EXPECT_THAT(worker->calls->rejected, IsEmpty());
  router_.OnProven(hub_.position());
  EXPECT_EQ(ResultOf("from-an-earlier-bridge"), "7");
}

TEST_F(RouterLimitsTest, WithAFullOutboxNewCallsAreRefusedAndNoAnswerIsDropped) {
  auto worker = StartWorker();
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  HubDown();
  for (const char* id : {"a", "b", "c"}) Replies(*worker, id);
  HubUp();
  HubInvokes("d");
  EXPECT_THAT(ErrorOf("d").message(), HasSubstr("--max-outbox-answers"));
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(ResultOf(id), "1") << id;
  router_.OnProven(hub_.position());
  HubInvokes("e");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c", "e"));
}

}  // namespace
}  // namespace atomemo::router
