// Several workers of one plugin: sharing, dying, replacing, owning a name.

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOtherTool[] =
    R"({"name":"forecast","display_name":{"en_US":"Changed"},"description":{"en_US":"d"},"icon":"i","parameters":[]})";

TEST_F(RouterTest, TheLeastBusyWorkerGetsTheCall) {
  auto first = StartWorker();
  auto second = StartWorker();
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  EXPECT_EQ(first->calls->calls.size() + second->calls->calls.size(), 3u);
  EXPECT_GE(first->calls->calls.size(), 1u);
  EXPECT_GE(second->calls->calls.size(), 1u);
}

TEST_F(RouterTest, ADyingWorkersCallsFailAtOnceAndWaitingOnesMoveOn) {
  auto first = StartWorker(/*max_in_flight=*/1);
  auto second = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  const std::string lost = first->calls->request_ids.at(0);
  const std::string kept = second->calls->request_ids.at(0);
  router_.CloseSession(first->session_id, "the process was killed");
  EXPECT_EQ(ErrorOf(lost).code(), "sdk:crash");
  Replies(*second, kept);
  EXPECT_THAT(second->calls->request_ids, ElementsAre(kept, "c"));
}

TEST_F(RouterTest, ACallThatIsSafeToRetryGoesToAnotherWorker) {
  pb::ToolPolicy policy;
  policy.set_retry_safe(true);
  auto first = StartWorker(16, policy);
  HubUp();
  HubInvokes("r1");
  auto second = StartWorker(16, policy);
  router_.CloseSession(first->session_id, "killed");
  ASSERT_THAT(second->calls->request_ids, ElementsAre("r1"));
  EXPECT_EQ(second->calls->calls[0].As<pb::Invocation>().tool_name(), "forecast");
  Replies(*second, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
}

TEST_F(RouterTest, WithoutAWorkerACallWaitsTheGraceAndNoLonger) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "gone");
  HubInvokes("r1");
  scheduler_.Advance(absl::Seconds(4));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(ErrorOf("r1").code(), "transient:no_worker");
}

TEST_F(RouterTest, AWorkerThatComesWithinTheGraceTakesTheWaitingCalls) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "restarting");
  HubInvokes("r1");
  auto next = StartWorker();
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
}

TEST_F(RouterTest, WaitingCallsDoNotFailWhenAWorkerPublishesBeforeItsStreamIsThere) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "restarting");
  HubInvokes("before");
  // RPCs of one plugin overtake each other.
  auto next = Open(Spec());
  Register(*next, PartKind::kTool, kTool);
  Register(*next, PartKind::kCredential, kCredential);
  Publish(*next);
  HubInvokes("after");
  ASSERT_TRUE(router_.Subscribe(next->session_id, CallKind::kInvoke, 16, next->calls).ok());
  EXPECT_THAT(next->calls->request_ids, ElementsAre("before", "after"));
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(hub_.AnswersTo("before"), IsEmpty());
}

TEST_F(RouterTest, ACallWaitsTheWholeGraceWhenTheStreamsOfADyingWorkerEndBeforeItsSession) {
  auto worker = StartWorker();
  HubUp();
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  HubInvokes("r1");
  router_.CloseSession(worker->session_id, "killed");
  scheduler_.Advance(absl::Seconds(4));
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  auto next = StartWorker();
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r1"));
}

TEST_F(RouterTest, NoCallIsSentToAStreamThatIsKnownToBeGone) {
  auto gone = StartWorker();
  auto other = StartWorker();
  HubUp();
  gone->calls->why_closed = "the plugin cancelled it";
  HubInvokes("r1");
  HubInvokes("r2");
  EXPECT_THAT(gone->calls->request_ids, IsEmpty());
  EXPECT_THAT(other->calls->request_ids, ElementsAre("r1", "r2"));
}

TEST_F(RouterTest, ACallWaitsForAStreamThatHasJustEndedToBeOpenedAgain) {
  auto worker = StartWorker();
  HubUp();
  scheduler_.Advance(absl::Minutes(1));
  worker->calls->why_closed = "the plugin cancelled it";
  HubInvokes("r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), IsEmpty());
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  HubInvokes("r2");
  auto again = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 16, again).ok());
  EXPECT_THAT(again->request_ids, ElementsAre("r1", "r2"));
  EXPECT_THAT(worker->calls->request_ids, IsEmpty());
}

TEST_F(RouterTest, AnErrorTellsWhatEndedTheStreamThatNobodyOpensAgain) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("running");
  worker->calls->why_closed = "the plugin cancelled it behind a message of 5000000 bytes";
  HubInvokes("waiting");
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  EXPECT_EQ(ErrorOf("running").name(), "WorkerDied");
  EXPECT_THAT(ErrorOf("running").message(), HasSubstr(worker->calls->why_closed));
  scheduler_.Advance(absl::Seconds(2));
  HubInvokes("later");
  for (const char* id : {"waiting", "later"}) {
    EXPECT_EQ(ErrorOf(id).code(), "transient:no_worker");
    EXPECT_THAT(ErrorOf(id).message(), HasSubstr(worker->calls->why_closed));
  }
}

TEST_F(RouterTest, PublishWaitsForTheHub) {
  auto worker = StartWorker();
  EXPECT_FALSE(worker->published.has_value());
  ASSERT_THAT(hub_.announcements, SizeIs(1));
  EXPECT_EQ(hub_.announcements[0].topic, kTopic);
  HubUp();
  ASSERT_TRUE(worker->published.has_value());
  EXPECT_EQ(worker->published->value().topic, kTopic);
}

TEST_F(RouterTest, PublishFailsWithTheHubsWordsWhenTheDefinitionIsRefused) {
  auto worker = StartWorker();
  SetTopic(pb::HubState::STATE_REJECTED, kTopic, "name is taken");
  ASSERT_TRUE(worker->published.has_value());
  EXPECT_EQ(worker->published->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(worker->published->status().message()), HasSubstr("name is taken"));
}

TEST_F(RouterTest, PublishGoesOnWaitingWhileTheKeyIsRefused) {
  auto worker = StartWorker();
  SetTopic(pb::HubState::STATE_UNAUTHORIZED, kTopic, "key expired");
  EXPECT_FALSE(worker->published.has_value());
  EXPECT_EQ(worker->events->events.back().hub_state().reason(), "key expired");
  HubUp();
  EXPECT_TRUE(worker->published.has_value());
}

TEST_F(RouterTest, WorkersThatAreEquallyBusyTakeTurns) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 5; ++i) workers.push_back(StartWorker());
  HubUp();
  for (int i = 0; i < 20; ++i) {
    const std::string id = absl::StrCat("r", i);
    HubInvokes(id);
    for (const auto& worker : workers) {
      if (worker->calls->request_ids.empty() || worker->calls->request_ids.back() != id) continue;
      Replies(*worker, id);  // before the next one comes
    }
  }
  for (const auto& worker : workers) EXPECT_THAT(worker->calls->request_ids, SizeIs(4));
}

TEST_F(RouterTest, ASecondWorkerOfARegisteredPluginIsPublishedAtOnce) {
  auto first = StartWorker();
  HubUp();
  auto second = StartWorker();
  EXPECT_TRUE(second->published.has_value());
}

TEST_F(RouterTest, AChangedDebugDefinitionIsAnnouncedAndTheOldWorkersDrain) {
  auto old_worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  auto new_worker = StartWorker(16, {}, kOtherTool);
  EXPECT_THAT(hub_.announcements, SizeIs(2));
  EXPECT_FALSE(old_worker->events->IsDraining());
  HubUp();
  EXPECT_TRUE(old_worker->events->IsDraining());
  EXPECT_EQ(old_worker->calls->drained, 1);
  EXPECT_EQ(new_worker->calls->drained, 0);
  HubInvokes("r2");
  EXPECT_THAT(new_worker->calls->request_ids, ElementsAre("r2"));
  EXPECT_FALSE(old_worker->events->finished.has_value());
  Replies(*old_worker, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
  ASSERT_TRUE(old_worker->events->finished.has_value());
  EXPECT_EQ(old_worker->events->finished->code(), absl::StatusCode::kAborted);
}

TEST_F(RouterTest, InReleaseModeAnotherDefinitionUnderTheSameVersionIsRefused) {
  SessionSpec spec = Spec();
  spec.mode = HubMode::kRelease;
  auto first = Open(spec);
  Register(*first, PartKind::kTool, kTool);
  Publish(*first);
  auto second = Open(spec);
  Register(*second, PartKind::kTool, kOtherTool);
  Publish(*second);
  ASSERT_TRUE(second->published.has_value());
  EXPECT_EQ(second->published->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(hub_.announcements.at(0).topic, "release_plugin:weather__release__1.0.0");
}

TEST_F(RouterTest, InReleaseModeAVersionIsSemVer) {
  auto worker = StartWorker();
  SessionSpec spec = Spec();
  spec.version = "1.0_beta";
  EXPECT_TRUE(router_.OpenSession(spec, worker->events).ok());
  spec.mode = HubMode::kRelease;
  const absl::Status refused = router_.OpenSession(spec, worker->events).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  const auto violations = GetViolations(refused);
  ASSERT_TRUE(violations.has_value());
  EXPECT_EQ(violations->violations(0).path(), "version");
}

TEST_F(RouterTest, AnotherUsersProcessCannotTakeTheName) {
  auto worker = StartWorker();
  SessionSpec other = Spec();
  other.peer_uid = 1001;
  EXPECT_EQ(router_.OpenSession(other, worker->events).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(RouterTest, ADrainedSessionAnswersWhatItHasAndGetsNothingNew) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  EXPECT_EQ(worker->calls->drained, 1);
  HubInvokes("r2");
  Replies(*worker, "r1");
  EXPECT_EQ(worker->calls->drained, 1);
  EXPECT_EQ(ResultOf("r1"), "1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("r1"));
  auto next = StartWorker();
  EXPECT_THAT(next->calls->request_ids, ElementsAre("r2"));
}

TEST_F(RouterTest, AStreamOpenedAfterTheDrainIsToldAtOnce) {
  auto worker = StartWorker();
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  const auto late = std::make_shared<fakes::FakeCallSink>();
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kListResources, 1, late).ok());
  EXPECT_EQ(late->drained, 1);
}

TEST_F(RouterTest, APluginsCallToTheHubGetsItsAnswer) {
  auto worker = StartWorker();
  HubUp();
  std::optional<absl::StatusOr<std::string>> outcome;
  router_.CallHub(worker->session_id, "get_file_url", R"({"res_key":"k"})", std::nullopt,
                  [&](absl::StatusOr<std::string> result) { outcome = std::move(result); });
  ASSERT_THAT(hub_.requests, SizeIs(1));
  router_.OnHubReply(kTopic, hub_.requests[0].second.request_id, std::string(R"({"url":"u"})"));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->value(), R"({"url":"u"})");
}

TEST_F(RouterTest, APluginsCallToTheHubTimesOut) {
  auto worker = StartWorker();
  HubUp();
  std::optional<absl::StatusOr<std::string>> outcome;
  router_.CallHub(worker->session_id, "get_file_url", "{}", absl::Seconds(2),
                  [&](absl::StatusOr<std::string> result) { outcome = std::move(result); });
  scheduler_.Advance(absl::Seconds(2));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RouterTest, APluginCannotBeAnsweredForAnothersCallToTheHub) {
  auto worker = StartWorker();
  HubUp();
  std::optional<absl::StatusOr<std::string>> outcome;
  router_.CallHub(worker->session_id, "get_file_url", "{}", std::nullopt,
                  [&](absl::StatusOr<std::string> result) { outcome = std::move(result); });
  router_.OnHubReply("debug_plugin:other", hub_.requests.at(0).second.request_id,
                     std::string("{}"));
  EXPECT_FALSE(outcome.has_value());
}

class RouterTokenTest : public RouterTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.plugin_tokens["weather"] = "s3cret";
    return options;
  }
  RouterTokenTest() : RouterTest(Options()) {}
};

TEST_F(RouterTokenTest, AProtectedNameNeedsItsToken) {
  auto sink = std::make_shared<fakes::FakeSessionSink>();
  EXPECT_EQ(router_.OpenSession(Spec(), sink).status().code(), absl::StatusCode::kPermissionDenied);
  SessionSpec spec = Spec();
  spec.token = "s3cret";
  EXPECT_TRUE(router_.OpenSession(spec, sink).ok());
}

TEST_F(RouterTest, AParkedAnswerThatIsNoJsonIsJudgedAlthoughItsStreamHasGone) {
  auto first = StartWorker();
  HubUp();
  HubInvokes("r1");
  auto second = Open(Spec());
  Register(*second, PartKind::kTool, kTool);
  Register(*second, PartKind::kCredential, kCredential);
  ASSERT_TRUE(router_.Subscribe(second->session_id, CallKind::kInvoke, 16, second->calls).ok());
  Replies(*second, "r1", "no JSON");
  router_.Unsubscribe(second->session_id, CallKind::kInvoke);
  Publish(*second);
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_return");
  EXPECT_THAT(first->calls->cancelled, ::testing::ElementsAre("r1"));
}

}  // namespace
}  // namespace atomemo::router
