#include "bridge/devhub/plugin_channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "tests/bridge/devhub/fake_transport.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::devhub {
namespace {

using base::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kTopic[] = "debug_plugin:p";

SocketOptions DebugSocket() {
  SocketOptions options;
  options.base_url = "http://hub.test:4000";
  return options;
}

// A plugin named "p" that has joined the debug socket with join_ref "1".
class PluginChannelsTest : public ::testing::Test {
 protected:
  PluginChannelsTest() {
    socket_.OnText(absl::StrCat(R"(["1","1",")", kTopic, R"(","phx_join",{}])"));
    transport_.TakeSent();
  }

  void Push(const std::string& event, const std::string& payload) {
    socket_.OnText(absl::StrCat(R"(["1","2",")", kTopic, R"(",")", event, R"(",)", payload, "]"));
  }

  // Makes a hub call and gives the one frame that comes back.
  Json HubCall(const std::string& event, const std::string& data) {
    Push("hub_call:" + event, absl::StrCat(R"({"request_id":"r","data":)", data, "}"));
    const std::vector<std::string> sent = transport_.TakeSent();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Json() : *base::ParseJson(sent[0]);
  }

  fakes::ManualScheduler scheduler_;
  FakeTransport transport_;
  UrlSigner signer_{"secret", absl::Minutes(1)};
  HubCallService hub_calls_{signer_};
  TopicDirectory directory_;
  CallBroker broker_{scheduler_};
  PluginChannels channels_{directory_, broker_, hub_calls_,
                           [] { return absl::FromUnixSeconds(1000); }};
  ServerSocket socket_{DebugSocket(), scheduler_, channels_, transport_};
};

TEST_F(PluginChannelsTest, AGoodDefinitionIsRegisteredWithSuccess) {
  const std::string definition =
      R"({"name":"plugin","version":"1.0.0","display_name":{"en_US":"P"},"description":{"en_US":"p"},)"
      R"("icon":"i","lang":"typescript","author":"a","email":"a@b.example","tools":[],)"
      R"("locales":["en_US"],"credentials":[],"models":[]})";
  Push("register_plugin", definition);
  EXPECT_THAT(
      transport_.TakeSent(),
      ElementsAre(
          R"(["1","2","debug_plugin:p","phx_reply",{"response":{"success":true},"status":"ok"}])"));
  EXPECT_EQ(directory_.Find(kTopic)->definition, definition);
}

// The bridge takes definitions of 500 levels, so this hub must.
TEST_F(PluginChannelsTest, ADeepDefinitionIsReadToo) {
  Push("register_plugin",
       R"({"name":7,"extra":)" + std::string(400, '[') + std::string(400, ']') + "}");
  EXPECT_EQ((*base::ParseJson(transport_.TakeSent().at(0)))[4]["status"], "error");
}

TEST_F(PluginChannelsTest, ARefusedDefinitionNamesCodeMessageAndSuberrors) {
  Push("register_plugin", R"({"name":7})");
  const Json reply = (*base::ParseJson(transport_.TakeSent().at(0)))[4];
  EXPECT_EQ(reply["status"], "error");
  EXPECT_EQ(reply["response"]["code"], "invalid_definition");
  EXPECT_TRUE(reply["response"]["message"].is_string());
  EXPECT_EQ(reply["response"]["suberrors"][0]["path"], "name");
  EXPECT_EQ(directory_.Find(kTopic)->definition, "");
}

TEST_F(PluginChannelsTest, ReleaseChannelsKnowNoRegistration) {
  SocketOptions options;
  options.mode = base::HubMode::kRelease;
  ServerSocket release(options, scheduler_, channels_, transport_);
  release.OnText(R"(["5","5","release_plugin:p__release__1.0.0","phx_join",{}])");
  transport_.TakeSent();
  release.OnText(R"(["5","6","release_plugin:p__release__1.0.0","register_plugin",{}])");
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(R"(["5","5","release_plugin:p__release__1.0.0","phx_error",{}])"));
}

TEST_F(PluginChannelsTest, AnswersReachTheBrokerWithoutAReply) {
  std::string payload;
  ASSERT_TRUE(broker_
                  .Start("r", kTopic, "invoke_tool", absl::Seconds(1),
                         [&](const Call& call) { payload = call.answers.front().payload; })
                  .ok());
  Push("invoke_tool_response", R"({"request_id":"r","data":{"n":12345678901234567890.50}})");
  EXPECT_EQ(payload, R"({"request_id":"r","data":{"n":12345678901234567890.50}})");
  EXPECT_THAT(transport_.TakeSent(), IsEmpty());
}

TEST_F(PluginChannelsTest, AnAnswerWithoutRequestIdIsIgnored) {
  Push("invoke_tool_response", R"({"data":1})");
  EXPECT_THAT(transport_.TakeSent(), IsEmpty());
  EXPECT_EQ(broker_.counters().stray_answers, 0u);
}

TEST_F(PluginChannelsTest, AnEventWithoutAClauseCrashesTheChannel) {
  Push("no_such_event", "{}");
  EXPECT_THAT(transport_.TakeSent(), ElementsAre(R"(["1","1","debug_plugin:p","phx_error",{}])"));
  EXPECT_EQ(directory_.Find(kTopic), nullptr);
}

TEST_F(PluginChannelsTest, FileUrlsStandUnderTheAddressTheClientUses) {
  const Json frame = HubCall("get_file_url", R"({"res_key":"a/b.txt"})");
  EXPECT_EQ(frame[0], "1");
  EXPECT_EQ(frame[3], "hub_call_response");
  EXPECT_EQ(frame[4]["request_id"], "r");
  EXPECT_THAT(frame[4]["data"]["url"].get<std::string>(),
              StartsWith("http://hub.test:4000/files/a/b.txt?expires=1060&signature="));
}

TEST_F(PluginChannelsTest, UploadUrlsTakeBothSpellingsOfThePrefix) {
  for (const char* spelling : {"prefixKey", "key_prefix"}) {
    const Json data = HubCall("get_upload_url", absl::StrCat(R"({"extension":"txt",")", spelling,
                                                             R"(":"up"})"))[4]["data"];
    const std::string key = data["res_key"].get<std::string>();
    EXPECT_THAT(key, StartsWith("up/"));
    EXPECT_THAT(data["presigned_url"].get<std::string>(), HasSubstr("/files/" + key + "?"));
  }
}

TEST_F(PluginChannelsTest, TheStandInModelRepeatsTheLastMessage) {
  const Json data = HubCall("invoke_llm", R"({"llm_config":{"model":"m"},"messages":[
      {"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"}]}]})")
      [4]["data"];
  EXPECT_EQ(data["model"], "m");
  EXPECT_EQ(data["choices"][0]["message"]["content"], "hi");
}

TEST_F(PluginChannelsTest, HubCallsThatCannotBeAnsweredGetATypedError) {
  for (const auto& [event, data] : {std::pair<const char*, const char*>{"no_such_call", "{}"},
                                    {"get_file_url", R"({"res_key":"../x"})"},
                                    {"get_file_url", "null"},
                                    {"get_upload_url", R"({"extension":"../x"})"},
                                    {"invoke_llm", R"({"messages":"hi"})"}}) {
    const Json frame = HubCall(event, data);
    EXPECT_EQ(frame[3], "hub_call_error") << event;
    EXPECT_EQ(frame[4]["request_id"], "r");
    EXPECT_TRUE(frame[4]["error"]["code"].is_string());
    EXPECT_TRUE(frame[4]["error"]["message"].is_string());
  }
}

TEST_F(PluginChannelsTest, AHubCallWithoutRequestIdGetsAnErrorReply) {
  Push("hub_call:get_file_url", "{}");
  EXPECT_THAT(transport_.TakeSent().at(0), HasSubstr(R"("status":"error")"));
}

TEST_F(PluginChannelsTest, ATopicIsKnownAsLongAsOneSocketHasJoinedIt) {
  FakeTransport second_transport;
  {
    ServerSocket second(DebugSocket(), scheduler_, channels_, second_transport);
    second.OnText(R"(["9","9","debug_plugin:p","phx_join",{}])");
    EXPECT_EQ(directory_.Find(kTopic)->sockets.size(), 2u);
    socket_.CloseChannel(kTopic);
    EXPECT_NE(directory_.Find(kTopic), nullptr);
  }
  EXPECT_EQ(directory_.Find(kTopic), nullptr);
}

TEST(TopicDirectoryTest, FindsDebugFirstAndOtherwiseTheLastRelease) {
  fakes::ManualScheduler scheduler;
  FakeTransport transport;
  TopicDirectory directory;
  UrlSigner signer("s", absl::Seconds(1));
  HubCallService hub_calls(signer);
  CallBroker broker(scheduler);
  PluginChannels channels(directory, broker, hub_calls, absl::Now);
  SocketOptions options;
  options.mode = base::HubMode::kRelease;
  ServerSocket release(options, scheduler, channels, transport);
  release.OnText(R"(["1","1","release_plugin:p__release__1.0.0","phx_join",{}])");
  release.OnText(R"(["2","2","release_plugin:p__release__2.0.0","phx_join",{}])");
  EXPECT_EQ(directory.FindPlugin("p", ""), "release_plugin:p__release__2.0.0");
  EXPECT_EQ(directory.FindPlugin("p", "1.0.0"), "release_plugin:p__release__1.0.0");
  EXPECT_EQ(directory.FindPlugin("p", "3.0.0"), "");
  EXPECT_EQ(directory.FindPlugin("o", ""), "");
  ServerSocket debug(SocketOptions(), scheduler, channels, transport);
  debug.OnText(R"(["3","3","debug_plugin:p","phx_join",{}])");
  EXPECT_EQ(directory.FindPlugin("p", ""), "debug_plugin:p");
}

}  // namespace
}  // namespace atomemo::devhub
