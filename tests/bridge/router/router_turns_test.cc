// What concerns thousands of calls at once is done a part at a time: others have their turn on the
// io thread in between.

#include <gmock/gmock.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

constexpr int kMany = 2000;

class RouterTurnsTest : public RouterTest {
 protected:
  RouterTurnsTest() : RouterTest(Options()) {}

  static RouterOptions Options() {
    RouterOptions options;
    options.limits.max_queued_calls = kMany;
    return options;
  }

  // A worker that has many calls.
  std::unique_ptr<Worker> StartBusyWorker(bool retry_safe = false) {
    pb::ToolPolicy policy;
    policy.set_retry_safe(retry_safe);
    auto worker = StartWorker(/*max_in_flight=*/kMany, std::move(policy));
    HubUp();
    InvokeMany();
    return worker;
  }

  void InvokeMany() {
    for (int i = 0; i < kMany; ++i) HubInvokes(absl::StrCat("r", i));
  }

  // How far things have come at the turn of a task that asks for its turn now.
  std::size_t AtNextTurn(const std::function<std::size_t()>& progress) {
    std::size_t seen = 0;
    scheduler_.After(absl::ZeroDuration(), [&] { seen = progress(); });
    scheduler_.Advance(absl::ZeroDuration());
    return seen;
  }

  std::size_t pushed() const { return hub_.pushed.size(); }
};

TEST_F(RouterTurnsTest, CallsOfALostStreamFail) {
  auto worker = StartBusyWorker();
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  EXPECT_THAT(AtNextTurn([&] { return pushed(); }), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  EXPECT_EQ(pushed(), kMany);
  EXPECT_EQ(ErrorOf("r0").code(), "sdk:crash");
  EXPECT_EQ(ErrorOf(absl::StrCat("r", kMany - 1)).code(), "sdk:crash");
}

TEST_F(RouterTurnsTest, ACallThatEndsBeforeItsTurnToFailHasOneAnswer) {
  auto worker = StartBusyWorker();
  auto other = StartWorker();
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  const std::string last = absl::StrCat("r", kMany - 1);
  Replies(*other, last, "7");
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(ResultOf(last), "7");
  EXPECT_EQ(pushed(), kMany);
}

TEST_F(RouterTurnsTest, CallsOfALostStreamAreHandedToAnotherWorker) {
  auto worker = StartBusyWorker(/*retry_safe=*/true);
  pb::ToolPolicy policy;
  policy.set_retry_safe(true);
  auto other = StartWorker(/*max_in_flight=*/kMany, std::move(policy));
  router_.Unsubscribe(worker->session_id, CallKind::kInvoke);
  const auto handed_over = [&] { return other->calls->request_ids.size(); };
  EXPECT_THAT(AtNextTurn(handed_over), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  ASSERT_THAT(other->calls->request_ids, SizeIs(kMany));
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(other->calls->request_ids[static_cast<std::size_t>(i)], absl::StrCat("r", i));
  }
}

TEST_F(RouterTurnsTest, QueuedCallsThatNobodyServesFail) {
  auto worker = StartWorker();
  HubUp();
  router_.CloseSession(worker->session_id, "gone");
  InvokeMany();
  // A worker that serves other calls only, for longer than streams take to open.
  auto other = Open(Spec());
  Register(*other, PartKind::kTool, kTool);
  Register(*other, PartKind::kCredential, kCredential);
  Publish(*other);
  scheduler_.AdvanceWithoutRunning(absl::Seconds(2));
  ASSERT_TRUE(router_.Subscribe(other->session_id, CallKind::kAuthenticate, 1, other->calls).ok());
  EXPECT_THAT(pushed(), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_EQ(pushed(), kMany);
}

TEST_F(RouterTurnsTest, AForcedDrainFailsCalls) {
  auto worker = StartBusyWorker();
  std::optional<std::size_t> undelivered;
  router_.Drain(absl::Seconds(10), [&](std::size_t count) { undelivered = count; });
  scheduler_.Advance(absl::Seconds(7));
  std::size_t seen = 0;
  scheduler_.After(absl::Seconds(1), [&] { seen = pushed(); });
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(seen, AllOf(Gt(0u), Lt(std::size_t{kMany})));
  EXPECT_EQ(pushed(), kMany);
  EXPECT_THAT(worker->calls->cancelled, SizeIs(kMany));
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_EQ(undelivered, kMany);  // the hub has proven none
}

TEST_F(RouterTurnsTest, CallsThatAreCutOffGoToNoOtherWorkerWhenTheirsDiesMeanwhile) {
  auto worker = StartBusyWorker(/*retry_safe=*/true);
  pb::ToolPolicy policy;
  policy.set_retry_safe(true);
  auto other = StartWorker(/*max_in_flight=*/kMany, std::move(policy));
  router_.Drain(absl::Seconds(10), [](std::size_t) {});
  scheduler_.Advance(absl::Seconds(7));
  scheduler_.After(absl::Seconds(1), [&] {
    ASSERT_THAT(pushed(), AllOf(Gt(0u), Lt(std::size_t{kMany})));
    router_.CloseSession(worker->session_id, "killed");
  });
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(other->calls->request_ids, IsEmpty());
  EXPECT_EQ(pushed(), kMany);
}

TEST_F(RouterTurnsTest, KeptAnswersGoOutAfterARejoin) {
  auto worker = StartBusyWorker();
  HubDown();
  for (int i = 0; i < kMany; ++i) Replies(*worker, absl::StrCat("r", i));
  ASSERT_EQ(pushed(), 0u);
  HubUp();
  EXPECT_THAT(AtNextTurn([&] { return pushed(); }), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  ASSERT_EQ(pushed(), kMany);
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(hub_.pushed[static_cast<std::size_t>(i)].answer.request_id, absl::StrCat("r", i));
  }
}

TEST_F(RouterTurnsTest, ATopicThatIsLostWhileItsAnswersGoOutSendsThemAfterTheNextRejoin) {
  auto worker = StartBusyWorker();
  HubDown();
  for (int i = 0; i < kMany; ++i) Replies(*worker, absl::StrCat("r", i));
  HubUp();
  HubDown();
  const std::size_t before = pushed();
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(pushed(), before);
  HubUp();
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(pushed(), before + kMany);
}

TEST_F(RouterTurnsTest, AnswersAreProven) {
  auto worker = StartBusyWorker();
  for (int i = 0; i < kMany; ++i) Replies(*worker, absl::StrCat("r", i));
  router_.OnProven(hub_.position());
  const auto delivered = [&] { return std::size_t{router_.counters().delivered}; };
  EXPECT_THAT(AtNextTurn(delivered), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  EXPECT_EQ(delivered(), kMany);
  EXPECT_EQ(router_.outbox().answers(), 0u);
}

TEST_F(RouterTurnsTest, ParkedAnswersAreTaken) {
  auto worker = Open(Spec());
  Register(*worker, PartKind::kTool, kTool);
  ASSERT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 1, worker->calls).ok());
  for (int i = 0; i < kMany; ++i) Replies(*worker, absl::StrCat("r", i));
  Publish(*worker);
  HubUp();
  EXPECT_THAT(AtNextTurn([&] { return pushed(); }), AllOf(Gt(0u), Lt(std::size_t{kMany})));
  EXPECT_EQ(pushed(), kMany);
}

}  // namespace
}  // namespace atomemo::router
