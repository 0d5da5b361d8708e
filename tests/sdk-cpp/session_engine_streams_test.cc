// Plugin::Run on the call streams beside Invoke.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

namespace pb = ::atomemo::plugin::v1;

// The other four streams.
class OtherStreamsTest : public SessionEngineTest {
 protected:
  OtherStreamsTest() {
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

  void SetUp() override { ASSERT_TRUE(bridge_.WaitForSessions(1) && bridge_.WaitForStreams(5)); }
};

TEST_F(OtherStreamsTest, Authenticate) {
  pb::Authentication call;
  call.mutable_info()->set_request_id("a1");
  call.set_credential_name("shop-oauth2");
  call.mutable_credential()->set_json(R"({"user":"eva"})");
  bridge_.Authenticate(call);
  const pb::AuthenticateReply reply = bridge_.WaitForAuthenticateReply();
  EXPECT_EQ(reply.result().request_id(), "a1");
  EXPECT_EQ(reply.result().data().json(), R"({"user":"eva"})");
}

TEST_F(OtherStreamsTest, BuildAuthorizeUrl) {
  pb::OAuth2Step step;
  step.mutable_info()->set_request_id("o1");
  step.mutable_info()->set_event("oauth2_build_authorize_url");
  step.set_credential_name("shop-oauth2");
  step.mutable_build_authorize_url()->set_redirect_uri("https://hub.example/back");
  step.mutable_build_authorize_url()->set_state("s1");
  bridge_.AuthorizeOAuth2(step);
  const pb::AuthorizeOAuth2Reply reply = bridge_.WaitForOAuth2Reply();
  EXPECT_EQ(reply.result().url(), "https://hub.example/back?state=s1");
  EXPECT_EQ(reply.result().event(), "oauth2_build_authorize_url");
}

TEST_F(OtherStreamsTest, GetToken) {
  pb::OAuth2Step step;
  step.mutable_info()->set_request_id("o1");
  step.set_credential_name("shop-oauth2");
  step.mutable_get_token()->set_code("c1");
  bridge_.AuthorizeOAuth2(step);
  const pb::OAuth2Tokens tokens = bridge_.WaitForOAuth2Reply().result().tokens();
  EXPECT_EQ(tokens.access_token(), "access-c1");
  EXPECT_EQ(tokens.refresh_token(), "refresh");
  EXPECT_EQ(tokens.expires_at(), 1'800'000'000);
}

TEST_F(OtherStreamsTest, RefreshTokenFails) {
  pb::OAuth2Step step;
  step.mutable_info()->set_request_id("o1");
  step.mutable_info()->set_event("oauth2_refresh_token");
  step.set_credential_name("shop-oauth2");
  step.mutable_refresh_token();
  bridge_.AuthorizeOAuth2(step);
  const pb::CallFailure failure = bridge_.WaitForOAuth2Reply().failure();
  EXPECT_EQ(failure.error().code(), "sdk:unauthenticated");
  EXPECT_EQ(failure.event(), "oauth2_refresh_token");
}

TEST_F(OtherStreamsTest, ListResources) {
  pb::ResourceQuery query;
  query.mutable_info()->set_request_id("l1");
  query.set_tool_name("pick-city");
  query.set_method("cities");
  query.set_filter("ber");
  bridge_.ListResources(query);
  const pb::ListResourcesResult result = bridge_.WaitForListReply().result();
  ASSERT_EQ(result.results_size(), 1);
  EXPECT_EQ(result.results(0).label(), "Berlin");
  EXPECT_EQ(result.results(0).value(), "ber");
  EXPECT_EQ(result.pagination_token(), "next");
}

TEST_F(OtherStreamsTest, MapResource) {
  pb::MappingQuery query;
  query.mutable_info()->set_request_id("m1");
  query.set_tool_name("pick-city");
  query.set_method("city_fields");
  bridge_.MapResource(query);
  const pb::MapResourceResult result = bridge_.WaitForMapReply().result();
  ASSERT_EQ(result.fields_size(), 1);
  EXPECT_EQ(result.fields(0).id(), "id");
  EXPECT_TRUE(result.fields(0).required());
  EXPECT_EQ(result.fields(0).display_name().at("zh_Hans"), "名称");
  EXPECT_EQ(result.fields(0).ui().hint().at("en_US"), "As in the shop");
  EXPECT_EQ(result.empty_fields_notice().at("en_US"), "Nothing to fill in");
}

}  // namespace
}  // namespace atomemo
