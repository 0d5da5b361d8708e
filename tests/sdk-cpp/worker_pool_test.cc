#include "sdk-cpp/src/worker_pool.h"

#include <atomic>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace atomemo::internal {
namespace {

TEST(WorkerPoolTest, RunsAsManyTasksAtOnceAsItHasThreads) {
  WorkerPool pool(4);
  absl::BlockingCounter running(4);
  absl::Notification go_on;
  for (int i = 0; i < 4; ++i) {
    pool.Submit([&] {
      running.DecrementCount();
      go_on.WaitForNotification();
    });
  }
  running.Wait();  // Would hang if they did not run together.
  go_on.Notify();
  EXPECT_TRUE(pool.Shutdown(absl::InfiniteFuture()));
}

TEST(WorkerPoolTest, NeverRunsMoreTasksAtOnceThanItHasThreads) {
  WorkerPool pool(3);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  absl::BlockingCounter done(200);
  for (int i = 0; i < 200; ++i) {
    pool.Submit([&] {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      --running;
      done.DecrementCount();
    });
  }
  done.Wait();
  EXPECT_LE(most, 3);
}

// Waits until every thread has nothing to do.
void WaitUntilIdle(const WorkerPool& pool) {
  while (pool.idle() < pool.threads()) std::this_thread::yield();
}

void RunOne(WorkerPool& pool) {
  absl::Notification done;
  pool.Submit([&done] { done.Notify(); });
  done.WaitForNotification();
  WaitUntilIdle(pool);
}

TEST(WorkerPoolTest, StartsNoThreadBeforeItIsNeeded) {
  WorkerPool pool(4);
  EXPECT_EQ(pool.threads(), 0);
}

TEST(WorkerPoolTest, AnIdleThreadIsUsedAgain) {
  WorkerPool pool(4);
  for (int i = 0; i < 20; ++i) {
    RunOne(pool);
    EXPECT_EQ(pool.threads(), 1);
  }
}

TEST(WorkerPoolTest, AThreadIsStartedForATaskThatNoIdleOneIsLeftFor) {
  WorkerPool pool(4);
  RunOne(pool);
  absl::BlockingCounter running(3);
  absl::Notification go_on;
  for (int i = 0; i < 3; ++i) {
    pool.Submit([&] {
      running.DecrementCount();
      go_on.WaitForNotification();
    });
  }
  running.Wait();  // Would hang if the idle thread counted for all three.
  EXPECT_EQ(pool.threads(), 3);
  go_on.Notify();
  EXPECT_TRUE(pool.Shutdown(absl::InfiniteFuture()));
  EXPECT_EQ(pool.threads(), 0);
}

TEST(WorkerPoolTest, TasksBeyondItsThreadsWait) {
  WorkerPool pool(2);
  absl::BlockingCounter running(2);
  absl::Notification go_on;
  std::atomic<int> started{0};
  for (int i = 0; i < 5; ++i) {
    pool.Submit([&] {
      if (++started <= 2) running.DecrementCount();
      go_on.WaitForNotification();
    });
  }
  running.Wait();
  EXPECT_EQ(pool.threads(), 2);
  EXPECT_EQ(started, 2);
  go_on.Notify();
  while (started < 5) std::this_thread::yield();
  EXPECT_TRUE(pool.Shutdown(absl::InfiniteFuture()));
}

TEST(WorkerPoolTest, ShutdownDropsWhatWaits) {
  // Shared with a task that outlives the test's scope.
  struct Signals {
    absl::Notification started;
    absl::Notification go_on;
  };
  const auto signals = std::make_shared<Signals>();
  WorkerPool pool(1);
  pool.Submit([signals] {
    signals->started.Notify();
    signals->go_on.WaitForNotification();
  });
  signals->started.WaitForNotification();
  pool.Submit([signals] { FAIL() << signals->started.HasBeenNotified(); });
  EXPECT_FALSE(pool.Shutdown(absl::Now())) << "the first task still runs";
  pool.Submit([signals] { FAIL() << signals->started.HasBeenNotified(); });
  EXPECT_EQ(signals.use_count(), 2) << "only the first task is left";
  signals->go_on.Notify();
}

}  // namespace
}  // namespace atomemo::internal
