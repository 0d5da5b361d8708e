#include "sdk-cpp/src/signal_watch.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace atomemo::internal {
namespace {

TEST(SignalWatchTest, TellsOfTheFirstSignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    absl::Notification signalled;
    const SignalWatch watch([&signalled] { signalled.Notify(); });
    raise(number);
    EXPECT_TRUE(signalled.WaitForNotificationWithTimeout(absl::Seconds(20)));
  }
}

TEST(SignalWatchTest, PutsBackWhatWasThereBefore) {
  struct sigaction before = {};
  sigaction(SIGTERM, nullptr, &before);
  {
    const SignalWatch watch([] {});
  }
  struct sigaction after = {};
  sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(SignalWatchDeathTest, ASecondSignalEndsTheProcess) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        const SignalWatch watch([] {});
        raise(SIGTERM);
        raise(SIGTERM);
      },
      ::testing::ExitedWithCode(128 + SIGTERM), "");
}

}  // namespace
}  // namespace atomemo::internal
