// The states of a call, each step that it takes between them, and what that step means.
#include "bridge/router/call_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/fake_call_journal.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallTableTest : public ::testing::Test {
 protected:
  CallTableTest() {
    plugin_.topic = "t";
    session_.spec.instance_id = "i";
  }

  LiveCall& Accept(const std::string& id, std::size_t bytes = 10) {
    return calls_.Accept(plugin_, "invoke_tool", id, absl::Minutes(1), bytes);
  }
  LiveCall& Run(const std::string& id) {
    LiveCall& call = Accept(id);
    calls_.Move(call, CallState::kQueued, plugin_.queue(CallKind::kInvoke));
    call.worker = &session_;
    calls_.Move(call, CallState::kRunning, in_flight_);
    return call;
  }
  void Answer(LiveCall& call) {
    calls_.Answer(
        call, std::make_shared<const HubAnswer>(HubAnswer{"invoke_tool", call.request_id, "1"}));
  }

  fakes::ManualScheduler scheduler_;
  fakes::FakeCallJournal journal_;
  Plugin plugin_;
  Session session_;
  CallList in_flight_;
  CallTable calls_{scheduler_, {}, &journal_};
};

TEST_F(CallTableTest, ACallIsInTheListOfItsStateAlone) {
  LiveCall& call = Accept("r");
  calls_.Move(call, CallState::kQueued, plugin_.queue(CallKind::kInvoke));
  EXPECT_EQ(plugin_.queue(CallKind::kInvoke).size(), 1u);
  call.worker = &session_;
  calls_.Move(call, CallState::kRunning, in_flight_);
  EXPECT_THAT(plugin_.queue(CallKind::kInvoke), IsEmpty());
  EXPECT_EQ(in_flight_.size(), 1u);
  Answer(call);
  EXPECT_THAT(in_flight_, IsEmpty());
  EXPECT_EQ(plugin_.lane.rest().size(), 1u);
}

TEST_F(CallTableTest, TheSumsFollowTheStates) {
  LiveCall& call = Accept("r", 10);
  EXPECT_EQ(calls_.active().calls, 1u);
  EXPECT_EQ(calls_.active().bytes, 10u);
  calls_.Move(call, CallState::kQueued, plugin_.queue(CallKind::kInvoke));
  EXPECT_EQ(plugin_.queued, 1u);
  call.worker = &session_;
  calls_.Move(call, CallState::kRunning, in_flight_);
  EXPECT_EQ(plugin_.queued, 0u);
  EXPECT_EQ(plugin_.active.bytes, 10u);
  Answer(call);
  EXPECT_EQ(plugin_.active.calls + plugin_.active.bytes, 0u);
  EXPECT_EQ(plugin_.unproven.calls, 1u);
  const std::size_t bytes = plugin_.unproven.bytes;
  EXPECT_EQ(bytes, call.answer->size());
  plugin_.lane.Send(calls_, {1, 1});
  EXPECT_EQ(calls_.unproven().bytes, bytes);
  plugin_.lane.Prove(calls_);
  EXPECT_EQ(calls_.unproven().calls + calls_.unproven().bytes, 0u);
  EXPECT_EQ(plugin_.settling_bytes, bytes);
  calls_.Settle(call);
  EXPECT_EQ(plugin_.settling_bytes, 0u);
  EXPECT_EQ(calls_.size(), 0u);
}

TEST_F(CallTableTest, TheJournalHearsOfEachStepOnce) {
  LiveCall& call = Run("r");
  Answer(call);
  plugin_.lane.Send(calls_, {1, 1});
  plugin_.lane.Prove(calls_);
  plugin_.lane.Lose(calls_, HubLoss());
  plugin_.lane.Send(calls_, {2, 1});
  plugin_.lane.Prove(calls_);
  calls_.Settle(call);
  EXPECT_THAT(journal_.notes, ElementsAre("accepted r", "started r", "ended r"));
  EXPECT_THAT(journal_.instance_ids, ElementsAre("i"));
  EXPECT_EQ(calls_.counters().resent, 1u);
  EXPECT_EQ(calls_.counters().delivered, 1u);
}

TEST_F(CallTableTest, AnAnswerThatIsGivenUpEndsInTheJournalToo) {
  LiveCall& call = Accept("r");
  Answer(call);
  calls_.Settle(call);
  EXPECT_THAT(journal_.notes, ElementsAre("accepted r", "ended r"));
}

TEST_F(CallTableTest, OfACallThatHasEndedTheIdAndTheAnswerAreRemembered) {
  LiveCall& call = Accept("r");
  const CallId id = call.id;
  Answer(call);
  const auto answer = call.answer;
  calls_.Settle(call);
  EXPECT_EQ(calls_.Find("t", "r"), nullptr);
  EXPECT_EQ(calls_.ids().AnswerTo(id), answer);
}

TEST_F(CallTableTest, NoTimerOutlivesItsCallsAnswer) {
  LiveCall& call = Accept("r");
  bool rang = false;
  call.deadline_timer = scheduler_.After(absl::Minutes(1), [&rang] { rang = true; });
  call.grace_timer = scheduler_.After(absl::Minutes(1), [&rang] { rang = true; });
  Answer(call);
  scheduler_.Advance(absl::Minutes(2));
  EXPECT_FALSE(rang);
}

TEST_F(CallTableTest, ARecoveredCallIsNotedNoFurther) {
  JournaledCall journaled;
  journaled.topic = "t";
  journaled.request_id = "r";
  journaled.event = "invoke_tool";
  LiveCall& call = calls_.Recover(journaled);
  EXPECT_EQ(calls_.Find("t", "r"), &call);
  EXPECT_EQ(calls_.recovered().size(), 1u);
  EXPECT_EQ(calls_.active().calls, 0u);
  calls_.Forget(call);
  EXPECT_THAT(calls_.recovered(), IsEmpty());
  EXPECT_THAT(journal_.notes, IsEmpty());
}

// What no step leads to is a mistake of ours: see live_call.cc.
TEST(CallStateTest, ACallEndsOnceAndNeverRunsAgainOnceItHasAnAnswer) {
  for (std::size_t i = 0; i < kCallStateCount; ++i) {
    const auto state = static_cast<CallState>(i);
    EXPECT_FALSE(IsLegalStep(CallState::kSettled, state)) << CallStateName(state);
    EXPECT_FALSE(IsLegalStep(state, CallState::kAccepted)) << CallStateName(state);
    EXPECT_FALSE(IsLegalStep(state, CallState::kRecovered)) << CallStateName(state);
    const bool may_run = state == CallState::kQueued;
    EXPECT_EQ(IsLegalStep(state, CallState::kRunning), may_run) << CallStateName(state);
  }
  for (const CallState answered : {CallState::kAnswered, CallState::kSent, CallState::kProven}) {
    for (const CallState active : {CallState::kQueued, CallState::kRunning, CallState::kFailing}) {
      EXPECT_FALSE(IsLegalStep(answered, active));
    }
  }
}

}  // namespace
}  // namespace atomemo::router
