#include "bridge/definition/lint.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bridge/definition/definition_samples.h"

namespace atomemo::definition {
namespace {

using base::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string WarningsOfParameter(absl::string_view json) {
  return WarningsOf(Schema::kProperty, J(json));
}

TEST(Lint, ADefaultOutsideItsEnum) {
  EXPECT_EQ(
      WarningsOfParameter(R"({"name": "p", "type": "string", "enum": ["a"], "default": "b"})"),
      "default: the default (the string \"b\") is not among the values of `enum`\n");
  EXPECT_THAT(
      WarningsOfParameter(R"({"name": "p", "type": "number", "enum": [1], "default": 1.0})"),
      IsEmpty());
}

TEST(Lint, WhatOnlyOneOfTheOfficialSdksKnows) {
  const std::string note =
      "the Elixir SDK knows this, the JavaScript SDK does not; it is sent to the hub\n";
  EXPECT_EQ(WarningsOfParameter(R"({"name": "p", "type": "llm_config"})"), "type: " + note);
  Json tool = ToolWith(Json::array());
  tool["settings"] = J(R"([{"name": "p", "type": "llm_config"}])");
  tool["timeout"] = 1000;
  EXPECT_EQ(WarningsOf(Schema::kTool, tool), "settings[0].type: " + note + "settings: " + note);
  EXPECT_EQ(Lines(LintForOtherSdks(Schema::kTool, tool)), "timeout: " + note);
  EXPECT_THAT(Lines(LintForOtherSdks(Schema::kDefinition,
                                     DefinitionWith(Json::array(), Json::array({tool})))),
              HasSubstr("tools[0].timeout: " + note));
  Json credential = CredentialWith(Json::array());
  credential["type"] = "token";
  EXPECT_EQ(WarningsOf(Schema::kCredential, credential), "type: " + note);
}

TEST(Lint, SettingsAreJudgedAsParametersAre) {
  Json tool = ToolWith(Json::array());
  tool["settings"] = J(R"([{"name": "a", "type": "string", "depends_on": ["b"]}])");
  EXPECT_THAT(WarningsOf(Schema::kTool, tool),
              HasSubstr("settings[0].depends_on[0]: no parameter"));
  tool["settings"] = J(R"([{"name": "a", "type": "strin"}])");
  EXPECT_THAT(ErrorsOf(Schema::kTool, tool), HasSubstr("settings[0].type: expected one of"));
}

TEST(Lint, TextsThatOtherSdksSeeTo) {
  Json plugin = Texts("my-plugin");
  EXPECT_THAT(Lines(LintOwnTexts(plugin)),
              AllOf(HasSubstr("author: is missing"), HasSubstr("email: is missing"),
                    HasSubstr("--email"), HasSubstr("version: is missing")));
  plugin.update(J(R"({"author": "a", "email": "a@b.io", "version": "1.0"})"));
  EXPECT_EQ(Lines(LintOwnTexts(plugin)),
            "version: expected a version such as 1.0.0, for release mode: it is no SemVer, "
            "MAJOR.MINOR.PATCH\n");
  plugin["version"] = "1.0.0";
  EXPECT_THAT(LintOwnTexts(plugin), IsEmpty());
}

TEST(Lint, LimitsThatExcludeEverything) {
  EXPECT_EQ(WarningsOfParameter(R"({"name": "p", "type": "number", "minimum": 2, "maximum": 1})"),
            "minimum: `minimum` (2) is more than `maximum` (1): no value fits\n");
  EXPECT_THAT(
      WarningsOfParameter(R"({"name": "p", "type": "string", "min_length": 2, "max_length": 1})"),
      HasSubstr("min_length"));
  EXPECT_THAT(WarningsOfParameter(
                  R"({"name": "p", "type": "array", "items": {"name": "i", "type": "string"},
              "min_items": 2, "max_items": 1})"),
              HasSubstr("min_items"));
  EXPECT_THAT(
      WarningsOfParameter(
          R"({"name": "p", "type": "string", "ui": {"component": "textarea", "min_height": 9,
              "max_height": 3}})"),
      HasSubstr("ui.min_height"));
}

TEST(Lint, ADefaultBeyondItsLimits) {
  EXPECT_EQ(WarningsOfParameter(R"({"name": "p", "type": "number", "minimum": 2, "default": 1})"),
            "default: the default is below `minimum` (2)\n");
  EXPECT_THAT(
      WarningsOfParameter(R"({"name": "p", "type": "string", "max_length": 1, "default": "😀"})"),
      HasSubstr("above `max_length`"));
  EXPECT_THAT(
      WarningsOfParameter(R"({"name": "p", "type": "string", "min_length": 1, "default": ""})"),
      IsEmpty());
}

TEST(Lint, AnIntegerThatIsNone) {
  EXPECT_THAT(WarningsOfParameter(R"({"name": "p", "type": "integer", "default": 1.5})"),
              HasSubstr("1.5 is not"));
  EXPECT_THAT(WarningsOfParameter(R"({"name": "p", "type": "number", "default": 1.5})"), IsEmpty());
}

TEST(Lint, ARegexThatDoesNotCompile) {
  EXPECT_THAT(WarningsOfParameter(R"json({"name": "p", "type": "resource_locator", "modes": [
                  {"type": "url", "extract_value": {"type": "regex",
                  "regex": "(?P<id>x)"}}]})json"),
              HasSubstr("modes[0].extract_value.regex: JavaScript cannot compile"));
  EXPECT_THAT(WarningsOfParameter(R"json({"name": "p", "type": "string",
                  "display": {"show": {"$and": [{"a": {"$regex": "("}}]}}})json"),
              HasSubstr("display.show.$and[0].a.$regex: "));
}

TEST(Lint, ADependencyOnNothing) {
  const auto depending_on = [](const char* name) {
    return WarningsOf(Schema::kTool, ToolWith(J(absl::StrCat(R"([{"name": "base", "type": "string"},
        {"name": "o", "type": "object", "properties": [
            {"name": "m", "type": "resource_mapper", "mapping_method": "f", "depends_on": [")",
                                                             name, R"("]}]}])"))));
  };
  EXPECT_THAT(depending_on("base"), IsEmpty());
  EXPECT_THAT(depending_on("bass"),
              HasSubstr("parameters[1].properties[0].depends_on[0]: no parameter here has this "
                        "name: \"bass\"; did you mean \"base\"?"));
  EXPECT_THAT(depending_on("m"), HasSubstr("the parameter depends on itself"));
}

TEST(Lint, ACredentialThatIsNotThere) {
  const Json credentials = {CredentialWith(Json::array())};
  const auto linked_to = [&](const char* name) {
    Json tool = ToolWith(J(absl::StrCat(
        R"([{"name": "c", "type": "credential_id", "credential_name": ")", name, "\"}]")));
    tool["credentials"] = {name};
    return WarningsOf(Schema::kDefinition, DefinitionWith(credentials, {tool}));
  };
  EXPECT_THAT(linked_to("my-credential"), IsEmpty());
  EXPECT_THAT(linked_to("my_credential"),
              HasSubstr("tools[0].parameters[0].credential_name: no credential of this plugin"));
  EXPECT_THAT(linked_to("my_credential"),
              HasSubstr("tools[0].credentials[0]: no credential of this plugin"));
}

TEST(Lint, AToolAloneKnowsNoCredentials) {
  Json tool =
      ToolWith(J(R"([{"name": "c", "type": "credential_id", "credential_name": "elsewhere"}])"));
  EXPECT_THAT(WarningsOf(Schema::kTool, tool), IsEmpty());
}

TEST(Lint, AMethodThatTheToolDoesNotList) {
  Json tool = ToolWith(J(R"([
      {"name": "l", "type": "resource_locator", "modes": [{"type": "list",
      "search_list_method": "find"}]},
      {"name": "m", "type": "resource_mapper", "mapping_method": "fields"}])"));
  EXPECT_THAT(WarningsOf(Schema::kTool, tool), IsEmpty());
  tool["locator_list"] = Json::object();
  tool["resource_mapping"] = Json::object();
  EXPECT_THAT(WarningsOf(Schema::kTool, tool),
              HasSubstr("parameters[0].modes[0].search_list_method: "));
  EXPECT_THAT(WarningsOf(Schema::kTool, tool), HasSubstr("parameters[1].mapping_method: "));
}

TEST(Lint, ADefaultOfAModeThatIsNotThere) {
  EXPECT_THAT(
      WarningsOfParameter(R"({"name": "p", "type": "resource_locator", "modes": [{"type": "id"}],
                  "default": {"__type__": "resource_locator", "mode_name": "url",
                  "value": null}})"),
      HasSubstr("default.mode_name: "));
}

TEST(Lint, FalsyDiscriminatorsThatAreTheSame) {
  EXPECT_THAT(WarningsOfParameter(
                  R"({"name": "p", "type": "array", "items": {"type": "discriminated_union",
              "discriminator": "k", "any_of": [
                  {"name": "a", "type": "object", "properties": [{"name": "k", "type": "number",
                  "constant": 0}]},
                  {"name": "b", "type": "object", "properties": [{"name": "k", "type": "number",
                  "constant": 0}]}]}})"),
              HasSubstr("items.any_of[1]: another object of the union has the same constant"));
}

TEST(Lint, AModelsRanges) {
  Json model = Texts("my-model");
  model.update(J(
      R"({"model_type": "llm", "input_modalities": [], "output_modalities": [],
          "unsupported_parameters": [],
                     "override_parameters": {"temperature": {"minimum": 2, "maximum": 1},
                     "max_tokens": {"default": 9, "maximum": 8}}})"));
  EXPECT_THAT(WarningsOf(Schema::kModel, model),
              HasSubstr("override_parameters.temperature.minimum: "));
  EXPECT_THAT(WarningsOf(Schema::kModel, model),
              HasSubstr("override_parameters.max_tokens.default: "));
}

TEST(Lint, ATimeoutBeyondTheLongest) {
  Json tool = ToolWith(Json::array());
  tool["timeout"] = 1'800'001;
  EXPECT_THAT(WarningsOf(Schema::kTool, tool),
              HasSubstr("timeout: calls are ended after 30 minutes"));
}

}  // namespace
}  // namespace atomemo::definition
