// What operators and authors hear of definitions that are refused.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"
#include "tests/fakes/captured_log.h"

namespace atomemo::router {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class RefusedDefinitionsTest : public RouterTest {
 protected:
  void HubRefuses(bool topic_stays_up = false) {
    if (!topic_stays_up) hub_.joined.erase(kTopic);
    pb::HubState state;
    state.set_state(pb::HubState::STATE_REJECTED);
    state.set_reason("the hub refused the definition: bad tool name");
    pb::DefinitionViolation& violation = *state.add_violations();
    violation.set_path("tools[0].name");
    violation.set_message("must be lower case");
    router_.OnTopicState(kTopic, state);
  }
};

TEST_F(RefusedDefinitionsTest, TheAuthorIsToldOnceWhoRefusedIt) {
  auto worker = StartWorker();
  HubRefuses();
  ASSERT_TRUE(worker->published.has_value());
  EXPECT_EQ(worker->published->status().message(), "the hub refused the definition: bad tool name");
  EXPECT_EQ(router_.Status().plugins(0).reason(), "the hub refused the definition: bad tool name");
}

TEST_F(RefusedDefinitionsTest, ASecondAttemptAsksTheHubAgainAndIsAnswered) {
  auto first = StartWorker();
  HubRefuses();
  router_.CloseSession(first->session_id, "refused");
  hub_.announcements.clear();
  auto second = StartWorker();
  EXPECT_THAT(hub_.announcements, SizeIs(1));
  EXPECT_FALSE(second->published.has_value());
  SetTopic(pb::HubState::STATE_CONNECTING);
  HubRefuses();
  ASSERT_TRUE(second->published.has_value());
  EXPECT_FALSE(second->published->ok());
}

TEST_F(RefusedDefinitionsTest, AnswersOfTheRunningVersionGoOutAlthoughAChangedOneWasRefused) {
  auto running = StartWorker();
  HubUp();
  HubInvokes("r1");
  auto changed = Open(Spec());
  Publish(*changed);
  HubRefuses(/*topic_stays_up=*/true);
  Replies(*running, "r1");
  EXPECT_EQ(ResultOf("r1"), "1");
}

// That the hub is asked again is no loss: nothing is sent twice for it.
TEST_F(RefusedDefinitionsTest, AnswersGoOutWhileTheHubIsAskedAgain) {
  auto running = StartWorker();
  HubUp();
  HubInvokes("r1");
  HubInvokes("r2");
  auto changed = Open(Spec());
  Publish(*changed);
  HubRefuses(/*topic_stays_up=*/true);
  Replies(*running, "r1");
  pb::HubState asked;
  asked.set_state(pb::HubState::STATE_CONNECTING);
  router_.OnTopicState(kTopic, asked);
  Replies(*running, "r2");
  EXPECT_EQ(ResultOf("r1"), "1");
  EXPECT_EQ(ResultOf("r2"), "1");
}

TEST_F(RefusedDefinitionsTest, APluginThatDoesNotComeAgainIsForgotten) {
  router_.DefinitionRefused("gone", std::nullopt, absl::InvalidArgumentError("bad"));
  EXPECT_THAT(router_.Status().refused_definitions(), SizeIs(1));
  scheduler_.Advance(absl::Minutes(10));
  EXPECT_THAT(router_.Status().refused_definitions(), SizeIs(0));
}

TEST_F(RefusedDefinitionsTest, AnotherDefinitionThatRunsInReleaseModeIsToldToo) {
  SessionSpec spec = Spec();
  spec.mode = HubMode::kRelease;
  auto first = Open(spec);
  Publish(*first);
  auto second = Open(spec);
  Register(*second, PartKind::kTool, kTool);
  Publish(*second);
  ASSERT_THAT(router_.Status().refused_definitions(), SizeIs(1));
  EXPECT_THAT(router_.Status().refused_definitions(0).message(), HasSubstr("another definition"));
}

TEST_F(RefusedDefinitionsTest, TheOperatorSeesWhatIsWrongWithWhichPluginAndHowOften) {
  auto worker = StartWorker();
  HubRefuses();
  absl::Status why = absl::InvalidArgumentError("the definition has 2 error(s)");
  pb::DefinitionViolations violations;
  violations.add_violations()->set_path("tools[1].name");
  violations.mutable_violations(0)->set_message("is taken");
  violations.add_violations();
  SetViolations(why, violations);
  router_.DefinitionRefused("weather", 42, why);
  const auto status = router_.Status();
  ASSERT_THAT(status.refused_definitions(), SizeIs(1));
  EXPECT_EQ(status.refused_definitions(0).name(), "weather");
  EXPECT_EQ(status.refused_definitions(0).pid(), 42);
  EXPECT_EQ(status.refused_definitions(0).path(), "tools[1].name");
  EXPECT_EQ(status.refused_definitions(0).message(), "is taken");
  EXPECT_EQ(status.refused_definitions(0).violations(), 2);
  EXPECT_EQ(status.refused_definitions(0).times(), 2);
  HubUp();
  EXPECT_THAT(router_.Status().refused_definitions(), SizeIs(0));
}

TEST_F(RefusedDefinitionsTest, APluginThatTriesAgainAndAgainGetsOneLine) {
  fakes::CapturedLog captured;
  for (int i = 0; i < 40; ++i) {
    auto worker = Open(Spec());
    router_.DefinitionRefused("weather", 42, absl::InvalidArgumentError("bad tool name"));
    router_.CloseSession(worker->session_id, "gone");
  }
  const std::string log = captured.Take();
  EXPECT_THAT(log, HasSubstr("definition refused plugin=weather pid=42"));
  EXPECT_EQ(log.find("definition refused"), log.rfind("definition refused"));
  EXPECT_EQ(log.find("session opened"), log.rfind("session opened"));
}

TEST_F(RefusedDefinitionsTest, AMinuteLaterTheNextLineSaysHowOften) {
  for (int i = 0; i < 40; ++i) {
    router_.DefinitionRefused("weather", 42, absl::InvalidArgumentError("bad tool name"));
  }
  scheduler_.Advance(absl::Minutes(1));
  fakes::CapturedLog log;
  router_.DefinitionRefused("weather", 42, absl::InvalidArgumentError("bad tool name"));
  EXPECT_THAT(log.Take(), HasSubstr("times=40"));
}

}  // namespace
}  // namespace atomemo::router
