// What becomes of a bridge whose log goes where nobody reads it, and of the log.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/cli/command_line.h"
#include "bridge/cli/health_command.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

using ::testing::HasSubstr;

// With the padding of their ids, so many calls log more than pipe, queue and writer hold together.
constexpr int kCalls = 2'560;
constexpr int kThreads = 8;
constexpr std::size_t kIdPadding = 950;

constexpr char kCtrlQ = '\x11';
constexpr char kCtrlS = '\x13';

class LoggingTest : public BridgeFixture {
 protected:
  ~LoggingTest() override {
    for (const int fd : {reader_, writer_}) {
      if (fd >= 0) close(fd);
    }
  }

  void MakePipe() {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_ = ends[0];
    writer_ = ends[1];
  }

  void MakeTerminal() {
    reader_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(reader_, 0);
    ASSERT_EQ(grantpt(reader_), 0);
    ASSERT_EQ(unlockpt(reader_), 0);
    writer_ = open(ptsname(reader_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(writer_, 0);
  }

  void Press(char key) const { ASSERT_EQ(write(reader_, &key, 1), 1); }

  // Hub, plugin, and a bridge process that logs to `writer_`.
  void StartAllAndLogThere() {
    StartHub();
    absl::StatusOr<std::unique_ptr<ChildProcess>> started = ChildProcess::Start(
        {ATOMEMO_BRIDGE, "serve", "--hub-ws-url", hub_url(), "--debug-api-key", "dev-key",
         "--socket", socket(), "--journal", "", "--log-format", "json",
         // How fast it ends is the machine's affair.
         "--drain-timeout", "60s"},
        "", writer_);
    ASSERT_TRUE(started.ok()) << started.status();
    process_ = *std::move(started);
    close(std::exchange(writer_, -1));
    plugin_ = std::make_unique<TestPlugin>(PluginOptions());
    ASSERT_TRUE(hub().WaitJoined());
  }

  // The number of the calls that were answered.
  int MakeCalls(int count) const {
    std::vector<std::future<int>> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.push_back(std::async(std::launch::async, [this, thread, count] {
        int answered = 0;
        for (int i = 0; i < count / kThreads; ++i) {
          HubCall call = ToolCall("repeat");
          call.request_id = absl::StrCat("call-", thread, "-", i, std::string(kIdPadding, '-'));
          answered += hub().Call(call).event == "invoke_tool_response" ? 1 : 0;
        }
        return answered;
      }));
    }
    int answered = 0;
    for (std::future<int>& thread : threads) answered += thread.get();
    return answered;
  }

  bool IsAlive() const {
    cli::HealthOptions options;
    options.socket = socket();
    options.live = true;
    std::ostringstream text;
    return cli::RunHealth(options, text, text) == cli::kExitOk;
  }

  // The next line that contains `text`, as JSON.
  base::Json ReadLineWith(const std::string& text) {
    while (true) {
      const std::size_t end = log_.find('\n');
      if (end == std::string::npos) {
        char buffer[64 << 10];
        const ssize_t count = read(reader_, buffer, sizeof(buffer));
        if (count <= 0) return nullptr;
        log_.append(buffer, static_cast<std::size_t>(count));
        continue;
      }
      const std::string line = log_.substr(0, end);
      log_.erase(0, end + 1);
      if (absl::StrContains(line, text)) return base::ParseJson(line).value_or(nullptr);
    }
  }

  int reader_ = -1;
  int writer_ = -1;
  std::string log_;
  std::unique_ptr<ChildProcess> process_;
};

TEST_F(LoggingTest, APipeThatNobodyReadsStopsNeitherCallsNorProbesNorTheEnd) {
  MakePipe();
  StartAllAndLogThere();
  EXPECT_EQ(MakeCalls(kCalls), kCalls);
  EXPECT_TRUE(IsAlive());
  EXPECT_EQ(process_->Terminate(), 0);
}

TEST_F(LoggingTest, AReaderThatComesBackIsToldHowManyLinesAreMissing) {
  MakePipe();
  StartAllAndLogThere();
  ASSERT_EQ(MakeCalls(kCalls), kCalls);
  const base::Json notice = ReadLineWith("log lines dropped");
  ASSERT_TRUE(notice.is_object());
  EXPECT_EQ(notice["level"], "warning");
  EXPECT_GT(notice["count"], 0);
  EXPECT_LT(notice["count"], kCalls);
  HubCall call = ToolCall("repeat");
  call.request_id = "afterwards";
  ASSERT_EQ(hub().Call(call).event, "invoke_tool_response");
  EXPECT_TRUE(ReadLineWith("afterwards").is_object());
}

TEST_F(LoggingTest, ATerminalThatIsHeldWithCtrlSStopsNoCalls) {
  MakeTerminal();
  StartAllAndLogThere();
  Press(kCtrlS);
  EXPECT_EQ(MakeCalls(kCalls), kCalls);
  EXPECT_TRUE(IsAlive());
  Press(kCtrlQ);
  EXPECT_TRUE(ReadLineWith("log lines dropped").is_object());
}

TEST_F(LoggingTest, AJsonLineOfACallSaysWhatHappenedToWhatInFigures) {
  MakePipe();
  StartAllAndLogThere();
  HubCall call = ToolCall("repeat");
  call.request_id = "r1";
  ASSERT_EQ(hub().Call(call).event, "invoke_tool_response");
  const base::Json line = ReadLineWith("r1");
  EXPECT_EQ(line["message"], "call answered");
  EXPECT_EQ(line["event"], "invoke_tool");
  EXPECT_EQ(line["pid"], getpid());
  EXPECT_TRUE(line["ms"].is_number_integer()) << line;
  call = ToolCall("patient");
  call.request_id = "r2";
  ASSERT_EQ(hub().Call(call).event, "invoke_tool_error");
  EXPECT_EQ(ReadLineWith("r2")["pid"], getpid());
}

TEST_F(LoggingTest, ABridgeThatIsStoppedHasLoggedItsEnd) {
  MakePipe();
  StartAllAndLogThere();
  EXPECT_EQ(process_->Terminate(), 0);
  EXPECT_TRUE(ReadLineWith("\"stopped\"").is_object());
}

}  // namespace
}  // namespace atomemo::integration
