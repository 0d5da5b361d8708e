#include "sdk-cpp/src/call_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace atomemo::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Admission = CallTable::Admission;

std::shared_ptr<LiveCallControl> Control(absl::Duration time_left = absl::Minutes(1)) {
  return std::make_shared<LiveCallControl>(time_left);
}

PluginMessagePtr ReplyOf(const std::string& request_id, const std::string& data = "") {
  auto message = std::make_shared<pb::PluginMessage>();
  message->mutable_invoked()->set_request_id(request_id);
  message->mutable_invoked()->mutable_data()->set_json(data);
  return message;
}

// A table and the ids of the calls that it started.
class CallTableTest : public ::testing::Test {
 protected:
  Admission Admit(const std::string& request_id, absl::Duration time_left = absl::Minutes(1)) {
    return Admit(request_id, Control(time_left));
  }
  Admission Admit(const std::string& request_id, std::shared_ptr<LiveCallControl> control) {
    return table_
        .Admit(request_id, std::move(control),
               [this, request_id] { started_.push_back(request_id); })
        .admission;
  }
  // The handler of a call has returned.
  void Answer(const std::string& request_id, std::size_t bytes = 0) {
    table_.End(request_id, ReplyOf(request_id, std::string(bytes, 'x')));
  }
  void AdmitAndAnswer(const std::string& request_id, std::size_t bytes = 0,
                      absl::Duration time_left = absl::Minutes(1)) {
    Admit(request_id, time_left);
    Answer(request_id, bytes);
  }
  std::vector<std::string> Kept() {
    std::vector<std::string> ids;
    for (const PluginMessagePtr& answer : table_.Kept()) {
      ids.push_back(answer->invoked().request_id());
    }
    return ids;
  }

  static constexpr int kMaxKept = 3;
  static constexpr std::int64_t kMaxKeptBytes = 1000;
  CallTable table_{kMaxKept, kMaxKeptBytes};
  std::vector<std::string> started_;
};

TEST_F(CallTableTest, ACallIsNewThenRunningThenAnswered) {
  EXPECT_EQ(Admit("a"), Admission::kStarted);
  EXPECT_EQ(Admit("a"), Admission::kKnown);
  const PluginMessagePtr answer = ReplyOf("a");
  table_.End("a", answer);
  const CallTable::Admitted again = table_.Admit("a", Control(), [] { FAIL(); });
  EXPECT_EQ(again.admission, Admission::kAnswered);
  EXPECT_EQ(again.answer, answer);
  EXPECT_THAT(started_, ElementsAre("a"));
}

TEST_F(CallTableTest, KeepsAnswersInOrderUntilForgotten) {
  for (const char* id : {"a", "b", "c"}) AdmitAndAnswer(id);
  table_.Forget("b");
  table_.Forget("unknown");
  EXPECT_THAT(Kept(), ElementsAre("a", "c"));
}

TEST_F(CallTableTest, RunningCallsAndKeptAnswersTogetherAreBounded) {
  AdmitAndAnswer("kept");
  EXPECT_EQ(Admit("b"), Admission::kStarted);
  EXPECT_EQ(Admit("c"), Admission::kStarted);
  EXPECT_EQ(Admit("d"), Admission::kWaiting);
  EXPECT_EQ(Admit("e"), Admission::kWaiting);
  EXPECT_EQ(Admit("d"), Admission::kKnown);
  Answer("b");
  EXPECT_THAT(started_, ElementsAre("kept", "b", "c")) << "an answer takes its call's room";
  table_.Forget("kept");
  EXPECT_THAT(started_, ElementsAre("kept", "b", "c", "d"));
  table_.Forget("b");
  EXPECT_THAT(started_, ElementsAre("kept", "b", "c", "d", "e"));
  EXPECT_TRUE(Kept().empty());
}

TEST_F(CallTableTest, KeptBytesAreBounded) {
  AdmitAndAnswer("small", 100);
  EXPECT_EQ(Admit("large"), Admission::kStarted);
  Answer("large", 1200);
  EXPECT_EQ(Admit("next"), Admission::kWaiting);
  table_.Forget("small");
  EXPECT_THAT(started_, ElementsAre("small", "large"));
  table_.Forget("large");
  EXPECT_THAT(started_, ElementsAre("small", "large", "next"));
}

TEST_F(CallTableTest, AnAnswerOfExactlyTheBytesLeavesNoRoom) {
  const auto envelope = static_cast<std::int64_t>(ReplyOf("a", "")->ByteSizeLong());
  CallTable table(kMaxKept, envelope);
  table.Admit("a", Control(), [] {});
  table.End("a", ReplyOf("a", ""));
  EXPECT_EQ(table.Admit("b", Control(), [] {}).admission, Admission::kWaiting);
  CallTable larger(kMaxKept, envelope + 1);
  larger.Admit("a", Control(), [] {});
  larger.End("a", ReplyOf("a", ""));
  EXPECT_EQ(larger.Admit("b", Control(), [] {}).admission, Admission::kStarted);
}

TEST_F(CallTableTest, BoundsOfNothingStillLetOneCallThrough) {
  CallTable table(0, 0);
  EXPECT_EQ(table.Admit("a", Control(), [] {}).admission, Admission::kStarted);
  EXPECT_EQ(table.Admit("b", Control(), [] {}).admission, Admission::kWaiting);
}

TEST_F(CallTableTest, DoesNotKeepTheAnswerToACancelledCall) {
  const auto control = Control();
  Admit("a", control);
  table_.Cancel("a");
  EXPECT_TRUE(control->cancelled());
  Answer("a");
  EXPECT_TRUE(Kept().empty());
}

TEST_F(CallTableTest, ACancelledCallTakesNoRoomWhateverItsHandlerDoes) {
  for (const char* id : {"a", "b", "c"}) Admit(id);
  EXPECT_EQ(Admit("d"), Admission::kWaiting);
  table_.Cancel("a");
  table_.Cancel("a");
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(Admit("e"), Admission::kWaiting);
  Answer("a");
  EXPECT_EQ(started_.size(), 4u) << "its room was given away once";
}

TEST_F(CallTableTest, AWaitingCallThatIsCancelledIsStartedToBeAnswered) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Admit(id);
  table_.Cancel("e");
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "e"));
  Answer("e");
  Answer("a");
  EXPECT_EQ(started_.size(), 4u);
  table_.Forget("a");
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "e", "d"));
}

TEST_F(CallTableTest, AWaitingCallThatIsCancelledTakesNoRoomWhileItIsAnswered) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Admit(id);
  table_.Cancel("e");
  Answer("a");
  table_.Forget("a");
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "e", "d"));
}

TEST_F(CallTableTest, CancellingAllStartsWhatWaits) {
  const auto control = Control();
  for (const char* id : {"a", "b", "c"}) Admit(id);
  Admit("d", control);
  table_.CancelAll();
  EXPECT_TRUE(control->cancelled());
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "d"));
  for (const char* id : {"a", "b", "c", "d"}) Answer(id);
  EXPECT_THAT(Kept(), ElementsAre("a", "b", "c", "d"));
  table_.Forget("a");
  EXPECT_EQ(Admit("e"), Admission::kWaiting);
}

TEST_F(CallTableTest, AnswersThatAreFarTooLateMakeRoom) {
  for (const char* id : {"a", "b", "c"}) AdmitAndAnswer(id, 0, -absl::Hours(1));
  EXPECT_EQ(Admit("good"), Admission::kStarted);
  Answer("good");
  EXPECT_THAT(Kept(), ElementsAre("good"));
}

TEST_F(CallTableTest, ACallWhoseAnswerIsForgottenIsNewWhenItComesAgain) {
  AdmitAndAnswer("a");
  table_.Forget("a");
  table_.Forget("a");
  EXPECT_EQ(Admit("a"), Admission::kStarted);
  EXPECT_THAT(started_, ElementsAre("a", "a"));
  Answer("a");
  EXPECT_THAT(Kept(), ElementsAre("a"));
}

TEST_F(CallTableTest, AnAnswerThatIsALittleLateIsKept) {
  AdmitAndAnswer("a", 0, -absl::Seconds(50));
  EXPECT_THAT(Kept(), ElementsAre("a"));
}

TEST_F(CallTableTest, OpenNamesTheCallsWhoseAnswerSomebodyWaitsFor) {
  AdmitAndAnswer("kept");
  Admit("runs");
  Admit("cancelled");
  Admit("waits");
  table_.Cancel("cancelled");
  EXPECT_THAT(table_.Open(), UnorderedElementsAre("kept", "runs", "waits"));
}

TEST_F(CallTableTest, RunningCountsCallsWithoutAnAnswer) {
  EXPECT_TRUE(table_.empty());
  for (const char* id : {"a", "b", "c", "waits"}) Admit(id);
  table_.Cancel("b");
  EXPECT_EQ(table_.running(), 4u);
  for (const char* id : {"a", "b", "c", "waits"}) Answer(id);
  EXPECT_EQ(table_.running(), 0u);
  EXPECT_FALSE(table_.empty()) << "there are answers to be delivered";
  for (const char* id : {"a", "c", "waits"}) table_.Forget(id);
  EXPECT_TRUE(table_.empty());
}

TEST_F(CallTableTest, AnAnswerIsNotKeptOnceItsCallIsCancelled) {
  for (const char* id : {"a", "b", "c"}) AdmitAndAnswer(id);
  EXPECT_EQ(Admit("d"), Admission::kWaiting);
  table_.Cancel("b");
  EXPECT_THAT(Kept(), ElementsAre("a", "c"));
  EXPECT_THAT(started_, ElementsAre("a", "b", "c", "d"));
}

TEST(LiveCallControlTest, ItsDeadlineCancels) {
  EXPECT_FALSE(Control(absl::Minutes(1))->cancelled());
  EXPECT_TRUE(Control(absl::ZeroDuration())->cancelled());
  EXPECT_TRUE(Control(absl::ZeroDuration())->WaitCancelled(absl::Minutes(1)));
  EXPECT_FALSE(Control(absl::InfiniteDuration())->cancelled());
}

TEST(LiveCallControlTest, HooksRunWhenCancelledAndNotAfterRemoval) {
  LiveCallControl control(absl::Minutes(1));
  int runs = 0;
  int removed_runs = 0;
  control.AddCancelHook([&runs] { ++runs; });
  control.RemoveCancelHook(control.AddCancelHook([&removed_runs] { ++removed_runs; }));
  control.Cancel();
  control.Cancel();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(removed_runs, 0);
  control.AddCancelHook([&runs] { ++runs; });
  EXPECT_EQ(runs, 2) << "a hook that comes too late runs at once";
}

}  // namespace
}  // namespace atomemo::internal
