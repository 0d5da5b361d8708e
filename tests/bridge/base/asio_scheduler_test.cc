#include "bridge/base/asio_scheduler.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace atomemo::base {
namespace {

using ::testing::ElementsAre;

TEST(AsioSchedulerTest, TasksRunInTheOrderOfTheirDueTimes) {
  asio::io_context io;
  AsioScheduler scheduler(io);
  std::vector<int> ran;
  scheduler.After(absl::Milliseconds(2), [&] { ran.push_back(2); });
  scheduler.After(absl::Milliseconds(1), [&] { ran.push_back(1); });
  scheduler.After(absl::Seconds(-1), [&] { ran.push_back(0); });
  EXPECT_TRUE(ran.empty());
  io.run();
  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

TEST(AsioSchedulerTest, ACancelledTaskDoesNotRunEvenIfItIsDueTogetherWithItsCanceller) {
  asio::io_context io;
  AsioScheduler scheduler(io);
  bool ran = false;
  Scheduler::TimerId second = Scheduler::kNoTimer;
  scheduler.After(absl::ZeroDuration(), [&] { scheduler.Cancel(second); });
  second = scheduler.After(absl::ZeroDuration(), [&] { ran = true; });
  io.run();
  EXPECT_FALSE(ran);
}

TEST(AsioSchedulerTest, PostMayComeFromAnotherThread) {
  asio::io_context io;
  AsioScheduler scheduler(io);
  int count = 0;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) scheduler.Post([&] { ++count; });
  });
  poster.join();
  io.run();
  EXPECT_EQ(count, 1000);
}

TEST(AsioSchedulerTest, PendingTasksAreDroppedWithTheScheduler) {
  asio::io_context io;
  bool ran = false;
  {
    AsioScheduler(io).After(absl::ZeroDuration(), [&] { ran = true; });
  }
  io.run();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace atomemo::base
