#include "bridge/base/pong_pacer.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::base {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class PongPacerTest : public ::testing::Test {
 protected:
  fakes::ManualScheduler scheduler_;
  std::vector<std::string> pongs_;
  std::unique_ptr<PongPacer> pacer_ = std::make_unique<PongPacer>(
      scheduler_, [this](const std::string& payload) { pongs_.push_back(payload); });
};

TEST_F(PongPacerTest, APingIsAnsweredAtOnce) {
  for (const char* payload : {"a", "b", ""}) {
    pacer_->OnPing(payload);
    EXPECT_EQ(pongs_.back(), payload);
    scheduler_.Advance(absl::Seconds(1));
  }
  EXPECT_THAT(pongs_, SizeIs(3));
}

TEST_F(PongPacerTest, OfPingsInQuickSuccessionTheFirstAndTheLatestAreAnswered) {
  for (const char* payload : {"a", "b", "c", "d"}) pacer_->OnPing(payload);
  EXPECT_THAT(pongs_, ElementsAre("a"));
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(pongs_, ElementsAre("a", "d"));
}

TEST_F(PongPacerTest, AFloodIsAnsweredTenTimesASecond) {
  for (int i = 0; i < 10'000; ++i) {
    pacer_->OnPing(absl::StrCat(i));
    scheduler_.Advance(absl::Milliseconds(1));
  }
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_LE(pongs_.size(), 102u);
  EXPECT_EQ(pongs_.back(), "9999");
}

TEST_F(PongPacerTest, NothingIsSentAfterItsEnd) {
  pacer_->OnPing("a");
  pacer_->OnPing("b");
  pacer_.reset();
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(pongs_, ElementsAre("a"));
}

}  // namespace
}  // namespace atomemo::base
