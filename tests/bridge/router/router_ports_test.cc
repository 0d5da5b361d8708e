// The edges of the router's ports: unknown sessions, wrong order, and what is left when it ends.

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOtherTool[] =
    R"({"name":"report","display_name":{"en_US":"R"},"description":{"en_US":"d"},"icon":"i","parameters":[]})";

TEST_F(RouterTest, AnUnknownSessionIsToldSoByEveryCall) {
  auto sink = std::make_shared<fakes::FakeCallSink>();
  const auto unauthenticated = absl::StatusCode::kUnauthenticated;
  EXPECT_EQ(router_.CheckUnpublished("no").code(), unauthenticated);
  EXPECT_EQ(router_.Subscribe("no", CallKind::kInvoke, 1, sink).code(), unauthenticated);
  EXPECT_EQ(router_.DrainSession("no").code(), unauthenticated);
  std::optional<absl::Status> published, called;
  router_.Publish("no", {}, [&](absl::StatusOr<Published> result) { published = result.status(); });
  EXPECT_EQ(published->code(), unauthenticated);
  router_.CallHub("no", "get_file_url", "{}", std::nullopt,
                  [&](absl::StatusOr<std::string> result) { called = result.status(); });
  EXPECT_EQ(called->code(), unauthenticated);
  router_.Unsubscribe("no", CallKind::kInvoke);
  router_.Reply("no", fakes::ReplyOf(pb::InvokeResult()));
  router_.CloseSession("no", "gone");
}

TEST_F(RouterTest, APublishedSessionTakesNoFurtherDefinitions) {
  auto worker = StartWorker();
  EXPECT_EQ(router_.CheckUnpublished(worker->session_id).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RouterTest, OnlyInReleaseModeASessionNeedsAVersion) {
  SessionSpec spec = Spec();
  spec.version.clear();
  auto sink = std::make_shared<fakes::FakeSessionSink>();
  spec.mode = HubMode::kDebug;
  EXPECT_TRUE(router_.OpenSession(spec, sink).ok());
  spec.mode = HubMode::kRelease;
  EXPECT_EQ(router_.OpenSession(spec, sink).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RouterTest, AnInstanceIdMayHaveAHundredAndTwentyEightBytes) {
  SessionSpec spec = Spec();
  spec.instance_id = std::string(128, 'x');
  EXPECT_TRUE(router_.OpenSession(spec, std::make_shared<fakes::FakeSessionSink>()).ok());
}

TEST_F(RouterTest, ASessionHasOneStreamOfAKind) {
  auto worker = StartWorker();
  EXPECT_EQ(router_
                .Subscribe(worker->session_id, CallKind::kInvoke, 1,
                           std::make_shared<fakes::FakeCallSink>())
                .code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(RouterTest, AnAnswerWithoutARequestIdIsRefused) {
  auto worker = StartWorker();
  HubUp();
  Replies(*worker, "");
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(worker->calls->rejected[0].second.at(0).message(), HasSubstr("request_id"));
  EXPECT_THAT(hub_.pushed, IsEmpty());
}

TEST_F(RouterTest, ARefusedAnswerIsToldWithItsViolations) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1", "{broken");
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(worker->calls->rejected[0].second, SizeIs(1));
}

TEST_F(RouterTest, ASessionThatEndsEndsItsStreamsAndItsPublish) {
  auto worker = StartWorker();
  router_.CloseSession(worker->session_id, "gone");
  ASSERT_TRUE(worker->published.has_value());
  EXPECT_EQ(worker->published->status().code(), absl::StatusCode::kCancelled);
  ASSERT_TRUE(worker->calls->finished.has_value());
  EXPECT_EQ(worker->calls->finished->code(), absl::StatusCode::kCancelled);
}

TEST_F(RouterTest, ADrainingBridgePublishesNothing) {
  auto worker = Open(Spec());
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  Publish(*worker);
  ASSERT_TRUE(worker->published.has_value());
  EXPECT_EQ(worker->published->status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RouterTest, APluginKeepsItsTopicWhileAnyWorkerIsLeft) {
  auto first = StartWorker();
  auto second = StartWorker();
  HubUp();
  router_.CloseSession(first->session_id, "gone");
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_THAT(hub_.withdrawn, IsEmpty());
}

TEST_F(RouterTest, AToolThatTheChangedDefinitionLacksIsGone) {
  auto old_worker = StartWorker();
  HubUp();
  auto new_worker = StartWorker(16, {}, kOtherTool);
  HubUp();
  HubInvokes("r1", "forecast");
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:tool_not_found");
  HubInvokes("r2", "report");
  EXPECT_THAT(new_worker->calls->request_ids, ElementsAre("r2"));
}

TEST_F(RouterTest, AReplacedWorkerIsToldNotToComeBack) {
  auto old_worker = StartWorker();
  HubUp();
  auto new_worker = StartWorker(16, {}, kOtherTool);
  HubUp();
  const pb::Draining draining = old_worker->events->events.back().draining();
  EXPECT_TRUE(draining.replaced());
  EXPECT_THAT(draining.reason(), HasSubstr("definition"));
  EXPECT_FALSE(new_worker->events->IsDraining());
}

TEST_F(RouterTest, AChangedDefinitionIsPublishedOnceTheHubHasTakenIt) {
  auto old_worker = StartWorker();
  HubUp();
  auto new_worker = StartWorker(16, {}, kOtherTool);
  EXPECT_FALSE(new_worker->published.has_value());
  EXPECT_EQ(new_worker->events->events.back().hub_state().state(), pb::HubState::STATE_CONNECTING);
  HubUp();
  EXPECT_TRUE(new_worker->published.has_value());
}

TEST_F(RouterTest, ACallThatWaitsWhenTheLastWorkerDrainsWaitsTheGraceForAnother) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"runs", "waits"}) HubInvokes(id);
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  scheduler_.Advance(absl::Seconds(5));
  EXPECT_EQ(ErrorOf("waits").code(), "transient:no_worker");
  EXPECT_THAT(hub_.AnswersTo("runs"), IsEmpty());
}

TEST_F(RouterTest, ADrainingBridgeTellsTheWorkerAlsoWhenItsLastCallHasTimedOut) {
  pb::ToolPolicy policy;
  policy.mutable_timeout()->set_seconds(3);
  auto worker = StartWorker(16, policy);
  HubUp();
  HubInvokes("r1");
  router_.Drain(absl::Seconds(20), [](std::size_t) {});
  EXPECT_EQ(worker->calls->drained, 0);
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_EQ(worker->calls->drained, 1);
}

TEST(RouterEndTest, ItLeavesNoTimerBehind) {
  fakes::ManualScheduler scheduler;
  fakes::FakeHubPort hub;
  auto sink = std::make_shared<fakes::FakeCallSink>();
  {
    Router router(hub, scheduler, {});
    router.Recover(
        {{kTopic, "left", "invoke_tool", absl::Minutes(2), /*started=*/true, "", std::nullopt}});
    SessionSpec spec;
    spec.name = "weather";
    spec.version = "1.0.0";
    const std::string id = *router.OpenSession(spec, std::make_shared<fakes::FakeSessionSink>());
    ASSERT_TRUE(router.Subscribe(id, CallKind::kInvoke, 1, sink).ok());
    definition::Report texts = definition::JudgePlugin(base::ParseJson(kTexts).value());
    definition::Draft draft(std::move(texts.value));
    ASSERT_TRUE(
        draft.Add(definition::MakePart(PartKind::kTool, base::ParseJson(kTool).value())).ok());
    router.Publish(id, {draft.Assemble(), {}}, [](const absl::StatusOr<Published>&) {});
    hub.joined.insert(kTopic);
    pb::HubState up;
    up.set_state(pb::HubState::STATE_REGISTERED);
    router.OnTopicState(kTopic, up);
    router.CallHub(id, "get_file_url", "{}", std::nullopt,
                   [](const absl::StatusOr<std::string>&) {});
    router.CloseSession(id, "gone");  // starts the retirement
    pb::Invocation call;
    call.mutable_info()->set_request_id("waits");  // for a worker
    call.set_tool_name("forecast");
    router.OnHubCall(kTopic, fakes::CallOf("invoke_tool", call));
    EXPECT_GE(scheduler.pending_timers(), 4u);
  }
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST_F(RouterTest, AnAnsweredCallToTheHubLeavesNoTimerBehind) {
  auto worker = StartWorker();
  HubUp();
  const std::size_t timers = scheduler_.pending_timers();
  router_.CallHub(worker->session_id, "get_file_url", "{}", std::nullopt,
                  [](const absl::StatusOr<std::string>&) {});
  router_.OnHubReply(kTopic, hub_.requests.at(0).second.request_id, std::string("{}"));
  EXPECT_EQ(scheduler_.pending_timers(), timers);
}

}  // namespace
}  // namespace atomemo::router
