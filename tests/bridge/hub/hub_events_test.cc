#include "bridge/hub/hub_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bridge/base/json.h"
#include "bridge/router/ports.h"
#include "tests/fakes/calls.h"

namespace atomemo::hub {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<router::HubCall> Decode(absl::string_view event, absl::string_view payload) {
  return DecodeCall(event, std::make_shared<const std::string>(payload));
}

// The call as its plugin gets it.
template <typename Message>
Message MustDecodeAs(absl::string_view event, absl::string_view payload) {
  const absl::StatusOr<router::HubCall> call = Decode(event, payload);
  EXPECT_TRUE(call.ok()) << call.status();
  if (!call.ok()) return {};
  EXPECT_EQ(call->event->call->GetDescriptor(), Message::descriptor());
  const auto message = fakes::SentCall(fakes::ForWorker(*call)).As<Message>();
  EXPECT_EQ(call->request_id, message.info().request_id());
  EXPECT_EQ(call->method, fakes::TextOf(message, "method"));
  return message;
}

std::string Error(absl::string_view event, absl::string_view payload) {
  const absl::Status status = Decode(event, payload).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << payload;
  return std::string(status.message());
}

TEST(DecodeCallTest, InvokeToolWithEverything) {
  const auto call = MustDecodeAs<pb::Invocation>("invoke_tool", R"({
    "request_id": "r1", "plugin_identifier": "acme/p", "tool_name": "search",
    "parameters": { "q": "a\"}", "n": 12345678901234567890, "d": 1.0 },
    "credentials": {"cred-1": {"api_key": "k"}, "cred-2": {}},
    "context": {"organization_id": "o1"}})");
  EXPECT_EQ(call.info().request_id(), "r1");
  EXPECT_EQ(call.info().event(), "invoke_tool");
  EXPECT_EQ(call.info().context().json(), R"({"organization_id": "o1"})");
  EXPECT_FALSE(call.info().has_extra_fields());
  EXPECT_EQ(call.plugin_identifier(), "acme/p");
  EXPECT_EQ(call.tool_name(), "search");
  EXPECT_EQ(call.parameters().json(), R"({ "q": "a\"}", "n": 12345678901234567890, "d": 1.0 })");
  ASSERT_EQ(call.credentials_size(), 2);
  EXPECT_EQ(call.credentials().at("cred-1").json(), R"({"api_key": "k"})");
  EXPECT_EQ(call.typed_values_size(), 0);
}

TEST(DecodeCallTest, ObjectsThatAreMissingAreEmpty) {
  EXPECT_EQ(MustDecodeAs<pb::Invocation>("invoke_tool", R"({"request_id":"r","tool_name":"t"})")
                .parameters()
                .json(),
            "{}");
  const auto step = MustDecodeAs<pb::OAuth2Step>(
      "oauth2_get_token", R"({"request_id":"r","credential_name":"c","redirect_uri":"u"})");
  EXPECT_EQ(step.get_token().code(), "");  // the grant client_credentials has none
  EXPECT_EQ(step.get_token().redirect_uri(), "u");
}

TEST(DecodeCallTest, ANameThatIsTooLongIsNoName) {
  const std::string payload = absl::StrCat(R"({"request_id":"r","parameters":{},"tool_name":")",
                                           std::string(kMaxNameBytes + 1, 'x'), R"("})");
  const absl::Status status = Decode("invoke_tool", payload).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "`tool_name` has 1025 bytes, and may have 1024");
}

TEST(DecodeCallTest, MoreCredentialsThanAnyToolHasAreRefused) {
  std::string credentials = "\"c\":{}";
  for (std::size_t i = 0; i < kMaxCredentials; ++i) {
    absl::StrAppend(&credentials, ",\"c", i, "\":{}");
  }
  const absl::Status status =
      Decode("invoke_tool",
             absl::StrCat(R"({"request_id":"r","tool_name":"t","parameters":{},"credentials":{)",
                          credentials, "}}"))
          .status();
  EXPECT_EQ(status.message(), "`credentials` has 1001 members, and may have 1000");
}

TEST(DecodeCallTest, TypedValuesAreFoundInParameters) {
  const char payload[] =
      R"({"request_id":"r","tool_name":"t","method":"m",)"
      R"("parameters":{"f":[{"__type__":"file_ref","source":"oss","res_key":"k"}]}})";
  const auto expect = [](const auto& call) {
    ASSERT_EQ(call.typed_values_size(), 1);
    EXPECT_EQ(call.typed_values(0).pointer(), "/f/0");
    EXPECT_EQ(call.typed_values(0).file_ref().res_key(), "k");
  };
  expect(MustDecodeAs<pb::Invocation>("invoke_tool", payload));
  expect(MustDecodeAs<pb::ResourceQuery>("locator_list", payload));
  expect(MustDecodeAs<pb::MappingQuery>("resource_mapping", payload));
}

TEST(DecodeCallTest, OptionalMembersMayBeMissingOrNull) {
  for (const char* payload :
       {R"({"request_id":"r","tool_name":"t","parameters":{}})",
        R"({"request_id":"r","tool_name":"t","parameters":{},"plugin_identifier":null,)"
        R"("credentials":null,"context":null})",
        R"({"request_id":"r","tool_name":"t","parameters":{},"credentials":{"c":null}})"}) {
    const auto call = MustDecodeAs<pb::Invocation>("invoke_tool", payload);
    EXPECT_FALSE(call.has_plugin_identifier());
    EXPECT_FALSE(call.info().has_context());
    EXPECT_EQ(call.credentials_size(), 0);
  }
}

TEST(DecodeCallTest, UnknownMembersPassThroughAsTheyStand) {
  const auto call = MustDecodeAs<pb::Invocation>(
      "invoke_tool",
      R"({"trace":{"id": 1.50},"request_id":"r","tool_name":"t","parameters":{},"x y":null})");
  EXPECT_EQ(call.info().extra_fields().json(), R"({"trace":{"id": 1.50},"x y":null})");
}

TEST(DecodeCallTest, OfMembersWithTheSameNameTheLastCounts) {
  EXPECT_EQ(
      MustDecodeAs<pb::Invocation>(
          "invoke_tool", R"({"request_id":"r","tool_name":"a","tool_name":"b","parameters":{}})")
          .tool_name(),
      "b");
}

TEST(DecodeCallTest, EscapedTextIsUnescaped) {
  EXPECT_EQ(MustDecodeAs<pb::Invocation>(
                "invoke_tool", R"({"request_id":"r","tool_\u006eame":"\u00e9\n","parameters":{}})")
                .tool_name(),
            "\u00e9\n");
}

TEST(DecodeCallTest, CredentialAuthSpec) {
  const auto call = MustDecodeAs<pb::Authentication>("credential_auth_spec",
                                                     R"({"request_id":"r","credential_name":"key",
      "credential":{"api_key":"k"},"extra":{"model":"m"}})");
  EXPECT_EQ(call.credential_name(), "key");
  EXPECT_EQ(call.credential().json(), R"({"api_key":"k"})");
  EXPECT_EQ(call.extra().json(), R"({"model":"m"})");
}

TEST(DecodeCallTest, OAuth2BuildAuthorizeUrl) {
  const auto call = MustDecodeAs<pb::OAuth2Step>(
      "oauth2_build_authorize_url", R"({"request_id":"r","credential_name":"c","credential":{},
      "redirect_uri":"https://x/cb","state":"s"})");
  EXPECT_EQ(call.build_authorize_url().redirect_uri(), "https://x/cb");
  EXPECT_EQ(call.build_authorize_url().state(), "s");
}

TEST(DecodeCallTest, OAuth2GetTokenNeedsNoCredential) {
  const auto call = MustDecodeAs<pb::OAuth2Step>(
      "oauth2_get_token",
      R"({"request_id":"r","credential_name":"c","code":"123","redirect_uri":"u"})");
  EXPECT_EQ(call.get_token().code(), "123");
  EXPECT_EQ(call.get_token().redirect_uri(), "u");
  EXPECT_FALSE(call.has_credential());
}

TEST(DecodeCallTest, OAuth2RefreshToken) {
  const auto call = MustDecodeAs<pb::OAuth2Step>(
      "oauth2_refresh_token",
      R"({"request_id":"r","credential_name":"c","credential":{"refresh_token":"t"}})");
  EXPECT_TRUE(call.has_refresh_token());
  EXPECT_EQ(call.credential().json(), R"({"refresh_token":"t"})");
}

TEST(DecodeCallTest, LocatorList) {
  const auto call = MustDecodeAs<pb::ResourceQuery>(
      "locator_list", R"({"request_id":"r","tool_name":"t","method":"m","filter":"f",
      "pagination_token":"p","parameters":{"a":1},"credentials":{"c":{}}})");
  EXPECT_EQ(call.method(), "m");
  EXPECT_EQ(call.filter(), "f");
  EXPECT_EQ(call.pagination_token(), "p");
  EXPECT_EQ(call.parameters().json(), R"({"a":1})");
  EXPECT_EQ(call.credentials_size(), 1);
}

TEST(DecodeCallTest, AnEmptyFilterIsNotNoFilter) {
  const auto call = MustDecodeAs<pb::ResourceQuery>(
      "locator_list",
      R"({"request_id":"r","tool_name":"t","method":"m","filter":"","parameters":{}})");
  EXPECT_TRUE(call.has_filter());
  EXPECT_FALSE(call.has_pagination_token());
}

TEST(DecodeCallTest, ResourceMapping) {
  const auto call = MustDecodeAs<pb::MappingQuery>(
      "resource_mapping", R"({"request_id":"r","tool_name":"t","method":"m","parameters":{}})");
  EXPECT_EQ(call.tool_name(), "t");
  EXPECT_EQ(call.method(), "m");
}

TEST(DecodeCallTest, ErrorsNameTheMemberAndQuoteNoValue) {
  EXPECT_THAT(Error("invoke_tool", R"({"request_id":"r","parameters":{}})"),
              AllOf(HasSubstr("`tool_name`"), HasSubstr("missing")));
  EXPECT_THAT(Error("invoke_tool", R"({"request_id":"r","tool_name":null,"parameters":{}})"),
              HasSubstr("`tool_name`"));
  EXPECT_THAT(
      Error("invoke_tool", R"({"request_id":"r","tool_name":"t","parameters":["s3cret"]})"),
      AllOf(HasSubstr("`parameters` must be an object, found an array"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Error("invoke_tool", R"({"request_id":"r","tool_name":7,"parameters":{}})"),
              HasSubstr("`tool_name` must be a string, found a number"));
  EXPECT_THAT(
      Error("invoke_tool",
            R"({"request_id":"r","tool_name":"t","parameters":{},"credentials":{"c":"s3cret"}})"),
      AllOf(HasSubstr("`credentials.c` must be an object"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Error("oauth2_get_token", R"({"request_id":"r","credential_name":"c","code":"x"})"),
              HasSubstr("`redirect_uri`"));
  EXPECT_THAT(
      Error("credential_auth_spec", R"({"request_id":"r","credential_name":"c","credential":7})"),
      HasSubstr("`credential`"));
  EXPECT_THAT(Error("resource_mapping", R"({"request_id":"r","tool_name":"t","parameters":{}})"),
              HasSubstr("`method`"));
}

TEST(DecodeCallTest, RequestIdIsNeeded) {
  EXPECT_THAT(Error("invoke_tool", R"({"tool_name":"t","parameters":{}})"),
              HasSubstr("`request_id`"));
  EXPECT_THAT(Error("invoke_tool", R"({"request_id":"","tool_name":"t","parameters":{}})"),
              HasSubstr("`request_id`"));
}

TEST(DecodeCallTest, APayloadThatIsNoObjectIsRefused) {
  for (const char* payload : {"[]", "null", "1", "\"x\"", "{}"}) Error("invoke_tool", payload);
}

TEST(DecodeCallTest, AMalformedFileFailsTheCall) {
  EXPECT_THAT(Error("invoke_tool", R"({"request_id":"r","tool_name":"t","parameters":
                     {"photo":{"__type__":"file_ref","source":"disk"}}})"),
              HasSubstr("/photo"));
}

TEST(DecodeCallTest, AnUnknownEventIsUnimplemented) {
  EXPECT_EQ(Decode("dance", R"({"request_id":"r"})").status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(RequestIdOfTest, IsEmptyUnlessThereIsOne) {
  EXPECT_EQ(RequestIdOf(R"({"a":1,"request_id":"r"})"), "r");
  for (const char* payload : {"{}", "[]", R"({"request_id":7})", R"({"request_id":null})"}) {
    EXPECT_EQ(RequestIdOf(payload), "");
  }
}

router::HubAnswer Failure(std::string event, pb::PluginError error) {
  return {std::move(event), "r1", std::move(error)};
}

TEST(EncodeAnswerTest, DataIsSplicedInAsItStands) {
  const router::HubAnswer answer{"invoke_tool", "r\"1", R"([1.00, 12345678901234567890])"};
  const HubMessage message = EncodeAnswer(answer);
  EXPECT_EQ(message.body.data(), std::get<std::string>(answer.outcome).data()) << "not copied";
  EXPECT_EQ(message.event, "invoke_tool_response");
  EXPECT_EQ(message.payload(), R"({"request_id":"r\"1","data":[1.00, 12345678901234567890]})");
}

TEST(EncodeAnswerTest, AnErrorHasCodeAndMessage) {
  pb::PluginError error;
  error.set_message("no \"such\" city");
  const HubMessage message = EncodeAnswer(Failure("invoke_tool", error));
  EXPECT_EQ(message.event, "invoke_tool_error");
  EXPECT_EQ(message.payload(),
            R"({"request_id":"r1","error":{"code":"sdk:exception","message":"no \"such\" city"}})");
}

TEST(EncodeAnswerTest, AnErrorKeepsAllItHas) {
  pb::PluginError error;
  error.set_code("weather:unknown");
  error.set_name("UnknownCity");
  error.set_message("m");
  error.set_stack("at f");
  error.mutable_details()->set_json(R"({"code":"ignored","city":"Ys","n":1.0})");
  EXPECT_EQ(EncodeAnswer(Failure("locator_list", error)).payload(),
            R"({"request_id":"r1","error":{"code":"weather:unknown","name":"UnknownCity",)"
            R"("message":"m","stack":"at f","city":"Ys","n":1.0}})");
}

TEST(EncodeAnswerTest, WhatLedToAnErrorIsToldInIt) {
  pb::PluginError error;
  error.set_name("ReadError");
  error.set_message("no city");
  error.mutable_details()->set_json(R"({"cause":"ignored","a":1})");
  error.mutable_cause()->set_name("Timeout");
  error.mutable_cause()->set_message("30 s");
  error.mutable_cause()->set_stack("at g");
  error.mutable_cause()->mutable_cause()->set_code("os:110");
  EXPECT_EQ(EncodeAnswer(Failure("invoke_tool", error)).payload(),
            R"({"request_id":"r1","error":{"code":"sdk:exception","name":"ReadError",)"
            R"("message":"no city","a":1,"cause":{"name":"Timeout","message":"30 s",)"
            R"("stack":"at g","cause":{"code":"os:110","message":""}}}})");
  error.clear_cause();
  EXPECT_THAT(EncodeAnswer(Failure("invoke_tool", error)).payload(),
              HasSubstr(R"("cause":"ignored")"));
}

TEST(EncodeAnswerTest, OfManyCausesTheFirstAreTold) {
  pb::PluginError error;
  pb::PluginError* innermost = &error;
  for (int i = 0; i < 50; ++i) innermost = innermost->mutable_cause();
  const std::vector<std::string> parts =
      absl::StrSplit(EncodeAnswer(Failure("invoke_tool", error)).payload(), "\"cause\"");
  EXPECT_EQ(parts.size(), 17u);
}

TEST(EncodeAnswerTest, DetailsMayBeAStruct) {
  pb::PluginError error;
  (*error.mutable_details()->mutable_fields()->mutable_fields())["city"].set_string_value("Ys");
  EXPECT_THAT(EncodeAnswer(Failure("invoke_tool", error)).payload(),
              HasSubstr(R"(,"city":"Ys"}})"));
}

TEST(EncodeAnswerTest, DetailsKeepTheDigitsOfTheirNumbers) {
  pb::PluginError error;
  error.mutable_details()->set_json(
      R"({"wei":115792089237316195423570985008687907853269984665640})");
  EXPECT_THAT(EncodeAnswer(Failure("invoke_tool", error)).payload(),
              HasSubstr(R"("wei":115792089237316195423570985008687907853269984665640)"));
}

TEST(EncodeAnswerTest, InvalidDetailsAreLeftOut) {
  for (const char* details : {"{", "[1]", "\xff", ""}) {
    pb::PluginError error;
    error.mutable_details()->set_json(details);
    const std::string payload = EncodeAnswer(Failure("invoke_tool", error)).payload();
    EXPECT_TRUE(base::CheckJson(payload).ok()) << payload;
  }
}

TEST(EncodeAnswerTest, ErrorsOfAuthenticationCarryBothForms) {
  pb::PluginError error;
  error.set_message("expired");
  error.set_stack("at g");
  for (const char* event : {"credential_auth_spec", "oauth2_get_token"}) {
    EXPECT_EQ(
        EncodeAnswer(Failure(event, error)).payload(),
        R"({"request_id":"r1","error":{"code":"sdk:exception","message":"expired","stack":"at g"},)"
        R"("message":"expired","stack":"at g"})");
  }
}

TEST(EncodeAnswerTest, AnUnsupportedEventIsNamed) {
  pb::PluginError error;
  error.set_message("nobody knows it");
  router::HubAnswer answer = Failure("dance", error);
  answer.unsupported = true;
  const HubMessage message = EncodeAnswer(answer);
  EXPECT_EQ(message.event, "unsupported_event");
  EXPECT_EQ(message.payload(),
            R"({"request_id":"r1","event":"dance","error":{"code":"sdk:method_not_supported",)"
            R"("message":"nobody knows it"}})");
}

TEST(EncodeRequestTest, PrefixesTheEvent) {
  const HubMessage message = EncodeRequest("get_file_url", "r1", R"({"res_key":"k"})");
  EXPECT_EQ(message.event, "hub_call:get_file_url");
  EXPECT_EQ(message.payload(), R"({"request_id":"r1","data":{"res_key":"k"}})");
}

TEST(HubErrorStatusTest, KeepsTheWholeError) {
  const absl::Status status = HubErrorStatus(R"({"code":"c","message":"m","extra":1})");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "m");
  const auto error = router::GetHubError(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), "c");
  EXPECT_EQ(error->error().json(), R"({"code":"c","message":"m","extra":1})");
}

TEST(HubErrorStatusTest, AlwaysHasAMessage) {
  EXPECT_EQ(HubErrorStatus(R"({"reason":"unauthorized"})").message(), "unauthorized");
  EXPECT_EQ(HubErrorStatus(R"({"code":"c"})").message(), "c");
  EXPECT_EQ(HubErrorStatus(R"("text")").message(), "text");
  for (const char* error : {"null", "{}", "[]", "7", R"({"message":7})"}) {
    EXPECT_FALSE(HubErrorStatus(error).message().empty()) << error;
  }
}

}  // namespace
}  // namespace atomemo::hub
