// The whole chain in one process: hub, WebSocket, bridge, Unix socket, SDK, plugin.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/bridge_fixture.h"

namespace atomemo::integration {
namespace {

using ::testing::HasSubstr;

using BridgeTest = BridgeFixture;

base::Json KeyPayload(const char* key) {
  return {{"credential_name", "api-key"}, {"credential", {{"key", key}}}};
}

TEST_F(BridgeTest, InvokeToolIsAnsweredWithWhatTheToolReturns) {
  StartAll();
  const Outcome outcome =
      hub().Call(ToolCall("repeat", {{"big", 9007199254740993}, {"text", "héllo"}}));
  EXPECT_EQ(outcome.event, "invoke_tool_response");
  EXPECT_EQ(outcome.data(), (base::Json{{"big", 9007199254740993}, {"text", "héllo"}}));
}

TEST_F(BridgeTest, CredentialAuthSpecIsAnsweredWithDataBesideTheRequestId) {
  StartAll();
  const Outcome outcome = hub().Call({"credential_auth_spec", KeyPayload("good")});
  EXPECT_EQ(outcome.event, "credential_auth_spec_response");
  EXPECT_EQ(outcome.data(), (base::Json{{"valid", true}}));
}

TEST_F(BridgeTest, AFailedAuthenticationHasBothFormsOfTheError) {
  StartAll();
  const Outcome outcome = hub().Call({"credential_auth_spec", KeyPayload("bad")});
  EXPECT_EQ(outcome.event, "credential_auth_spec_error");
  EXPECT_EQ(outcome.error()["code"], "test:bad_key");
  EXPECT_EQ(outcome.error()["message"], "the key is not known");
  EXPECT_EQ(outcome.payload["message"], "the key is not known");
}

TEST_F(BridgeTest, TheThreeOAuth2EventsAreAnswered) {
  StartAll();
  const base::Json credential = {{"client_id", "id"}, {"client_secret", "secret"}};
  const Outcome url = hub().Call({"oauth2_build_authorize_url",
                                  {{"credential_name", "account"},
                                   {"credential", credential},
                                   {"redirect_uri", "https://hub.example.com/back"},
                                   {"state", "s1"}}});
  EXPECT_EQ(url.event, "oauth2_build_authorize_url_response");
  EXPECT_EQ(url.data()["url"], "https://accounts.example.com/?state=s1");

  const Outcome token = hub().Call({"oauth2_get_token",
                                    {{"credential_name", "account"},
                                     {"credential", credential},
                                     {"redirect_uri", "https://hub.example.com/back"},
                                     {"code", "c1"}}});
  EXPECT_EQ(token.event, "oauth2_get_token_response");
  EXPECT_EQ(token.data()["parameters_patch"]["access_token"], "access for c1");

  const Outcome fresh = hub().Call(
      {"oauth2_refresh_token", {{"credential_name", "account"}, {"credential", credential}}});
  EXPECT_EQ(fresh.event, "oauth2_refresh_token_response");
  EXPECT_EQ(fresh.data()["parameters_patch"]["access_token"], "fresh");
}

TEST_F(BridgeTest, LocatorListIsAnsweredWithResultsAndTheNextPage) {
  StartAll();
  const Outcome outcome = hub().Call({"locator_list",
                                      {{"tool_name", "picker"},
                                       {"method", "list_cities"},
                                       {"filter", "ber"},
                                       {"parameters", base::Json::object()}}});
  EXPECT_EQ(outcome.event, "locator_list_response");
  EXPECT_EQ(outcome.data()["results"][0]["label"], "ber");
  EXPECT_EQ(outcome.data()["pagination_token"], "page-2");
}

TEST_F(BridgeTest, ResourceMappingIsAnsweredWithFields) {
  StartAll();
  const Outcome outcome = hub().Call(
      {"resource_mapping",
       {{"tool_name", "picker"}, {"method", "map_columns"}, {"parameters", base::Json::object()}}});
  EXPECT_EQ(outcome.event, "resource_mapping_response");
  EXPECT_EQ(outcome.data()["fields"][0]["id"], "temperature");
  EXPECT_EQ(outcome.data()["fields"][0]["display_name"]["en_US"], "Temperature");
}

TEST_F(BridgeTest, AnEventThatNobodyKnowsIsAnsweredAsUnsupported) {
  StartAll();
  const Outcome outcome = hub().Call({"water_the_plants"});
  EXPECT_EQ(outcome.event, "unsupported_event");
  EXPECT_EQ(outcome.payload["event"], "water_the_plants");
  EXPECT_EQ(outcome.error()["code"], "sdk:method_not_supported");
}

TEST_F(BridgeTest, AToolThatThePluginDoesNotHaveIsNamedInTheError) {
  StartAll();
  const Outcome outcome = hub().Call(ToolCall("no-such-tool"));
  EXPECT_EQ(outcome.event, "invoke_tool_error");
  EXPECT_EQ(outcome.error()["code"], "sdk:tool_not_found");
  EXPECT_THAT(outcome.error()["message"].get<std::string>(), HasSubstr("no-such-tool"));
}

TEST_F(BridgeTest, ACallPastItsDeadlineIsAnsweredWithATimeout) {
  StartAll();
  const Outcome outcome = hub().Call(ToolCall("patient"));
  EXPECT_EQ(outcome.event, "invoke_tool_error");
  EXPECT_EQ(outcome.error()["code"], "sdk:timeout");
}

TEST_F(BridgeTest, APluginInReleaseModeIsCalledUnderItsReleaseTopic) {
  StartHub();
  StartBridge();
  TestPlugin::Options options = PluginOptions();
  options.mode = HubMode::kRelease;
  TestPlugin plugin(options);
  ASSERT_TRUE(hub().WaitJoined());
  EXPECT_EQ(hub().Get("/api/plugins")["plugins"][0]["topic"],
            "release_plugin:integration__release__1.0.0");
  EXPECT_EQ(hub().Call(ToolCall("repeat", {{"text", "hi"}})).data()["text"], "hi");
}

TEST_F(BridgeTest, PluginsAskTheHubForFileUrlsAndModels) {
  StartAll();
  const Outcome upload =
      hub().Call(ToolCall("ask-hub", {{"event", "get_upload_url"},
                                      {"data", {{"extension", ".txt"}, {"prefixKey", "a/"}}}}));
  EXPECT_THAT(upload.data().value("presigned_url", ""), HasSubstr("http://"));
  const std::string key = upload.data().value("res_key", "");
  EXPECT_THAT(key, HasSubstr(".txt"));

  const Outcome url =
      hub().Call(ToolCall("ask-hub", {{"event", "get_file_url"}, {"data", {{"res_key", key}}}}));
  EXPECT_THAT(url.data().value("url", ""), HasSubstr("http://"));

  const Outcome model =
      hub().Call(ToolCall("ask-hub", {{"event", "invoke_llm"},
                                      {"data",
                                       {{"llm_config", {{"model", "m1"}}},
                                        {"messages", {{{"role", "user"}, {"content", "hi"}}}},
                                        {"organization_id", "o1"}}}}));
  EXPECT_EQ(model.data()["content"], "hi");
  EXPECT_EQ(model.data()["model"], "m1");
}

TEST_F(BridgeTest, AnErrorOfTheHubReachesThePluginWithItsCode) {
  StartAll();
  const Outcome outcome =
      hub().Call(ToolCall("ask-hub", {{"event", "no_such_event"}, {"data", base::Json::object()}}));
  EXPECT_EQ(outcome.event, "invoke_tool_error");
  EXPECT_EQ(outcome.error()["code"], "unsupported_event");
}

TEST_F(BridgeTest, AnUploadedFileIsDownloadedByteForByte) {
  StartAll();
  std::string content;
  for (int i = 0; i < 300000; ++i) content += static_cast<char>(' ' + i % 95);
  const Outcome outcome = hub().Call(ToolCall("store", {{"content", content}}));
  ASSERT_EQ(outcome.event, "invoke_tool_response") << outcome.payload;
  EXPECT_EQ(outcome.data()["file"]["size"], content.size());
  EXPECT_TRUE(outcome.data()["content"] == content);
}

}  // namespace
}  // namespace atomemo::integration
