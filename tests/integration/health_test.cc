// What `atomemo-bridge health` says of a running bridge.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/cli/command_line.h"
#include "bridge/cli/health_command.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

using ::testing::HasSubstr;

class HealthTest : public BridgeFixture {
 protected:
  // Runs the command; its output, both streams.
  std::string Health(cli::HealthOptions options, int* exit_code) const {
    options.socket = socket();
    std::ostringstream text;
    *exit_code = cli::RunHealth(options, text, text);
    return text.str();
  }

  bool BecomesReady() const {
    return WaitUntil([this] {
      int exit_code = 0;
      Health({}, &exit_code);
      return exit_code == cli::kExitOk;
    });
  }

  int exit_code_ = -1;
};

TEST_F(HealthTest, AServedPluginIsReadyAndShownWithItsFigures) {
  StartAll();
  ASSERT_TRUE(BecomesReady());
  const std::string text = Health({}, &exit_code_);
  EXPECT_EQ(exit_code_, cli::kExitOk);
  EXPECT_THAT(text, HasSubstr("ready"));
  EXPECT_THAT(text, HasSubstr("debug_plugin:integration  yes"));
}

TEST_F(HealthTest, AHubThatIsAwayIsToldWithTheReason) {
  StartAll();
  ASSERT_TRUE(BecomesReady());
  StopHub();
  EXPECT_TRUE(WaitUntil([this] {
    const std::string text = Health({}, &exit_code_);
    return exit_code_ == cli::kExitFailed &&
           text.find("not ready: no connection to the hub: cannot connect: 127.0.0.1:") == 0;
  }));
  Health({"", /*live=*/true}, &exit_code_);
  EXPECT_EQ(exit_code_, cli::kExitOk);
}

TEST_F(HealthTest, ABridgeIsNotReadyBeforeItHasReachedTheHub) {
  StartHub();  // for a port
  StopHub();
  StartBridge();
  EXPECT_TRUE(WaitUntil([this] {
    return absl::StrContains(Health({}, &exit_code_), "Connection refused") &&
           exit_code_ == cli::kExitFailed;
  }));
  StartHub();
  EXPECT_TRUE(BecomesReady());
  EXPECT_THAT(Health({}, &exit_code_),
              HasSubstr(absl::StrCat("hub ", hub_url(), ": 1 connection")));
}

TEST_F(HealthTest, AKeyThatTheHubRefusesIsToldWithoutAPluginAndMayBeMended) {
  const std::string key_file = folder_.path() + "/key";
  std::ofstream(key_file) << "stale";
  options_.hub.api_key.key_file = key_file;
  StartHub();
  StartBridge();
  EXPECT_TRUE(WaitUntil([this] {
    return absl::StrContains(Health({}, &exit_code_), "the hub refused the debug API key") &&
           exit_code_ == cli::kExitFailed;
  }));
  std::ofstream(key_file) << "dev-key";
  EXPECT_TRUE(BecomesReady());
}

TEST_F(HealthTest, APluginThatIsExpectedAndMissingIsNotReady) {
  StartHub();
  StartBridge();
  EXPECT_TRUE(BecomesReady());
  const std::string text = Health({"", false, {"weather"}}, &exit_code_);
  EXPECT_EQ(exit_code_, cli::kExitFailed);
  EXPECT_THAT(text, HasSubstr("weather: no such plugin is published"));
}

TEST_F(HealthTest, EverythingIsToldAsJson) {
  StartAll();
  ASSERT_TRUE(BecomesReady());
  const base::Json status = base::Json::parse(Health({"", false, {}, /*json=*/true}, &exit_code_));
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["plugins"][0]["name"], "integration");
  EXPECT_EQ(status["plugins"][0]["workers"], "1");
}

}  // namespace
}  // namespace atomemo::integration
