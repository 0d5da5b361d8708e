#ifndef ATOMEMO_TESTS_INTEGRATION_TEST_PLUGIN_H_
#define ATOMEMO_TESTS_INTEGRATION_TEST_PLUGIN_H_

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "atomemo/plugin.h"

namespace atomemo::integration {

// A plugin made with the SDK, on a thread of its own, with something for each of the hub's events:
//
//   credential "api-key"   is good unless its field `key` is "bad"; the error has a stack
//   credential "account"   OAuth2
//   tool "repeat"            answers with its parameters
//   tool "hold-on"            counts itself in holding(), answers after Release()
//   tool "patient"         never answers within its 300 ms
//   tool "picker"            has a resource list and a mapping
//   tool "ask-hub"         answers with what the hub answers to `event` with `data`
//   tool "store"           stores `content` with the hub, fetches it, and answers with both
class TestPlugin {
 public:
  struct Options {
    std::string socket;
    std::string name = "integration";
    std::string version = "1.0.0";
    std::string description = "For tests";
    HubMode mode = HubMode::kDebug;
    int threads = 4;
  };
  // Starts at once.
  explicit TestPlugin(const Options& options);
  // Releases, and stops.
  ~TestPlugin();
  TestPlugin(const TestPlugin&) = delete;
  TestPlugin& operator=(const TestPlugin&) = delete;

  // Lets the "hold-on" calls answer, those of now and of later.
  void Release();
  // Makes Run return.
  void Stop() { plugin_.Stop(); }
  // What Run returned; waits for it.
  absl::Status Join();

  int holding() const { return holding_; }
  bool WaitHolding(int count) const;
  // Whether a line of the plugin's log contains `text`.
  bool HasLog(const std::string& text) const;
  bool WaitLog(const std::string& text) const;

 private:
  Plugin MakePlugin(const Options& options);
  absl::StatusOr<Json> Hold(const Call& call);
  void Log(absl::string_view line);

  std::atomic<int> holding_{0};
  absl::Notification released_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
  absl::Status result_;  // written by the thread, read after its end
  Plugin plugin_;
  std::thread thread_;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_TEST_PLUGIN_H_
