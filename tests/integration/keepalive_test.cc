// A plugin that stands still although its connection is open, as after the death of its host.

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "bridge/cli/probe.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

class KeepaliveTest : public BridgeFixture {
 protected:
  // A bridge that pings plugins all the time, and a worker.
  void Start(const std::vector<std::string>& flags) {
    StartHub();
    std::vector<std::string> command = {ATOMEMO_BRIDGE,    "serve",   "--hub-ws-url", hub_url(),
                                        "--debug-api-key", "dev-key", "--socket",     socket(),
                                        "--journal",       "",        "--keepalive",  "10ms"};
    command.insert(command.end(), flags.begin(), flags.end());
    auto bridge = ChildProcess::Start(command);
    ASSERT_TRUE(bridge.ok()) << bridge.status();
    process_ = *std::move(bridge);
    auto worker = ChildProcess::Start({ATOMEMO_TEST_WORKER, socket(), folder_.path() + "/runs"});
    ASSERT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
    ASSERT_TRUE(hub().WaitJoined());
  }

  // Asks the bridge for its status so often that the worker is due for many pings meanwhile.
  void LetPingsPass() const {
    for (int i = 0; i < 100; ++i) Sessions();
  }

  int Sessions() const {
    const auto status = cli::FetchStatus(socket(), absl::Seconds(5));
    return status.ok() ? static_cast<int>(status->sessions()) : -1;
  }

  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<ChildProcess> worker_;
};

TEST_F(KeepaliveTest, AnIdlePluginThatStandsStillIsTakenForDead) {
  Start({"--keepalive-timeout", "1s"});
  LetPingsPass();
  kill(worker_->pid(), SIGSTOP);
  EXPECT_TRUE(WaitUntil([this] { return Sessions() == 0; }));
}

TEST_F(KeepaliveTest, APluginInADebuggerMayStandStill) {
  Start({"--keepalive-timeout", "50ms", "--debugger"});
  kill(worker_->pid(), SIGSTOP);
  LetPingsPass();
  EXPECT_EQ(Sessions(), 1);
  kill(worker_->pid(), SIGCONT);
  HubCall call = ToolCall("work-on", {{"ms", 0}});
  call.plugin = "worker";
  EXPECT_EQ(hub().Call(call).data()["pid"], worker_->pid());
}

}  // namespace
}  // namespace atomemo::integration
