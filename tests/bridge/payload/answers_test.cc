#include "bridge/payload/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bridge/base/json.h"
#include "bridge/payload/payload.h"

namespace atomemo::payload {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The paths of the violations that `status` carries.
std::vector<std::string> Paths(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const auto payload =
      status.GetPayload("type.googleapis.com/atomemo.plugin.v1.DefinitionViolations");
  pb::DefinitionViolations violations;
  EXPECT_TRUE(payload && violations.ParseFromString(std::string(*payload)));
  std::vector<std::string> paths;
  for (const auto& violation : violations.violations()) {
    EXPECT_THAT(violation.message(), Not(IsEmpty()));
    paths.push_back(violation.path());
  }
  return paths;
}

pb::AuthenticateResult FreeAuthentication(std::string json) {
  pb::AuthenticateResult result;
  *result.mutable_data() = JsonObjectOf(std::move(json));
  return result;
}

TEST(AuthenticateAnswerTest, AnAdapterBecomesTheHubsObject) {
  pb::AuthenticateResult result;
  pb::LlmAdapter& adapter = *result.mutable_adapter();
  adapter.set_adapter(pb::LlmAdapter::KIND_GOOGLE_AI);
  adapter.set_api_key("k");
  EXPECT_EQ(AnswerJson(result).value(), R"({"adapter":"google_ai","api_key":"k"})");

  adapter.set_endpoint("https://e");
  adapter.set_model("m");
  (*adapter.mutable_headers())["X-A"] = "1";
  *adapter.mutable_extra_fields() = JsonObjectOf(" { \"n\": 1.0 } ");
  EXPECT_EQ(AnswerJson(result).value(),
            R"({"adapter":"google_ai","api_key":"k","endpoint":"https://e","model":"m",)"
            R"("headers":{"X-A":"1"},"n": 1.0})");
}

TEST(AuthenticateAnswerTest, AnAdaptersKeyMayBeEmptyAndItsEndpointIsAUrl) {
  pb::AuthenticateResult result;
  result.mutable_adapter()->set_adapter(pb::LlmAdapter::KIND_OPENAI);
  EXPECT_EQ(AnswerJson(result).value(), R"({"adapter":"openai","api_key":""})");
  EXPECT_TRUE(AnswerJson(FreeAuthentication(R"({"adapter":"openai","api_key":""})")).ok());
  result.mutable_adapter()->set_endpoint("llm.example");
  EXPECT_THAT(Paths(AnswerJson(result).status()), ElementsAre("adapter.endpoint"));
  EXPECT_THAT(Paths(AnswerJson(FreeAuthentication(
                                   R"({"adapter":"openai","api_key":"","endpoint":"llm.example"})"))
                        .status()),
              ElementsAre("data.endpoint"));
}

TEST(AuthenticateAnswerTest, AnAdapterNeedsAKind) {
  pb::AuthenticateResult result;
  *result.mutable_adapter()->mutable_extra_fields() = JsonObjectOf(R"({"api_key":"hidden"})");
  const absl::Status status = AnswerJson(result).status();
  EXPECT_THAT(Paths(status), ElementsAre("adapter.adapter", "extra_fields.api_key"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hidden")));
}

TEST(AuthenticateAnswerTest, OtherCredentialsAnswerAnyObject) {
  EXPECT_EQ(AnswerJson(FreeAuthentication(R"({"anything": [1]})")).value(), R"({"anything": [1]})");
  EXPECT_EQ(AnswerJson(pb::AuthenticateResult()).value(), "{}");
  EXPECT_THAT(Paths(AnswerJson(FreeAuthentication("[]")).status()), ElementsAre("data"));
}

TEST(AuthenticateAnswerTest, AFreeObjectWithAnAdapterIsCheckedToo) {
  EXPECT_TRUE(
      AnswerJson(FreeAuthentication(R"({"adapter":"openai","api_key":"k","model":null})")).ok());
  EXPECT_TRUE(AnswerJson(FreeAuthentication(R"({"nested":{"adapter":"any"}})")).ok());
  const absl::Status status =
      AnswerJson(
          FreeAuthentication(
              R"({"adapter":"s3cret","api_key":5,"endpoint":1,"model":[],"headers":{"a":1}})"))
          .status();
  EXPECT_THAT(Paths(status), ElementsAre("data.adapter", "data.api_key", "data.endpoint",
                                         "data.model", "data.headers"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("s3cret")));
}

pb::OAuth2Result Url(std::string url) {
  pb::OAuth2Result result;
  result.set_url(std::move(url));
  return result;
}

TEST(OAuth2AnswerTest, TheUrlMustBeAbsolute) {
  const auto step = pb::OAuth2Step::kBuildAuthorizeUrl;
  EXPECT_EQ(AnswerJson(Url("https://p.example/auth?a=1"), step).value(),
            R"({"url":"https://p.example/auth?a=1"})");
  EXPECT_TRUE(AnswerJson(Url("HTTP://localhost:8080"), step).ok());
  for (const char* url : {"", "/auth", "ftp://h/", "javascript://x", "https://", "https:///path",
                          "https://:80/", "https://u@/", "https://h/a b", "https://h/\n"}) {
    EXPECT_THAT(Paths(AnswerJson(Url(url), step).status()), ElementsAre("url")) << url;
  }
}

TEST(OAuth2AnswerTest, TokensBecomeAParametersPatch) {
  pb::OAuth2Result result;
  pb::OAuth2Tokens& tokens = *result.mutable_tokens();
  tokens.set_access_token("a");
  tokens.set_refresh_token("r");
  tokens.set_expires_at(1767225600);
  *tokens.mutable_extra_fields() = JsonObjectOf(R"({"scope":"s"})");
  const std::string expected =
      R"({"parameters_patch":{"access_token":"a","refresh_token":"r","expires_at":1767225600,)"
      R"("scope":"s"}})";
  EXPECT_EQ(AnswerJson(result, pb::OAuth2Step::kGetToken).value(), expected);
  EXPECT_EQ(AnswerJson(result, pb::OAuth2Step::kRefreshToken).value(), expected);
}

TEST(OAuth2AnswerTest, BadTokensAreNamed) {
  pb::OAuth2Result result;
  result.mutable_tokens()->set_expires_at(-1);
  *result.mutable_tokens()->mutable_extra_fields() = JsonObjectOf("7");
  EXPECT_THAT(Paths(AnswerJson(result, pb::OAuth2Step::kGetToken).status()),
              ElementsAre("tokens.access_token", "tokens.expires_at", "extra_fields"));
}

TEST(OAuth2AnswerTest, FieldsCanBecomeNull) {
  pb::OAuth2Result result;
  pb::OAuth2Tokens& tokens = *result.mutable_tokens();
  tokens.set_access_token("a");
  tokens.add_null_fields("refresh_token");
  tokens.add_null_fields("scope");
  EXPECT_EQ(AnswerJson(result, pb::OAuth2Step::kRefreshToken).value(),
            R"({"parameters_patch":{"access_token":"a","refresh_token":null,"scope":null}})");
  tokens.add_null_fields("access_token");
  tokens.add_null_fields("scope");
  *tokens.mutable_extra_fields() = JsonObjectOf(R"({"scope":"all"})");
  EXPECT_THAT(Paths(AnswerJson(result, pb::OAuth2Step::kRefreshToken).status()),
              ElementsAre("tokens.null_fields[2]", "tokens.null_fields[3]", "extra_fields.scope",
                          "extra_fields.scope"));
  for (int i = 0; i < 100; ++i) tokens.add_null_fields(std::to_string(i));
  EXPECT_THAT(Paths(AnswerJson(result, pb::OAuth2Step::kRefreshToken).status()),
              Contains("tokens.null_fields"));
}

TEST(OAuth2AnswerTest, TheAnswerMustFitTheStep) {
  pb::OAuth2Result tokens;
  tokens.mutable_tokens()->set_access_token("a");
  EXPECT_THAT(Paths(AnswerJson(tokens, pb::OAuth2Step::kBuildAuthorizeUrl).status()),
              ElementsAre("url"));
  EXPECT_THAT(Paths(AnswerJson(Url("https://h/"), pb::OAuth2Step::kGetToken).status()),
              ElementsAre("tokens"));
  EXPECT_THAT(Paths(AnswerJson(pb::OAuth2Result(), pb::OAuth2Step::STEP_NOT_SET).status()),
              ElementsAre(""));
}

TEST(OAuth2AnswerTest, AnyAnswerWillDoWhenTheStepIsNotKnown) {
  pb::OAuth2Result tokens;
  tokens.mutable_tokens()->set_access_token("a");
  EXPECT_TRUE(AnswerJson(tokens, pb::OAuth2Step::STEP_NOT_SET).ok());
  EXPECT_TRUE(AnswerJson(Url("https://h/"), pb::OAuth2Step::STEP_NOT_SET).ok());
}

TEST(InvokeAnswerTest, AnyJsonValueWillDo) {
  pb::InvokeResult result;
  EXPECT_EQ(AnswerJson(result).value(), "null");
  *result.mutable_data() = JsonValueOf("[1, 18446744073709551615]");
  EXPECT_EQ(AnswerJson(result).value(), "[1, 18446744073709551615]");
  *result.mutable_data() = JsonValueOf("{\"password\":nope}");
  const absl::Status status = AnswerJson(result).status();
  EXPECT_THAT(Paths(status), ElementsAre("data"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("password")));
}

// The first violation's message.
std::string Violation(const absl::Status& status) {
  pb::DefinitionViolations violations;
  const auto payload =
      status.GetPayload("type.googleapis.com/atomemo.plugin.v1.DefinitionViolations");
  EXPECT_TRUE(payload && violations.ParseFromString(std::string(*payload)));
  return violations.violations_size() > 0 ? violations.violations(0).message() : "";
}

TEST(InvokeAnswerTest, BadJsonIsShownToPluginAndHubButNotToTheLog) {
  pb::InvokeResult result;
  *result.mutable_data() = JsonValueOf(R"({"average": NaN})");
  const absl::Status status = AnswerJson(result).status();
  EXPECT_EQ(
      status.message(),
      "the plugin's answer is not valid: data: not valid JSON at line 1, column 13: NaN is no "
      "JSON: use null");
  EXPECT_EQ(Violation(status),
            "not valid JSON at line 1, column 13: NaN is no JSON: use null "
            R"((near "{\"average\": NaN}"))");
  pb::DefinitionViolations violations;
  violations.add_violations()->set_path("data");
  violations.mutable_violations(0)->set_message("m");
  EXPECT_EQ(DescribeViolations(violations), "the plugin's answer is not valid: data: m");
}

TEST(InvokeAnswerTest, NumbersOfAnySizePassUnchanged) {
  const std::string text =
      R"({"supply": 115792089237316195423570985008687907853269984665640564039457,)"
      R"( "x": 1e400})";
  pb::InvokeResult result;
  *result.mutable_data() = JsonValueOf(text);
  EXPECT_EQ(AnswerJson(result).value(), text);
}

TEST(AuthenticateAnswerTest, BadJsonOfACredentialIsNotShown) {
  for (const char* text : {R"({"api_key":"s3cret","n":NaN})", R"({"adapter":"openai",s3cret})"}) {
    const absl::Status status = AnswerJson(FreeAuthentication(text)).status();
    EXPECT_THAT(Violation(status), HasSubstr("not valid JSON at line 1"));
    EXPECT_THAT(Violation(status), Not(HasSubstr("s3cret")));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("s3cret")));
  }
  pb::OAuth2Result result;
  result.mutable_tokens()->set_access_token("a");
  *result.mutable_tokens()->mutable_extra_fields() = JsonObjectOf(R"({"token":"s3cret" 1})");
  EXPECT_THAT(Violation(AnswerJson(result, pb::OAuth2Step::kGetToken).status()),
              Not(HasSubstr("s3cret")));
}

TEST(AuthenticateAnswerTest, OddNumbersBesideAnAdapterAreNoHarm) {
  const std::string text = R"({"adapter":"openai","api_key":"k","seed":1e400})";
  EXPECT_EQ(AnswerJson(FreeAuthentication(text)).value(), text);
}

// An answer's `data` is as deep as the bridge reads, however deep in it the plugin's JSON stands.
TEST(AnswerDepthTest, NoAnswerIsDeeperThanTheBridgeItselfReads) {
  const auto nested = [](int levels) {
    std::string text = "1";
    for (int i = 0; i < levels; ++i) text = R"({"a":)" + text + "}";
    return text;
  };
  const auto map = [&nested](int levels) {
    pb::MapResourceResult result;
    *result.mutable_data() = JsonObjectOf(nested(levels));
    return AnswerJson(result);
  };
  ASSERT_TRUE(map(100).ok());
  EXPECT_TRUE(base::CheckJson(*map(100)).ok());
  EXPECT_FALSE(map(101).ok());
  const auto patch = [&nested](int levels) {
    pb::OAuth2Result result;
    result.mutable_tokens()->set_access_token("a");
    *result.mutable_tokens()->mutable_extra_fields() = JsonObjectOf(nested(levels));
    return AnswerJson(result, pb::OAuth2Step::kGetToken);
  };
  ASSERT_TRUE(patch(99).ok());
  EXPECT_TRUE(base::CheckJson(*patch(99)).ok());
  EXPECT_FALSE(patch(100).ok());
}

TEST(ListResourcesAnswerTest, BecomesResultsAndToken) {
  pb::ListResourcesResult result;
  EXPECT_EQ(AnswerJson(result).value(), R"({"results":[]})");
  pb::Resource& first = *result.add_results();
  first.set_label("A \"quoted\"");
  first.set_value("1");
  pb::Resource& second = *result.add_results();
  second.set_label("B");
  second.set_value("2");
  second.set_url("https://h/2");
  result.set_pagination_token("next");
  EXPECT_EQ(AnswerJson(result).value(),
            R"({"results":[{"label":"A \"quoted\"","value":"1"},)"
            R"({"label":"B","value":"2","url":"https://h/2"}],"pagination_token":"next"})");
  result.add_results();
  EXPECT_THAT(Paths(AnswerJson(result).status()), ElementsAre("results[2]"));
}

TEST(ListResourcesAnswerTest, OfManyMistakesTheFirstAreTold) {
  pb::ListResourcesResult result;
  for (int i = 0; i < 1000; ++i) result.add_results();
  const std::vector<std::string> paths = Paths(AnswerJson(result).status());
  ASSERT_EQ(paths.size(), 101u);
  EXPECT_EQ(paths[99], "results[99]");
  EXPECT_EQ(paths[100], "");
}

TEST(MapResourceAnswerTest, BecomesFieldsAndNotice) {
  pb::MapResourceResult result;
  pb::MappedField& field = *result.add_fields();
  field.set_id("f1");
  field.set_value_type("string");
  (*field.mutable_display_name())["zh_Hans"] = "名";
  (*field.mutable_display_name())["en_US"] = "F";
  field.set_required(false);
  (*field.mutable_ui()->mutable_hint())["en_US"] = "h";
  (*result.mutable_empty_fields_notice())["en_US"] = "none";
  EXPECT_EQ(AnswerJson(result).value(),
            R"({"fields":[{"id":"f1","type":"string","display_name":{"en_US":"F","zh_Hans":"名"},)"
            R"("required":false,"ui":{"hint":{"en_US":"h"}}}],)"
            R"("empty_fields_notice":{"en_US":"none"}})");
}

TEST(MapResourceAnswerTest, OnlyTheSixTypesOfAMappedFieldAreKnown) {
  for (const char* type : {"string", "number", "integer", "boolean", "object", "array"}) {
    pb::MapResourceResult result;
    result.add_fields()->set_id("f");
    result.mutable_fields(0)->set_value_type(type);
    EXPECT_TRUE(AnswerJson(result).ok()) << type;
  }
  for (const char* type : {"", "file_ref", "encrypted_string", "resource_locator"}) {
    pb::MapResourceResult result;
    result.add_fields()->set_id("f");
    result.mutable_fields(0)->set_value_type(type);
    EXPECT_THAT(Paths(AnswerJson(result).status()), ElementsAre("fields[0].value_type")) << type;
  }
}

TEST(WholeAnswerTest, MayBeJsonOfAnyForm) {
  const std::string json = R"({"anything": [1.10, null]})";
  pb::MapResourceResult mapping;
  *mapping.mutable_data() = JsonObjectOf(json);
  EXPECT_EQ(AnswerJson(mapping).value(), json);
  pb::ListResourcesResult list;
  *list.mutable_data() = JsonObjectOf(json);
  EXPECT_EQ(AnswerJson(list).value(), json);
  for (const auto step : {pb::OAuth2Step::STEP_NOT_SET, pb::OAuth2Step::kBuildAuthorizeUrl,
                          pb::OAuth2Step::kGetToken, pb::OAuth2Step::kRefreshToken}) {
    pb::OAuth2Result oauth2;
    *oauth2.mutable_data() = JsonObjectOf(json);
    EXPECT_EQ(AnswerJson(oauth2, step).value(), json);
  }
}

TEST(WholeAnswerTest, MustBeAnObjectAndStandAlone) {
  pb::MapResourceResult mapping;
  *mapping.mutable_data() = JsonObjectOf("[]");
  EXPECT_THAT(Paths(AnswerJson(mapping).status()), ElementsAre("data"));
  *mapping.mutable_data() = JsonObjectOf("{}");
  (*mapping.mutable_empty_fields_notice())["en_US"] = "none";
  EXPECT_THAT(Paths(AnswerJson(mapping).status()), ElementsAre("data"));
  pb::ListResourcesResult list;
  *list.mutable_data() = JsonObjectOf("{}");
  list.set_pagination_token("next");
  EXPECT_THAT(Paths(AnswerJson(list).status()), ElementsAre("data"));
  pb::OAuth2Result oauth2;
  *oauth2.mutable_data() = JsonObjectOf(R"({"access_token":"s3cret",})");
  const absl::Status status = AnswerJson(oauth2, pb::OAuth2Step::kGetToken).status();
  EXPECT_THAT(Paths(status), ElementsAre("data"));
  EXPECT_EQ(status.ToString().find("s3cret"), std::string::npos);
}

TEST(MapResourceAnswerTest, EveryWrongFieldIsNamed) {
  pb::MapResourceResult result;
  result.add_fields()->set_value_type("text");
  pb::MappedField& second = *result.add_fields();
  second.set_id("b");
  second.set_value_type("number");
  (*second.mutable_display_name())["zh_Hans"] = "名";
  (*second.mutable_ui()->mutable_hint())["en_US"] = "h";
  (*second.mutable_ui()->mutable_hint())["english"] = "h";
  EXPECT_THAT(Paths(AnswerJson(result).status()),
              ElementsAre("fields[0].id", "fields[0].value_type", "fields[1].display_name",
                          "fields[1].ui.hint"));
}

}  // namespace
}  // namespace atomemo::payload
