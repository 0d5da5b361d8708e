// Plugins' calls to the hub: each has one outcome, whatever ends first.

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::SizeIs;

class HubCallTest : public RouterTest {
 protected:
  // Every outcome that a call had.
  using Outcomes = std::shared_ptr<std::vector<absl::StatusOr<std::string>>>;

  HubCallTest() {
    worker_ = StartWorker();
    HubUp();
  }

  Outcomes CallHub(const std::string& event, std::optional<absl::Duration> timeout = std::nullopt) {
    auto outcomes = std::make_shared<std::vector<absl::StatusOr<std::string>>>();
    router_.CallHub(worker_->session_id, event, "{}", timeout,
                    [outcomes](absl::StatusOr<std::string> outcome) {
                      outcomes->push_back(std::move(outcome));
                    });
    return outcomes;
  }
  void HubAnswers() {
    router_.OnHubReply(kTopic, hub_.requests.back().second.request_id, std::string("{}"));
  }
  // That the call under way ends after so long and not before.
  void ExpectTimeout(const Outcomes& outcomes, absl::Duration timeout) {
    scheduler_.Advance(timeout - absl::Milliseconds(1));
    EXPECT_THAT(*outcomes, SizeIs(0));
    scheduler_.Advance(absl::Milliseconds(1));
    ASSERT_THAT(*outcomes, SizeIs(1));
    EXPECT_EQ(outcomes->at(0).status().code(), absl::StatusCode::kDeadlineExceeded);
  }

  std::unique_ptr<Worker> worker_;
};

TEST_F(HubCallTest, MostEventsHaveHalfAMinute) {
  ExpectTimeout(CallHub("get_file_url"), absl::Seconds(30));
}

TEST_F(HubCallTest, ALanguageModelHasAQuarterOfAnHour) {
  ExpectTimeout(CallHub("invoke_llm"), absl::Minutes(15));
}

TEST_F(HubCallTest, ThePluginMaySayHowLongItWaits) {
  ExpectTimeout(CallHub("invoke_llm", absl::Seconds(3)), absl::Seconds(3));
  ExpectTimeout(CallHub("get_file_url", absl::Minutes(50)), absl::Minutes(50));
}

TEST_F(HubCallTest, ButNotLongerThanAnHourNorLessThanAMillisecond) {
  ExpectTimeout(CallHub("invoke_llm", absl::Hours(3)), absl::Hours(1));
  ExpectTimeout(CallHub("invoke_llm", absl::ZeroDuration()), absl::Milliseconds(1));
}

TEST_F(HubCallTest, AnAnsweredCallDoesNotTimeOut) {
  const Outcomes outcomes = CallHub("get_file_url");
  HubAnswers();
  scheduler_.Advance(absl::Hours(2));
  ASSERT_THAT(*outcomes, SizeIs(1));
  EXPECT_TRUE(outcomes->at(0).ok());
}

TEST_F(HubCallTest, AnAnswerAfterTheTimeoutIsDropped) {
  const Outcomes outcomes = CallHub("get_file_url");
  scheduler_.Advance(absl::Seconds(30));
  HubAnswers();
  EXPECT_THAT(*outcomes, SizeIs(1));
}

TEST_F(HubCallTest, OneThatOutlivesItsSessionIsCancelledWithIt) {
  const Outcomes outcomes = CallHub("invoke_llm");
  router_.CloseSession(worker_->session_id, "gone");
  ASSERT_THAT(*outcomes, SizeIs(1));
  EXPECT_EQ(outcomes->at(0).status().code(), absl::StatusCode::kCancelled);
  HubAnswers();
  scheduler_.Advance(absl::Hours(2));
  EXPECT_THAT(*outcomes, SizeIs(1));
}

TEST_F(HubCallTest, AnotherSessionsEndDoesNotCancelIt) {
  auto other = StartWorker();
  const Outcomes outcomes = CallHub("invoke_llm");
  router_.CloseSession(other->session_id, "gone");
  EXPECT_THAT(*outcomes, SizeIs(0));
  HubAnswers();
  ASSERT_THAT(*outcomes, SizeIs(1));
  EXPECT_TRUE(outcomes->at(0).ok());
}

TEST_F(HubCallTest, WhileTheHubIsAwayItFailsAtOnce) {
  HubDown();
  const Outcomes outcomes = CallHub("get_file_url");
  ASSERT_THAT(*outcomes, SizeIs(1));
  EXPECT_EQ(outcomes->at(0).status().code(), absl::StatusCode::kUnavailable);
  scheduler_.Advance(absl::Hours(2));
  EXPECT_THAT(*outcomes, SizeIs(1));
}

TEST_F(HubCallTest, ItNeedsAPublishedSession) {
  worker_ = Open(Spec());
  const Outcomes outcomes = CallHub("get_file_url");
  ASSERT_THAT(*outcomes, SizeIs(1));
  EXPECT_EQ(outcomes->at(0).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace atomemo::router
