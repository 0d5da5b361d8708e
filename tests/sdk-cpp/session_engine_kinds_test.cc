// Plugin::Run with the kinds of calls beside Invoke.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

namespace pb = ::atomemo::plugin::v1;

class OtherKindsTest : public SessionEngineTest {
 protected:
  OtherKindsTest() {
    plugin_.AddCredential(
        Credential("shop-oauth2")
            .OAuth2()
            .Authenticate([](const CredentialCall& call) -> absl::StatusOr<Json> {
              return Json{{"user", call.credential().at("user")}};
            })
            .BuildAuthorizeUrl([](const OAuth2Call& call) -> absl::StatusOr<std::string> {
              return call.redirect_uri() + "?state=" + call.state();
            })
            .GetToken([](const OAuth2Call& call) -> absl::StatusOr<OAuth2Tokens> {
              return OAuth2Tokens{"access-" + call.code(), "refresh",
                                  absl::FromUnixSeconds(1'800'000'000)};
            })
            .RefreshToken([](const CredentialCall&) -> absl::StatusOr<OAuth2Tokens> {
              return absl::UnauthenticatedError("revoked");
            }));
    plugin_.AddTool(
        Tool("pick-city")
            .Parameter(Locator("city").Mode(ListMode("cities")))
            .Parameter(Mapper("fields", "city_fields"))
            .Invoke([](const Call&) -> absl::StatusOr<Json> { return nullptr; })
            .ListResources("cities",
                           [](const ResourceCall& call) -> absl::StatusOr<ResourceList> {
                             return ResourceList{{{"Berlin", *call.filter()}}, "next"};
                           })
            .MapResource("city_fields", [](const ResourceCall&) -> absl::StatusOr<ResourceMapping> {
              return ResourceMapping{{{"id", "string", I18n{{"en_US", "Name"}, {"zh_Hans", "名称"}},
                                       true, "As in the shop"}},
                                     "Nothing to fill in"};
            }));
    bridge_.Start();
    StartPlugin();
  }

  void SetUp() override { ASSERT_TRUE(bridge_.WaitForSessions(1)); }
};

TEST_F(OtherKindsTest, Authenticate) {
  pb::BridgeMessage message;
  pb::Authentication& call = *message.mutable_authenticate();
  call.mutable_info()->set_request_id("a1");
  call.set_credential_name("shop-oauth2");
  call.mutable_credential()->set_json(R"({"user":"eva"})");
  bridge_.Send(message);
  const pb::PluginMessage reply = bridge_.WaitForReply("a1");
  EXPECT_EQ(reply.authenticated().request_id(), "a1");
  EXPECT_EQ(reply.authenticated().data().json(), R"({"user":"eva"})");
}

TEST_F(OtherKindsTest, BuildAuthorizeUrl) {
  pb::BridgeMessage message;
  pb::OAuth2Step& step = *message.mutable_authorize();
  step.mutable_info()->set_request_id("o1");
  step.mutable_info()->set_event("oauth2_build_authorize_url");
  step.set_credential_name("shop-oauth2");
  step.mutable_build_authorize_url()->set_redirect_uri("https://hub.example/back");
  step.mutable_build_authorize_url()->set_state("s1");
  bridge_.Send(message);
  const pb::PluginMessage reply = bridge_.WaitForReply("o1");
  EXPECT_EQ(reply.authorized().url(), "https://hub.example/back?state=s1");
  EXPECT_EQ(reply.authorized().event(), "oauth2_build_authorize_url");
}

TEST_F(OtherKindsTest, GetToken) {
  pb::BridgeMessage message;
  pb::OAuth2Step& step = *message.mutable_authorize();
  step.mutable_info()->set_request_id("o1");
  step.set_credential_name("shop-oauth2");
  step.mutable_get_token()->set_code("c1");
  bridge_.Send(message);
  const pb::OAuth2Tokens tokens = bridge_.WaitForReply("o1").authorized().tokens();
  EXPECT_EQ(tokens.access_token(), "access-c1");
  EXPECT_EQ(tokens.refresh_token(), "refresh");
  EXPECT_EQ(tokens.expires_at(), 1'800'000'000);
}

TEST_F(OtherKindsTest, RefreshTokenFails) {
  pb::BridgeMessage message;
  pb::OAuth2Step& step = *message.mutable_authorize();
  step.mutable_info()->set_request_id("o1");
  step.mutable_info()->set_event("oauth2_refresh_token");
  step.set_credential_name("shop-oauth2");
  step.mutable_refresh_token();
  bridge_.Send(message);
  const pb::CallFailure failure = bridge_.WaitForReply("o1").failure();
  EXPECT_EQ(failure.error().code(), "sdk:unauthenticated");
  EXPECT_EQ(failure.event(), "oauth2_refresh_token");
}

TEST_F(OtherKindsTest, ListResources) {
  pb::BridgeMessage message;
  pb::ResourceQuery& query = *message.mutable_list();
  query.mutable_info()->set_request_id("l1");
  query.set_tool_name("pick-city");
  query.set_method("cities");
  query.set_filter("ber");
  bridge_.Send(message);
  const pb::ListResourcesResult result = bridge_.WaitForReply("l1").listed();
  ASSERT_EQ(result.results_size(), 1);
  EXPECT_EQ(result.results(0).label(), "Berlin");
  EXPECT_EQ(result.results(0).value(), "ber");
  EXPECT_EQ(result.pagination_token(), "next");
}

TEST_F(OtherKindsTest, MapResource) {
  pb::BridgeMessage message;
  pb::MappingQuery& query = *message.mutable_map();
  query.mutable_info()->set_request_id("m1");
  query.set_tool_name("pick-city");
  query.set_method("city_fields");
  bridge_.Send(message);
  const pb::MapResourceResult result = bridge_.WaitForReply("m1").mapped();
  ASSERT_EQ(result.fields_size(), 1);
  EXPECT_EQ(result.fields(0).id(), "id");
  EXPECT_TRUE(result.fields(0).required());
  EXPECT_EQ(result.fields(0).display_name().at("zh_Hans"), "名称");
  EXPECT_EQ(result.fields(0).ui().hint().at("en_US"), "As in the shop");
  EXPECT_EQ(result.empty_fields_notice().at("en_US"), "Nothing to fill in");
}

// A plugin with one thread for tools and one for credentials: a call that runs tells that the
// answer to the one before is on its way.
class LargeResultsTest : public SessionEngineTest {
 protected:
  LargeResultsTest() {
    options_.max_concurrent_invocations = 1;
    options_.max_concurrent_queries = 1;
    plugin_.AddTool(Tool("large").Invoke(
        [](const Call&) -> absl::StatusOr<Json> { return std::string(1 << 20, 'x'); }));
    plugin_.AddTool(Tool("small").Invoke([this](const Call&) -> absl::StatusOr<Json> {
      invoked_.Notify();
      return nullptr;
    }));
    plugin_.AddCredential(
        Credential("key").Authenticate([this](const CredentialCall& call) -> absl::StatusOr<Json> {
          if (call.request_id() == "a2") authenticated_.Notify();
          return Json::object();
        }));
  }
  ~LargeResultsTest() override {
    plugin_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Notification invoked_;
  absl::Notification authenticated_;
};

TEST_F(LargeResultsTest, HoldUpNoAnswerOfAnotherKind) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.HoldReads();
  for (const char* id : {"l1", "l2", "l3"}) bridge_.Invoke(id, "large", "{}");
  bridge_.Invoke("s1", "small", "{}");
  invoked_.WaitForNotification();
  for (const char* id : {"a1", "a2"}) {
    pb::BridgeMessage message;
    message.mutable_authenticate()->mutable_info()->set_request_id(id);
    message.mutable_authenticate()->set_credential_name("key");
    bridge_.Send(message);
  }
  authenticated_.WaitForNotification();
  bridge_.ResumeReads();
  ASSERT_TRUE(bridge_.WaitForReply("l3").has_invoked());
  const std::vector<std::string> order = bridge_.order();
  EXPECT_LT(std::find(order.begin(), order.end(), "a1"),
            std::find(order.begin(), order.end(), "l3"));
}

}  // namespace
}  // namespace atomemo
