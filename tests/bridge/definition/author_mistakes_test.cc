// Ten mistakes that authors make, each with the whole message they get: read alone, it tells what
// to change.

#include "gtest/gtest.h"
#include "tests/bridge/definition/definition_samples.h"

namespace atomemo::definition {
namespace {

std::string ErrorsOfParameter(absl::string_view json) {
  return ErrorsOf(Schema::kProperty, J(json));
}

TEST(AuthorMistakes, TextWithoutTranslations) {
  base::Json tool = ToolWith(base::Json::array());
  tool["display_name"] = "Weather";
  EXPECT_EQ(ErrorsOf(Schema::kTool, tool),
            "display_name: expected texts by locale such as {\"en_US\": \"...\"}, found the string "
            "\"Weather\"; write {\"en_US\": \"Weather\"}\n");
}

TEST(AuthorMistakes, TranslationsWithoutEnglish) {
  EXPECT_EQ(ErrorsOf(Schema::kI18n, J(R"({"zh_Hans": "天气"})")),
            "en_US: is missing: texts for people need one for the locale en_US\n");
}

TEST(AuthorMistakes, LocaleWithAHyphen) {
  EXPECT_EQ(ErrorsOf(Schema::kI18n, J(R"({"en_US": "x", "zh-Hans": "y"})")),
            "[\"zh-Hans\"]: expected a locale such as en_US or zh_Hans, found \"zh-Hans\": it must "
            "be two "
            "parts joined by one `_`\n");
}

TEST(AuthorMistakes, TypeOfAnotherLanguage) {
  EXPECT_EQ(ErrorsOfParameter(R"({"name": "n", "type": "float"})"),
            "type: expected one of \"string\", \"number\", \"integer\", \"boolean\", "
            "\"encrypted_string\", "
            "\"credential_id\", \"resource_locator\", \"resource_mapper\", \"array\", \"object\", "
            "\"file_ref\", \"llm_config\"; found the string \"float\"; did you mean \"number\"?\n");
}

TEST(AuthorMistakes, ParameterNameWithAHyphen) {
  EXPECT_EQ(ErrorsOfParameter(R"({"name": "first-name", "type": "string"})"),
            "name: expected a name of 1 to 64 letters, digits and single `_` that starts with a "
            "letter and "
            "does not end with `_`, found the string \"first-name\": only letters, digits and _ "
            "are allowed "
            "in it\n");
}

TEST(AuthorMistakes, NumberInQuotes) {
  EXPECT_EQ(ErrorsOfParameter(R"({"name": "n", "type": "integer", "default": "5"})"),
            "default: expected a number, found the string \"5\"; write it without quotes\n");
}

TEST(AuthorMistakes, ComponentThatDoesNotFitTheType) {
  EXPECT_EQ(ErrorsOfParameter(R"({"name": "b", "type": "boolean", "ui": {"component": "swich"}})"),
            "ui.component: expected one of \"switch\", \"checkbox\"; found the string \"swich\"; "
            "did you mean "
            "\"switch\"?\n");
}

TEST(AuthorMistakes, ArrayWithoutItems) {
  EXPECT_EQ(ErrorsOfParameter(R"({"name": "tags", "type": "array"})"),
            "items: is missing: expected a parameter or a discriminated union\n");
}

TEST(AuthorMistakes, SameNameTwice) {
  EXPECT_EQ(
      ErrorsOf(Schema::kTool,
               ToolWith(J(
                   R"([{"name": "city", "type": "string"}, {"name": "city", "type": "number"}])"))),
      "parameters[1].name: the name \"city\" is taken by an earlier element of the same list: "
      "names "
      "must be different\n");
}

TEST(AuthorMistakes, OAuth2WithoutItsParameters) {
  base::Json credential = CredentialWith(J(R"([
      {"name": "client_id", "type": "string"},
      {"name": "client_secret", "type": "encrypted_string", "required": true},
      {"name": "access_token", "type": "encrypted_string"},
      {"name": "refresh_token", "type": "encrypted_string"},
      {"name": "expires_at", "type": "string"}])"));
  credential["oauth2"] = true;
  EXPECT_EQ(
      ErrorsOf(Schema::kCredential, credential),
      "parameters: an OAuth2 credential needs a parameter \"client_id\" of type \"string\" with "
      "`required: true`; its `required` is not true\n"
      "parameters: an OAuth2 credential needs a parameter \"expires_at\" of type \"integer\"; it "
      "has "
      "another type\n");
}

}  // namespace
}  // namespace atomemo::definition
