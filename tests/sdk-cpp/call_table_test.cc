#include "sdk-cpp/src/call_table.h"

#include <gtest/gtest.h>

#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::internal {
namespace {

using Admission = CallTable::Admission;

std::shared_ptr<LiveCallControl> Control(absl::Duration time_left = absl::Minutes(1)) {
  return std::make_shared<LiveCallControl>(time_left);
}

Reply ReplyOf(const std::string& request_id, const std::string& data = "") {
  auto message = std::make_shared<plugin::v1::InvokeReply>();
  message->mutable_result()->set_request_id(request_id);
  message->mutable_result()->mutable_data()->set_json(data);
  return {StreamKind::kInvoke, message};
}

// Runs a call to its end.
int Answer(CallTable& table, const std::string& request_id, const std::string& data = "",
           absl::Duration time_left = absl::Minutes(1)) {
  table.Admit(request_id, Control(time_left));
  const int given_up = table.Keep(request_id, ReplyOf(request_id, data));
  table.End(request_id);
  return given_up;
}

TEST(CallTableTest, ACallIsNewThenRunningThenAnswered) {
  CallTable table(10, 1000);
  EXPECT_EQ(table.Admit("a", Control()).admission, Admission::kNew);
  EXPECT_EQ(table.Admit("a", Control()).admission, Admission::kRunning);
  const Reply reply = ReplyOf("a");
  table.Keep("a", reply);
  table.End("a");
  const CallTable::Admitted again = table.Admit("a", Control());
  EXPECT_EQ(again.admission, Admission::kAnswered);
  EXPECT_EQ(again.reply.message, reply.message);
}

TEST(CallTableTest, KeepsAnswersInOrderUntilForgotten) {
  CallTable table(10, 1000);
  for (const char* id : {"a", "b", "c"}) Answer(table, id);
  table.Forget("b");
  table.Forget("unknown");
  const std::vector<Reply> kept = table.Kept();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].message->SerializeAsString(), ReplyOf("a").message->SerializeAsString());
  EXPECT_EQ(kept[1].message->SerializeAsString(), ReplyOf("c").message->SerializeAsString());
}

TEST(CallTableTest, GivesUpTheOldestPastItsCount) {
  CallTable table(2, 1'000'000);
  EXPECT_EQ(Answer(table, "a"), 0);
  EXPECT_EQ(Answer(table, "b"), 0);
  EXPECT_EQ(Answer(table, "c"), 1);
  EXPECT_EQ(table.Kept().size(), 2u);
  EXPECT_EQ(table.Admit("a", Control()).admission, Admission::kNew);
}

TEST(CallTableTest, GivesUpTheOldestPastItsBytesButKeepsTheLast) {
  CallTable table(100, 500);
  Answer(table, "a", std::string(300, 'x'));
  EXPECT_EQ(Answer(table, "b", std::string(300, 'x')), 1);
  EXPECT_EQ(Answer(table, "c", std::string(900, 'x')), 1);
  EXPECT_EQ(table.Kept().size(), 1u);
}

TEST(CallTableTest, DoesNotKeepTheAnswerToACancelledCall) {
  CallTable table(10, 1000);
  const auto control = Control();
  table.Admit("a", control);
  table.Cancel("a");
  EXPECT_TRUE(control->cancelled());
  table.Keep("a", ReplyOf("a"));
  table.End("a");
  EXPECT_TRUE(table.Kept().empty());
}

TEST(CallTableTest, DropsAnswersThatAreFarTooLate) {
  CallTable table(10, 1000);
  Answer(table, "late", "", -absl::Hours(1));
  Answer(table, "good");
  EXPECT_EQ(table.Kept().size(), 1u);
}

TEST(CallTableTest, IsIdleOnceEveryCallHasEnded) {
  CallTable table(10, 1000);
  EXPECT_TRUE(table.WaitIdle(absl::InfinitePast()));
  table.Admit("a", Control());
  EXPECT_FALSE(table.WaitIdle(absl::InfinitePast()));
  table.Keep("a", ReplyOf("a"));
  EXPECT_FALSE(table.WaitIdle(absl::InfinitePast())) << "its answer has not been sent yet";
  table.End("a");
  EXPECT_TRUE(table.WaitIdle(absl::InfinitePast()));
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
