#ifndef ATOMEMO_TESTS_SDK_CPP_SESSION_ENGINE_FIXTURE_H_
#define ATOMEMO_TESTS_SDK_CPP_SESSION_ENGINE_FIXTURE_H_

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "atomemo/plugin.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/sdk-cpp/fake_plugin_service.h"

namespace atomemo {

// A plugin that runs on a thread of its own, and the bridge that it runs against.
class SessionEngineTest : public ::testing::Test {
 protected:
  SessionEngineTest() : plugin_(PluginInfo("test-plugin").Version("1.0.0")) {
    options_.bridge = folder_ / "bridge.sock";
    options_.first_retry_delay = absl::Milliseconds(1);
    options_.last_retry_delay = absl::Milliseconds(20);
    options_.handle_signals = false;
    options_.logger = [this](LogLevel, absl::string_view line) {
      absl::MutexLock lock(&log_mutex_);
      log_ += std::string(line) + "\n";
    };
    plugin_.AddTool(
        Tool("echo").Parameter(String("text")).Invoke([](const Call& call) -> absl::StatusOr<Json> {
          return call.parameters();
        }));
    // Runs until the test lets it go.
    plugin_.AddTool(Tool("wait").Invoke([this](const Call& call) -> absl::StatusOr<Json> {
      ++waits_;
      started_.Notify();
      while (!go_on_.WaitForNotificationWithTimeout(absl::Milliseconds(1))) {
        if (call.cancelled()) return absl::CancelledError("cancelled");
      }
      return "done";
    }));
  }

  ~SessionEngineTest() override {
    plugin_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  void StartPlugin() {
    thread_ = std::thread([this] { status_ = plugin_.Run(options_); });
  }

  // Waits for Run to return.
  absl::Status Finished() {
    thread_.join();
    return status_;
  }

  absl::Status StopPlugin() {
    plugin_.Stop();
    return Finished();
  }

  std::string log() {
    absl::MutexLock lock(&log_mutex_);
    return log_;
  }

  fakes::TemporaryFolder folder_;
  testing::FakePluginService bridge_{folder_ / "bridge.sock"};
  RunOptions options_;
  absl::Notification started_;
  absl::Notification go_on_;
  std::atomic<int> waits_{0};
  absl::Mutex log_mutex_;
  std::string log_ ABSL_GUARDED_BY(log_mutex_);
  Plugin plugin_;
  std::thread thread_;
  absl::Status status_;
};

}  // namespace atomemo

#endif  // ATOMEMO_TESTS_SDK_CPP_SESSION_ENGINE_FIXTURE_H_
