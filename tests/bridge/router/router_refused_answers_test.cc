// One answer that the hub cannot take is found, replaced and, if need be, given up; all others
// arrive.

#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

// A hub with a round trip of 10 ms, whose channel (or connection) ends on some answers.
class RefusedAnswersTest : public RouterTest {
 protected:
  std::size_t Suspects() const {
    const admin::v1::GetStatusResponse status = router_.Status();
    std::size_t suspects = 0;
    for (const admin::v1::PluginStatus& plugin : status.plugins()) {
      suspects += static_cast<std::size_t>(plugin.suspect_answers());
    }
    return suspects;
  }

  RefusedAnswersTest() {
    loss_.cause = HubLoss::Cause::kRefused;
    loss_.reason = "the channel crashed at the hub";
  }

  bool IsPoison(const HubAnswer& answer) const {
    if (poison_errors_ && !answer.ok()) return answer.request_id == "poison";
    return answer.ok() && absl::StrContains(std::get<std::string>(answer.outcome), "poison");
  }

  void Lose(const HubLoss& loss) {
    router_.OnTopicLost(kTopic, loss);
    const std::size_t hastened = hub_.hastened.size();
    HubDown();
    ++losses_;
    rejoin_at_ = scheduler_.Now() +
                 (hub_.hastened.size() > hastened ? absl::Milliseconds(200) : absl::Seconds(1));
    up_ = false;
  }

  void Step() {
    if (!up_ && scheduler_.Now() >= rejoin_at_) {
      up_ = true;
      hub_.socket += loss_.close_code == 0 ? 0 : 1;
      HubUp();
    }
    if (up_) {
      pushed_at_.resize(hub_.pushed.size(), scheduler_.Now());
      bool crashed = false;
      for (; seen_ < hub_.pushed.size(); ++seen_) {
        if (!crashed && scheduler_.Now() < pushed_at_[seen_] + channel_lag_) break;
        const HubAnswer& answer = hub_.pushed[seen_].answer;
        if (crashed) continue;  // in the mailbox of a channel that is no more
        crashed = IsPoison(answer);
        if (!crashed) taken_[answer.request_id] = answer;
      }
      if (crashed) {
        Lose(loss_);
      } else {
        router_.OnProven(hub_.position());
      }
    }
    scheduler_.Advance(absl::Milliseconds(10));
  }

  void Run(absl::Duration time) {
    const absl::Time end = scheduler_.Now() + time;
    while (scheduler_.Now() < end) Step();
  }

  // Calls r0, r1, ..., and one whose answer is poison, at place `poison` of `count`.
  std::unique_ptr<Worker> AnswerMany(int count, int poison) {
    auto worker = StartWorker(10'000);
    HubUp();
    up_ = true;
    for (int i = 0; i < count; ++i) HubInvokes(i == poison ? "poison" : absl::StrCat("r", i));
    for (int i = 0; i < count; ++i) {
      if (i == poison) {
        Replies(*worker, "poison", "\"poison\"");
      } else {
        Replies(*worker, absl::StrCat("r", i));
      }
    }
    return worker;
  }

  std::size_t TimesSent(const std::string& request_id) const {
    return hub_.AnswersTo(request_id).size();
  }

  HubLoss loss_;
  bool poison_errors_ = false;
  // How far the channel is behind the socket, which proves what it has.
  absl::Duration channel_lag_;
  std::vector<absl::Time> pushed_at_;
  bool up_ = false;
  absl::Time rejoin_at_;
  std::size_t seen_ = 0;
  int losses_ = 0;
  std::map<std::string, HubAnswer> taken_;  // by request_id
};

TEST_F(RefusedAnswersTest, OneThatCrashesTheChannelBecomesAnErrorWithinTenSeconds) {
  auto worker = AnswerMany(1000, 700);
  Run(absl::Seconds(10));
  EXPECT_THAT(taken_, SizeIs(1000));
  ASSERT_EQ(taken_.count("poison"), 1u);
  ASSERT_FALSE(taken_["poison"].ok());
  const auto& error = std::get<pb::PluginError>(taken_["poison"].outcome);
  EXPECT_EQ(error.code(), "sdk:invalid_return");
  EXPECT_EQ(error.name(), "AnswerRefusedByHub");
  EXPECT_THAT(error.message(), ::testing::HasSubstr("channel crashed"));
  EXPECT_THAT(error.message(), ::testing::HasSubstr("bytes"));
  for (const auto& [request_id, answer] : taken_) {
    EXPECT_EQ(answer.ok(), request_id != "poison") << request_id;
  }
}

TEST_F(RefusedAnswersTest, NobodySendsAnAnswerWithoutEnd) {
  auto worker = AnswerMany(1000, 999);
  Run(absl::Minutes(10));
  EXPECT_THAT(TimesSent("poison"), Le(16u));
  for (int i = 0; i < 999; ++i) EXPECT_THAT(TimesSent(absl::StrCat("r", i)), Le(5u));
  EXPECT_THAT(losses_, Le(16));
}

TEST_F(RefusedAnswersTest, TheSearchEndsAndNewCallsPassAgain) {
  auto worker = AnswerMany(10, 3);
  Run(absl::Seconds(10));
  const int losses = losses_;
  HubInvokes("later");
  Replies(*worker, "later");
  Run(absl::Seconds(3));
  EXPECT_EQ(taken_.count("later"), 1u);
  EXPECT_EQ(losses_, losses);
  EXPECT_EQ(router_.outbox().answers(), 0u);
  EXPECT_EQ(router_.outbox().bytes(), 0u);
}

TEST_F(RefusedAnswersTest, ManyPoisonAnswersAreFoundOneAfterTheOther) {
  auto worker = StartWorker(1000);
  HubUp();
  up_ = true;
  for (int i = 0; i < 100; ++i) HubInvokes(absl::StrCat("r", i));
  for (int i = 0; i < 100; ++i) {
    Replies(*worker, absl::StrCat("r", i), i % 25 == 7 ? "\"poison\"" : "1");
  }
  Run(absl::Minutes(1));
  EXPECT_THAT(taken_, SizeIs(100));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(taken_[absl::StrCat("r", i)].ok(), i % 25 != 7) << i;
}

// Whoever made the call tries it again as soon as it has failed.
TEST_F(RefusedAnswersTest, TheNextOneIsFoundWhileTheErrorOfTheFirstHasBarelyArrived) {
  for (const int gap_ms : {0, 100, 300, 600, 900}) {
    const std::string first = absl::StrCat("first", gap_ms);
    const std::string second = absl::StrCat("second", gap_ms);
    auto worker = StartWorker(1000);
    HubUp();
    up_ = true;
    HubInvokes(first);
    Replies(*worker, first, "\"poison\"");
    const absl::Time end = scheduler_.Now() + absl::Seconds(20);
    while (taken_.count(first) == 0 && scheduler_.Now() < end) Step();
    Run(absl::Milliseconds(gap_ms));
    HubInvokes(second);
    Replies(*worker, second, "\"poison\"");
    Run(absl::Seconds(10));
    EXPECT_EQ(taken_.count(first), 1u) << gap_ms;
    EXPECT_EQ(taken_.count(second), 1u) << gap_ms;
  }
}

TEST_F(RefusedAnswersTest, OneAfterTheOtherIsFoundAmidOtherCalls) {
  auto worker = StartWorker(1000);
  HubUp();
  up_ = true;
  for (int i = 0; i < 40; ++i) {
    const std::string id = absl::StrCat("r", i);
    HubInvokes(id);
    Replies(*worker, id, i % 10 == 7 ? "\"poison\"" : "1");
    Run(absl::Milliseconds(300));
  }
  Run(absl::Seconds(20));
  EXPECT_THAT(taken_, SizeIs(40));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(taken_[absl::StrCat("r", i)].ok(), i % 10 != 7) << i;
}

TEST_F(RefusedAnswersTest, OneThatIsOnlyNoticedAfterItsProofIsFound) {
  for (const int lag_ms : {100, 400, 700}) {
    channel_lag_ = absl::Milliseconds(lag_ms);
    const std::string poison = absl::StrCat("poison", lag_ms);
    auto worker = StartWorker(1000);
    HubUp();
    up_ = true;
    for (int i = 0; i < 10; ++i) HubInvokes(absl::StrCat("r", lag_ms, "-", i));
    HubInvokes(poison);
    Replies(*worker, poison, "\"poison\"");
    for (int i = 0; i < 10; ++i) {
      Replies(*worker, absl::StrCat("r", lag_ms, "-", i));
      Run(absl::Milliseconds(200));
    }
    Run(absl::Seconds(30));
    EXPECT_EQ(taken_.count(poison), 1u) << lag_ms;
    EXPECT_EQ(router_.outbox().answers(), 0u) << lag_ms;
  }
}

TEST_F(RefusedAnswersTest, OneWhoseErrorCrashesTheChannelTooIsGivenUp) {
  poison_errors_ = true;
  auto worker = StartWorker(1000);
  HubUp();
  up_ = true;
  HubInvokes("poison");
  Replies(*worker, "poison", "\"poison\"");
  poison_errors_ = true;
  for (int i = 0; i < 20; ++i) HubInvokes(absl::StrCat("r", i));
  for (int i = 0; i < 20; ++i) Replies(*worker, absl::StrCat("r", i));
  Run(absl::Minutes(1));
  EXPECT_THAT(taken_, SizeIs(20));
  EXPECT_EQ(router_.outbox().answers(), 0u);
  EXPECT_THAT(worker->events->DeliveredIds(), Contains("poison"));
}

TEST_F(RefusedAnswersTest, TheWorkerHearsThatItsAnswerWasRefusedAndNeedNotKeepIt) {
  auto worker = AnswerMany(3, 1);
  Run(absl::Seconds(10));
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_EQ(worker->calls->rejected[0].first, "poison");
  EXPECT_THAT(worker->events->DeliveredIds(), Contains("poison"));
}

TEST_F(RefusedAnswersTest, ARepeatedCallGetsTheErrorAndNotThePoison) {
  auto worker = AnswerMany(3, 1);
  Run(absl::Seconds(10));
  const int losses = losses_;
  HubInvokes("poison");
  Run(absl::Seconds(3));
  EXPECT_EQ(losses_, losses);
  EXPECT_FALSE(hub_.AnswersTo("poison").back().ok());
}

TEST_F(RefusedAnswersTest, AConnectionThatOthersShareIsLeftBeforeAnybodyIsBlamed) {
  loss_.close_code = 1009;
  loss_.shared = true;
  auto worker = AnswerMany(4, 2);
  Run(absl::Seconds(10));
  EXPECT_THAT(hub_.quarantined, Contains(kTopic));
  EXPECT_THAT(hub_.learnt_from, IsEmpty());
  EXPECT_EQ(taken_.count("poison"), 0u);
  loss_.shared = false;
  Run(absl::Seconds(10));
  EXPECT_THAT(taken_, SizeIs(4));
  EXPECT_THAT(hub_.learnt_from, ::testing::ElementsAre("poison"));
  EXPECT_THAT(hub_.quarantined, IsEmpty());
}

TEST_F(RefusedAnswersTest, AHubThatFailsForReasonsOfItsOwnTakesNoAnswerAlong) {
  // It loses the topic 100 ms after every join, whatever it was sent meanwhile.
  auto worker = AnswerMany(50, -1);
  for (int i = 0; i < 40; ++i) {
    const absl::Time end = scheduler_.Now() + absl::Milliseconds(100);
    while (!up_) Step();
    while (scheduler_.Now() < end) Step();
    if (up_) Lose(loss_);
  }
  Run(absl::Minutes(1));
  EXPECT_THAT(taken_, SizeIs(50));
  for (const auto& [request_id, answer] : taken_) EXPECT_TRUE(answer.ok()) << request_id;
}

TEST_F(RefusedAnswersTest, ThoseThatWereThereByChanceHoldUpOthersNoLongerThanOneProof) {
  auto worker = AnswerMany(50, -1);
  Lose(loss_);
  while (!up_) Step();
  Lose(loss_);
  ASSERT_EQ(Suspects(), 50u);
  HubInvokes("later");
  Replies(*worker, "later");
  while (!up_) Step();
  Run(absl::Milliseconds(400));
  EXPECT_EQ(taken_.count("later"), 1u);
  EXPECT_EQ(taken_.size(), 51u);
}

TEST_F(RefusedAnswersTest, AnAnswerThatTheHubAsksForAgainDuringASearchGoesOutOnceMoreBehindIt) {
  auto worker = AnswerMany(10, -1);
  Lose(loss_);
  while (!up_) Step();
  Lose(loss_);
  while (!up_) Step();
  ASSERT_EQ(Suspects(), 10u);
  ASSERT_EQ(TimesSent("r3"), 3u);
  HubInvokes("r3");
  HubInvokes("r3");
  EXPECT_EQ(TimesSent("r3"), 3u);
  Run(absl::Seconds(5));
  EXPECT_EQ(Suspects(), 0u);
  EXPECT_EQ(TimesSent("r3"), 4u);
  EXPECT_EQ(TimesSent("r4"), 3u);
  EXPECT_THAT(worker->calls->request_ids, SizeIs(10));
}

TEST_F(RefusedAnswersTest, APluginMayGoWhileWhatWasSearchedIsStillWatched) {
  auto worker = AnswerMany(4, -1);
  const auto lose = [this] {
    router_.OnTopicLost(kTopic, loss_);
    HubDown();
    HubUp();
  };
  lose();
  router_.CloseSession(worker->session_id, "gone");
  scheduler_.Advance(absl::Milliseconds(4900));
  lose();
  ASSERT_EQ(Suspects(), 4u);
  router_.OnProven(hub_.position());
  scheduler_.Advance(absl::Milliseconds(100));  // the plugin's grace is over, and the watch not
  EXPECT_THAT(hub_.withdrawn, ::testing::ElementsAre(kTopic));
  EXPECT_EQ(router_.outbox().answers(), 0u);
  EXPECT_EQ(router_.calls().size(), 0u);
}

TEST_F(RefusedAnswersTest, AnotherLossThatTellsNothingHoldsUpOthersForOneMoreProofOnly) {
  loss_.cause = HubLoss::Cause::kMute;
  loss_.close_code = 1006;
  auto worker = AnswerMany(50, -1);
  for (int i = 0; i < 5; ++i) {
    while (!up_) Step();
    Lose(loss_);
  }
  HubInvokes("later");
  Replies(*worker, "later");
  while (!up_) Step();
  Run(absl::Milliseconds(400));
  EXPECT_EQ(taken_.count("later"), 1u);
}

TEST_F(RefusedAnswersTest, FlappingSendsFewAnswersTwice) {
  auto worker = StartWorker(10'000);
  HubUp();
  for (int i = 0; i < 442; ++i) HubInvokes(absl::StrCat("r", i));
  for (int i = 0; i < 442; ++i) Replies(*worker, absl::StrCat("r", i));
  // No answer is ever proven.
  for (int i = 0; i < 40; ++i) {
    HubLoss loss;
    loss.cause = HubLoss::Cause::kMute;
    loss.close_code = 1006;
    router_.OnTopicLost(kTopic, loss);
    HubDown();
    ++hub_.socket;
    HubUp();
    scheduler_.Advance(absl::Milliseconds(50));
  }
  EXPECT_THAT(hub_.pushed.size(), Le(8 * 442u));
  up_ = true;
  Run(absl::Minutes(1));
  EXPECT_THAT(taken_, SizeIs(442));
  for (const auto& [request_id, answer] : taken_) EXPECT_TRUE(answer.ok()) << request_id;
}

TEST_F(RefusedAnswersTest, LossesThatTellNothingOfAFrameHoldUpNothing) {
  loss_.cause = HubLoss::Cause::kOther;
  auto worker = AnswerMany(20, -1);
  for (int i = 1; i <= 10; ++i) {
    Lose(loss_);
    while (!up_) Step();
    EXPECT_THAT(hub_.pushed, SizeIs(20 + 20 * i));
  }
  EXPECT_THAT(hub_.hastened, IsEmpty());
}

TEST_F(RefusedAnswersTest, OneLossAloneChangesNothing) {
  auto worker = AnswerMany(20, -1);
  Lose(loss_);
  while (!up_) Step();
  EXPECT_THAT(hub_.pushed, SizeIs(40));  // all again, at once
}

TEST_F(RefusedAnswersTest, OthersTopicsGoOnMeanwhile) {
  auto worker = AnswerMany(200, 100);
  SessionSpec spec = Spec();
  spec.name = "other";
  auto other = Open(std::move(spec));
  Register(*other, PartKind::kTool, kTool);
  ASSERT_TRUE(router_.Subscribe(other->session_id, CallKind::kInvoke, 16, other->calls).ok());
  Publish(*other);
  SetTopic(pb::HubState::STATE_REGISTERED, "debug_plugin:other");
  Run(absl::Milliseconds(1500));  // in the middle of the search
  ASSERT_GT(Suspects(), 0u);
  pb::Invocation invocation;
  invocation.mutable_info()->set_request_id("mine");
  invocation.set_tool_name("forecast");
  invocation.mutable_parameters()->set_json("{}");
  router_.OnHubCall("debug_plugin:other", fakes::CallOf("invoke_tool", std::move(invocation)));
  Replies(*other, "mine");
  EXPECT_EQ(ResultOf("mine"), "1");
}

}  // namespace
}  // namespace atomemo::router
