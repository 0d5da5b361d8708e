// A new version of a plugin takes over from the old one while calls are under way.

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/bridge_fixture.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

// Calls the tool "repeat" of whatever version the hub prefers, again and again on several threads,
// from its construction until Stop.
class SteadyCalls {
 public:
  explicit SteadyCalls(HubApi hub) {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this, hub] { Run(hub); });
  }
  ~SteadyCalls() { Stop(); }

  void Stop() {
    stopped_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Whether further calls are answered from now on.
  bool WaitMore() const {
    const int before = answered_;
    return WaitUntil([&] { return answered_ > before + kThreads; });
  }
  int failed() const { return failed_; }

 private:
  static constexpr int kThreads = 4;

  void Run(const HubApi& hub) {
    while (!stopped_) {
      const Outcome outcome = hub.Call(ToolCall("repeat"));
      const bool ok = outcome.event == "invoke_tool_response";
      ++(ok ? answered_ : failed_);
      if (!ok) ADD_FAILURE() << outcome.http_status << " " << outcome.payload;
    }
  }

  std::atomic<bool> stopped_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

class RolloutTest : public BridgeFixture {
 protected:
  RolloutTest() {
    StartHub();
    StartBridge();
  }

  // So many calls that the plugin has taken and not answered.
  std::vector<std::future<Outcome>> HoldCalls(TestPlugin& plugin, int count) {
    std::vector<std::future<Outcome>> answers;
    answers.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) answers.push_back(hub().CallLater(ToolCall("hold-on")));
    EXPECT_TRUE(plugin.WaitHolding(count));
    return answers;
  }

  static void ExpectAnswered(std::vector<std::future<Outcome>>& answers) {
    for (auto& answer : answers) EXPECT_EQ(answer.get().event, "invoke_tool_response");
  }
};

TEST_F(RolloutTest, InDebugModeAChangedDefinitionTakesOverAndTheOldWorkerFinishesItsCalls) {
  TestPlugin old_worker(PluginOptions());
  ASSERT_TRUE(hub().WaitJoined());
  std::vector<std::future<Outcome>> held = HoldCalls(old_worker, 2);
  SteadyCalls calls(hub());
  ASSERT_TRUE(calls.WaitMore());

  TestPlugin::Options changed = PluginOptions();
  changed.description = "Changed";
  TestPlugin new_worker(changed);
  ASSERT_TRUE(old_worker.WaitLog("changed definition"));
  ASSERT_TRUE(new_worker.WaitLog("published"));
  EXPECT_EQ(hub().Get("/api/plugins/integration/definition")["description"]["en_US"], "Changed");
  ASSERT_TRUE(calls.WaitMore());
  std::vector<std::future<Outcome>> held_by_new = HoldCalls(new_worker, 2);
  EXPECT_EQ(old_worker.holding(), 2);

  old_worker.Release();
  ExpectAnswered(held);
  EXPECT_FALSE(old_worker.Join().ok()) << "a replaced worker must not come back";
  ASSERT_TRUE(calls.WaitMore());
  new_worker.Release();
  ExpectAnswered(held_by_new);
  calls.Stop();
  EXPECT_EQ(calls.failed(), 0);
}

TEST_F(RolloutTest, InReleaseModeTheNextVersionServesBesideTheOldOneWhichThenDrains) {
  TestPlugin::Options options = PluginOptions();
  options.mode = HubMode::kRelease;
  TestPlugin version1(options);
  ASSERT_TRUE(hub().WaitJoined(1));
  std::vector<std::future<Outcome>> held = HoldCalls(version1, 2);
  SteadyCalls calls(hub());
  ASSERT_TRUE(calls.WaitMore());

  options.version = "2.0.0";
  TestPlugin version2(options);
  ASSERT_TRUE(hub().WaitJoined(2));
  ASSERT_TRUE(calls.WaitMore());
  // The hub prefers the newer version, and can still reach the old one.
  std::vector<std::future<Outcome>> held_by_new = HoldCalls(version2, 2);
  HubCall to_old = ToolCall("repeat");
  to_old.version = "1.0.0";
  EXPECT_EQ(hub().Call(to_old).event, "invoke_tool_response");

  version1.Stop();
  version1.Release();
  ExpectAnswered(held);
  EXPECT_TRUE(version1.Join().ok());
  ASSERT_TRUE(calls.WaitMore());
  version2.Release();
  ExpectAnswered(held_by_new);
  calls.Stop();
  EXPECT_EQ(calls.failed(), 0);
}

}  // namespace
}  // namespace atomemo::integration
