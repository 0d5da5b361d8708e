#include "bridge/plugin_service/health_board.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/manual_scheduler.h"

namespace atomemo::plugin_service {
namespace {

// A bridge whose status takes its time.
class SlowStatus : public router::StatusPort {
 public:
  explicit SlowStatus(fakes::ManualScheduler& clock) : clock_(clock) {}

  admin::v1::GetStatusResponse Status() const override {
    ++asked;
    clock_.AdvanceWithoutRunning(cost);
    return status;
  }

  admin::v1::GetStatusResponse status;
  absl::Duration cost;
  mutable int asked = 0;

 private:
  fakes::ManualScheduler& clock_;
};

class HealthBoardTest : public ::testing::Test {
 protected:
  void AddPlugin(const char* name, bool ready) {
    admin::v1::PluginStatus& plugin = *status_.status.add_plugins();
    plugin.set_name(name);
    plugin.set_ready(ready);
  }

  fakes::ManualScheduler clock_;
  SlowStatus status_{clock_};
  HealthBoard board_{status_, clock_};
};

TEST_F(HealthBoardTest, TellsWhatIsReady) {
  status_.status.set_ready(true);
  AddPlugin("good", true);
  AddPlugin("half", true);
  AddPlugin("half", false);
  EXPECT_TRUE(board_.ready());
  EXPECT_FALSE(board_.draining());
  EXPECT_EQ(board_.IsReady("good"), true);
  EXPECT_EQ(board_.IsReady("half"), false);
  EXPECT_EQ(board_.IsReady("other"), std::nullopt);
}

TEST_F(HealthBoardTest, AStatusThatCostsNothingIsAlwaysFresh) {
  EXPECT_FALSE(board_.ready());
  status_.status.set_ready(true);
  EXPECT_TRUE(board_.ready());
}

TEST_F(HealthBoardTest, TakesATwentiethOfTheTimeHoweverManyAsk) {
  status_.cost = absl::Milliseconds(5);
  for (int i = 0; i < 1000; ++i) {
    board_.ready();
    board_.IsReady("other");
    clock_.AdvanceWithoutRunning(absl::Milliseconds(1));
  }
  EXPECT_LE(status_.asked, 11);
  EXPECT_GE(status_.asked, 10);
}

TEST_F(HealthBoardTest, SoItDoesHoweverQuickItIs) {
  status_.cost = absl::Microseconds(500);
  for (int i = 0; i < 10'000; ++i) {
    board_.ready();
    clock_.AdvanceWithoutRunning(absl::Microseconds(100));
  }
  EXPECT_LE(status_.asked * status_.cost, absl::Milliseconds(60));
}

TEST_F(HealthBoardTest, WhoeverAsksNowAndThenIsToldHowItIsRightNow) {
  status_.cost = absl::Microseconds(500);
  for (int i = 0; i < 10; ++i) {
    status_.status.set_ready(i % 2 == 0);
    EXPECT_EQ(board_.ready(), i % 2 == 0);
    clock_.AdvanceWithoutRunning(absl::Milliseconds(10));
  }
}

TEST_F(HealthBoardTest, IsASecondOldAtMostHoweverLongItTook) {
  status_.cost = absl::Seconds(10);
  EXPECT_FALSE(board_.ready());
  status_.status.set_ready(true);
  EXPECT_FALSE(board_.ready());
  clock_.AdvanceWithoutRunning(absl::Seconds(1));
  EXPECT_TRUE(board_.ready());
}

}  // namespace
}  // namespace atomemo::plugin_service
