#include "bridge/cli/call_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <future>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/devhub/dev_hub.h"
#include "tests/bridge/devhub/raw_websocket.h"

namespace atomemo::cli {
namespace {

using devhub::RawWebSocket;
using ::testing::HasSubstr;

// A hub with one plugin named "p", which answers calls as the test says.
class CallCommandTest : public ::testing::Test {
 protected:
  CallCommandTest() {
    devhub::DevHubOptions hub_options;
    hub_options.port = 0;
    hub_ = std::make_unique<devhub::DevHub>(hub_options);
    port_ = hub_->Start().value();
    plugin_ =
        std::make_unique<RawWebSocket>(port_, "/debug_socket/websocket?api_key=dev-key&vsn=2.0.0");
    plugin_->Send(R"(["1","1","debug_plugin:p","phx_join",{}])");
    plugin_->Receive();
    options_.plugin = "p";
    options_.event = "invoke_tool";
    options_.hub_url = absl::StrCat("http://127.0.0.1:", port_);
  }

  int Run() { return RunCall(options_, out_, err_); }

  // Runs the call while the plugin answers it with `event` and `member` ("\"data\":1").
  int RunAnswered(const std::string& event, const std::string& member) {
    std::future<int> exit_code = std::async(std::launch::async, [this] { return Run(); });
    frame_ = plugin_->Receive().payload;
    received_ = base::ParseJson(frame_).value_or(base::Json());
    if (received_.is_null()) {  // what only the bridge takes
      std::string id = frame_.substr(frame_.find("\"request_id\":\"") + 14);
      received_[4]["request_id"] = id.substr(0, id.find('"'));
    }
    plugin_->Send(absl::StrCat(R"(["1","2","debug_plugin:p",")", event, R"(",{"request_id":)",
                               received_[4]["request_id"].dump(), ",", member, "}]"));
    return exit_code.get();
  }

  std::unique_ptr<devhub::DevHub> hub_;
  std::uint16_t port_ = 0;
  std::unique_ptr<RawWebSocket> plugin_;
  CallOptions options_;
  std::string frame_;
  base::Json received_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CallCommandTest, PrintsTheResponseAndSucceeds) {
  options_.json = R"({"tool_name":"t"})";
  EXPECT_EQ(RunAnswered("invoke_tool_response", R"("data":{"a":1})"), 0);
  EXPECT_EQ(received_[4]["tool_name"], "t");
  EXPECT_EQ(base::ParseJson(out_.str()).value()["data"]["a"], 1);
  EXPECT_THAT(out_.str(), HasSubstr("\n  \"data\": {"));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CallCommandTest, RawPrintsTheAnswerDigitByDigit) {
  options_.raw = true;
  EXPECT_EQ(RunAnswered("invoke_tool_response", R"("data":1.2300)"), 0);
  EXPECT_THAT(out_.str(), HasSubstr(R"("data":1.2300})"));
}

TEST_F(CallCommandTest, EveryNumberPassesDigitByDigitBothWays) {
  options_.json = R"({"big":100000000000000000000,"low":-9223372036854775809,"v":1e400,"z":-0})";
  EXPECT_EQ(
      RunAnswered("invoke_tool_response", R"("data":115792089237316195423570985008687907853)"), 0);
  EXPECT_THAT(
      frame_,
      HasSubstr(R"("big":100000000000000000000,"low":-9223372036854775809,"v":1e400,"z":-0)"));
  EXPECT_THAT(out_.str(), HasSubstr("\"data\": 115792089237316195423570985008687907853\n"));
}

TEST_F(CallCommandTest, WhatTheBridgeDoesNotTakeIsForTheBridgeToSay) {
  options_.json =
      R"({"cut":"\ud83d","deep":)" + std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_EQ(RunAnswered("invoke_tool_error", R"("error":{"message":"no"})"), 1);
  EXPECT_THAT(frame_, HasSubstr(R"("cut":"\ud83d","deep":[[[)"));
}

TEST_F(CallCommandTest, BrokenJsonIsShownWithItsPlace) {
  options_.json = "{\n \"average\": NaN}";
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("line 2, column 13: NaN is no JSON: use null (near "));
}

TEST_F(CallCommandTest, AnErrorAnswerIsPrintedAndFailsWith1) {
  EXPECT_EQ(RunAnswered("invoke_tool_error", R"("error":{"message":"no"})"), 1);
  EXPECT_THAT(out_.str(), HasSubstr(R"("message": "no")"));
  EXPECT_THAT(err_.str(), HasSubstr("invoke_tool_error"));
}

TEST_F(CallCommandTest, AnUnsupportedEventFailsWith1) {
  options_.event = "no_such_event";
  EXPECT_EQ(RunAnswered("unsupported_event", R"("error":{})"), 1);
}

TEST_F(CallCommandTest, ReadsThePayloadFromInputOrFile) {
  std::istringstream input(R"({"from":"input"})");
  options_.input = &input;
  options_.json = "-";
  EXPECT_EQ(RunAnswered("invoke_tool_response", R"("data":1)"), 0);
  EXPECT_EQ(received_[4]["from"], "input");

  const std::string path = ::testing::TempDir() + "/call_command_test." + std::to_string(getpid());
  std::ofstream(path) << "\xEF\xBB\xBF"
                      << R"({"from":"file"})";  // some editors put it there
  options_.json = "@" + path;
  EXPECT_EQ(RunAnswered("invoke_tool_response", R"("data":1)"), 0);
  EXPECT_EQ(received_[4]["from"], "file");
}

TEST_F(CallCommandTest, UnusableInputFailsWith2AndSaysWhy) {
  for (const char* json : {"", "[1]", "{", "text", "@/no/such/file"}) {
    options_.json = json;
    EXPECT_EQ(Run(), 2) << json;
  }
  EXPECT_THAT(err_.str(), HasSubstr("JSON must be an object"));
  EXPECT_THAT(err_.str(), HasSubstr("/no/such/file"));
}

TEST_F(CallCommandTest, AnUnknownPluginFailsWith2AndNamesThoseThatHaveJoined) {
  options_.plugin = "other";
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("joined are: debug_plugin:p"));
}

TEST_F(CallCommandTest, ATimeoutFailsWith2) {
  options_.timeout = absl::Milliseconds(1);
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("did not answer invoke_tool in time"));
}

TEST_F(CallCommandTest, AHubThatIsNotThereFailsWith2AndSaysHowToStartOne) {
  plugin_.reset();
  hub_.reset();
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("atomemo-bridge dev"));
}

TEST_F(CallCommandTest, AHubUrlThatIsNoneFailsWith2) {
  options_.hub_url = "ftp://user:secret@127.0.0.1";
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--hub must be a URL"));
  EXPECT_THAT(err_.str(), ::testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace atomemo::cli
