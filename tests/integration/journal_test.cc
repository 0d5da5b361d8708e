// A disk that is full costs no call.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <future>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/cli/command_line.h"
#include "bridge/cli/health_command.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JournalTest : public BridgeFixture {
 protected:
  // In order, so that it leaves nothing in memory.
  ~JournalTest() override {
    plugin_.reset();
    if (process_ != nullptr) process_->Terminate();
  }

  void StartBridgeProcess() {
    auto started = ChildProcess::Start({ATOMEMO_BRIDGE, "serve", "--hub-ws-url", hub_url(),
                                        "--debug-api-key", "dev-key", "--socket", socket()});
    ASSERT_TRUE(started.ok()) << started.status();
    process_ = *std::move(started);
  }
  void StartPlugin() {
    plugin_ = std::make_unique<TestPlugin>(PluginOptions());
    ASSERT_TRUE(hub().WaitJoined());
  }

  // The process, or 0 for this one and those that it starts, can write no file meanwhile.
  static void SetDiskFull(pid_t pid, bool full) {
    rlimit limit = {};
    ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, &limit, nullptr), 0);
  }

  std::string Health() {
    cli::HealthOptions options;
    options.socket = socket();
    std::ostringstream text;
    exit_code_ = cli::RunHealth(options, text, text);
    return text.str();
  }
  bool BecomesOff(bool off) {
    return WaitUntil([&] { return absl::StrContains(Health(), "bridge.journal is off: ") == off; });
  }

  std::future<Outcome> CallThatIsHeld() const {
    HubCall call = ToolCall("hold-on");
    call.request_id = "held";
    return hub().CallLater(call);
  }

  std::unique_ptr<ChildProcess> process_;
  int exit_code_ = -1;
};

TEST_F(JournalTest, AFullDiskStopsNoCallAndTheJournalComesBackByItself) {
  StartHub();
  StartBridgeProcess();
  StartPlugin();
  SetDiskFull(process_->pid(), true);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(hub().Call(ToolCall("repeat")).event, "invoke_tool_response") << i;
  }
  ASSERT_TRUE(BecomesOff(true));
  EXPECT_THAT(Health(), HasSubstr("File too large"));
  EXPECT_EQ(exit_code_, cli::kExitOk);
  std::future<Outcome> answer = CallThatIsHeld();
  ASSERT_TRUE(plugin_->WaitHolding(1));

  SetDiskFull(process_->pid(), false);
  ASSERT_TRUE(BecomesOff(false));
  process_->Kill();
  ASSERT_TRUE(hub().WaitSockets(0));
  StartBridgeProcess();
  ASSERT_TRUE(hub().WaitJoined());
  plugin_->Release();
  EXPECT_EQ(answer.get().event, "invoke_tool_response");
  EXPECT_EQ(plugin_->holding(), 1);
  EXPECT_THAT(Health(), Not(HasSubstr("journal")));
}

TEST_F(JournalTest, ABridgeStartsOnAFullDiskToo) {
  StartHub();
  SetDiskFull(0, true);
  StartBridgeProcess();
  SetDiskFull(0, false);
  StartPlugin();
  EXPECT_EQ(hub().Call(ToolCall("repeat")).event, "invoke_tool_response");
  EXPECT_TRUE(BecomesOff(true));
  EXPECT_EQ(exit_code_, cli::kExitOk);
  SetDiskFull(process_->pid(), false);
  EXPECT_TRUE(BecomesOff(false));
}

}  // namespace
}  // namespace atomemo::integration
