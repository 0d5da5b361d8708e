#include "tests/integration/chaos/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/chaos/chaos_worker.h"

namespace atomemo::chaos {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr pid_t kWorker = 100;
constexpr pid_t kOtherWorker = 200;

absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

Answer MakeAnswer(double at, const std::string& code = "") {
  return {At(at), code.empty() ? "invoke_tool_response" : "invoke_tool_error", code, code, 1};
}

// A call that was made at 0 with 10 s to go, run from 0.1 to 0.2, and answered at 0.3.
Evidence OneGoodCall() {
  BookedCall call;
  call.request_id = "call-0";
  call.plan = {"invoke_tool", "", absl::Seconds(10)};
  call.sent = At(0);
  call.answer = MakeAnswer(0.3);
  Evidence evidence;
  evidence.calls.push_back(call);
  evidence.runs.push_back({"call-0", kWorker, At(0.1), At(0.2)});
  return evidence;
}

TEST(VerdictTest, ACallThatIsRunOnceAndAnsweredInTimeIsNoViolation) {
  const Verdict verdict = Judge(OneGoodCall());
  EXPECT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.responses, 1);
  EXPECT_EQ(verdict.median, absl::Seconds(0.3));
}

TEST(VerdictTest, ACallWithoutAnswerIsAViolation) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer.reset();
  evidence.runs.clear();
  evidence.line_restored = {At(1)};
  EXPECT_THAT(Judge(evidence).violations, ElementsAre(StartsWith("unanswered: call-0")));
  // Unless it was lost on the way to the bridge, and the hub does not repeat calls.
  evidence.repeat_pending = false;
  EXPECT_TRUE(Judge(evidence).ok());
  evidence.line_restored.clear();
  EXPECT_EQ(Judge(evidence).unanswered, 1);
}

TEST(VerdictTest, ASecondAnswerMaySayTheSameButNothingElse) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].duplicates = 1;
  EXPECT_TRUE(Judge(evidence).ok());
  evidence.calls[0].contradiction = MakeAnswer(0.4, "sdk:crash");
  EXPECT_THAT(Judge(evidence).violations, ElementsAre(StartsWith("two different answers: ")));
}

TEST(VerdictTest, AnotherAnswerIsNoViolationIfBridgeAndWorkerWereBothKilled) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].contradiction = MakeAnswer(2, "sdk:crash");
  evidence.bridge_kills = {At(0.5)};
  EXPECT_THAT(Judge(evidence).violations,
              ElementsAre(StartsWith("two different answers after the bridge was killed: ")));
  evidence.worker_kills = {{kOtherWorker, At(0.6)}};
  EXPECT_FALSE(Judge(evidence).ok());
  evidence.worker_kills = {{kWorker, At(2.1)}};  // it could have said so before
  EXPECT_FALSE(Judge(evidence).ok());
  evidence.worker_kills = {{kWorker, At(0.6)}};
  EXPECT_TRUE(Judge(evidence).ok());
  EXPECT_EQ(Judge(evidence).contradictions_after_both_kills, 1);
  // A second answer of the plugin's would mean a second run.
  evidence.calls[0].contradiction = MakeAnswer(2);
  EXPECT_FALSE(Judge(evidence).ok());
}

TEST(VerdictTest, ASecondRunIsAViolationAndToldApartWhenTheBridgeWasKilledInBetween) {
  Evidence evidence = OneGoodCall();
  evidence.runs.push_back({"call-0", kOtherWorker, At(2), At(2.1)});
  EXPECT_THAT(Judge(evidence).violations, ElementsAre(StartsWith("second run: ")));
  evidence.bridge_kills = {At(1)};
  EXPECT_THAT(Judge(evidence).violations,
              ElementsAre(StartsWith("second run after the bridge was killed: ")));
}

TEST(VerdictTest, AnAnswerMayComeASecondAfterTheDeadlineAndNoLater) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer = MakeAnswer(10.9);
  EXPECT_TRUE(Judge(evidence).ok());
  evidence.calls[0].answer = MakeAnswer(11.1);
  EXPECT_THAT(Judge(evidence).violations, ElementsAre(StartsWith("late: ")));
}

TEST(VerdictTest, AToolsOwnDeadlineCountsFromWhenTheLineWasRestored) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].plan.overruns = true;
  evidence.calls[0].answer = MakeAnswer(5, "sdk:timeout");
  evidence.runs[0].cancelled = true;
  EXPECT_EQ(Judge(evidence).late, 1);
  evidence.line_restored = {At(3.5)};
  EXPECT_EQ(Judge(evidence).late, 0);
}

TEST(VerdictTest, ACallOfAWorkerThatDiedWithItsBridgeMayTakeAsLongAsItsTool) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer = MakeAnswer(16, "sdk:timeout");
  evidence.runs[0].ended.reset();
  evidence.line_restored = {At(5.5)};
  evidence.bridge_kills = {At(6)};
  EXPECT_EQ(Judge(evidence).late, 1);
  evidence.worker_kills = {{kOtherWorker, At(6.2)}};
  EXPECT_EQ(Judge(evidence).late, 1);
  evidence.worker_kills = {{kWorker, At(6.2)}};
  EXPECT_EQ(Judge(evidence).late, 0);
  evidence.worker_kills = {{kWorker, At(12)}};  // it had been back, and its end was seen
  EXPECT_EQ(Judge(evidence).late, 1);
}

TEST(VerdictTest, TheAnswerOfARunInAWorkerThatLivedOnMustNotBeLost) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer = MakeAnswer(0.3, "sdk:crash");
  EXPECT_THAT(Judge(evidence).violations,
              ElementsAre(StartsWith("answer of a live plugin lost: ")));
  evidence.worker_kills = {{kWorker, At(0.25)}};
  EXPECT_TRUE(Judge(evidence).ok());
  evidence.worker_kills = {{kWorker, At(8)}};
  EXPECT_EQ(Judge(evidence).lost_answers, 1);
  // It had no time to offer the answer to the next bridge.
  evidence.bridge_kills = {At(7)};
  EXPECT_EQ(Judge(evidence).lost_answers, 0);
}

TEST(VerdictTest, AnAnswerIsLostWithTheWorkerAndThenTheBridgeWhileTheHubIsAway) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer = MakeAnswer(9, "sdk:timeout");
  evidence.worker_kills = {{kWorker, At(5)}};
  EXPECT_EQ(Judge(evidence).lost_answers, 1);
  evidence.bridge_kills = {At(9.5)};
  EXPECT_EQ(Judge(evidence).lost_answers, 1);
  evidence.bridge_kills = {At(7)};
  EXPECT_EQ(Judge(evidence).lost_answers, 0);
  evidence.worker_kills = {{kOtherWorker, At(5)}};
  EXPECT_EQ(Judge(evidence).lost_answers, 1);
}

TEST(VerdictTest, AnErrorThatTheToolWantedIsItsAnswer) {
  Evidence evidence = OneGoodCall();
  evidence.calls[0].answer = MakeAnswer(0.3, kWantedError);
  EXPECT_TRUE(Judge(evidence).ok());
}

TEST(VerdictTest, GrownMemoryAndOpenDescriptorsAreViolations) {
  Evidence evidence = OneGoodCall();
  evidence.levels.push_back({"bridge", {1000, 15}, {1500, 16}, 499});
  EXPECT_THAT(Judge(evidence).violations,
              ElementsAre(HasSubstr("grew by 500 KB"), HasSubstr("had 15 descriptors and has 16")));
}

TEST(VerdictTest, TheReportHasAllFigures) {
  Evidence evidence = OneGoodCall();
  evidence.faults["cuts"] = 3;
  const std::string report = Report(evidence, Judge(evidence));
  EXPECT_THAT(report, HasSubstr("faults      3 cuts\n"));
  EXPECT_THAT(report, HasSubstr("1 responses, 0 errors"));
  EXPECT_THAT(report, HasSubstr("violations  0\n"));
}

}  // namespace
}  // namespace atomemo::chaos
