#include "bridge/definition/typed.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bridge/definition/definition_samples.h"

namespace atomemo::definition {
namespace {

using base::Json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Valid JSON that is the same after it was typed.
void ExpectParameterSurvives(absl::string_view text) {
  SCOPED_TRACE(text);
  const Json json = J(text);
  EXPECT_THAT(ErrorsOf(Schema::kProperty, json), IsEmpty());
  pb::Parameter parameter;
  ASSERT_EQ(FromJson(json, &parameter), absl::OkStatus());
  EXPECT_EQ(Json::diff(json, ToJson(parameter)), Json::array());
}

TEST(Typed, EveryTypeOfParameterSurvives) {
  for (const char* text : {
           R"({"name": "p", "type": "string", "constant": "a", "default": "", "enum": ["a", "b"],
              "min_length": 0, "max_length": 9})",
           R"({"name": "p", "type": "number", "constant": 0, "default": 1.5, "enum": [1, 2.5],
              "minimum": -1, "maximum": 1e300})",
           R"({"name": "p", "type": "integer", "default": 9007199254740992})",
           R"({"name": "p", "type": "boolean", "constant": false, "default": true,
              "enum": [true, false]})",
           R"({"name": "p", "type": "encrypted_string"})",
           R"({"name": "p", "type": "credential_id", "credential_name": "c"})",
           R"({"name": "p", "type": "array", "items": {"name": "i", "type": "string"},
              "default": [1, null, {"a": []}], "constant": [],
               "enum": [[], ["x"]], "min_items": 1, "max_items": 2})",
           R"({"name": "p", "type": "object", "properties": [], "constant": {"a": null},
              "default": {}, "enum": [{}, {"b": 1}],
               "additional_properties": {"name": "a", "type": "file_ref"}})",
           R"({"name": "p", "type": "array", "items": {"type": "discriminated_union",
              "discriminator": "k",
               "discriminator_ui": {"component": "radio-group"}, "any_of": [
                 {"name": "a", "type": "object", "properties": [{"name": "k", "type": "string",
                 "constant": "a"}]},
                 {"name": "b", "type": "object", "properties": [{"name": "k", "type": "string",
                 "constant": "b"}]}]}})",
           R"({"name": "p", "type": "resource_locator", "modes": [
                 {"type": "list", "display_name": {"en_US": "x"}, "search_list_method": "find",
                 "searchable": false},
                 {"type": "url", "placeholder": {"en_US": "x"}, "extract_value": {"type": "regex",
                 "regex": "a+"}}, {"type": "id"}],
               "default": {"__type__": "resource_locator", "mode_name": "id", "value": null,
               "cached_result_label": "l", "cached_result_url": ""}})",
           R"({"name": "p", "type": "resource_mapper", "mapping_method": "m",
               "default": {"__type__": "resource_mapper", "mapping_mode": "manual",
               "value": {"a": [1]}}})",
           R"({"name": "p", "type": "resource_mapper", "mapping_method": "m",
               "default": {"__type__": "resource_mapper", "mapping_mode": "auto", "value": null}})",
           R"({"name": "p", "type": "file_ref", "ui": {"width": "full"}})",
           R"({"name": "p", "type": "llm_config", "ui": {"hint": {"en_US": "x"}}})",
       }) {
    ExpectParameterSurvives(text);
  }
}

TEST(Typed, WhatAllParametersHaveSurvives) {
  ExpectParameterSurvives(
      R"({"name": "p", "type": "string", "display_name": {"en_US": "x", "zh_Hans": "y"},
          "required": false,
      "display": {"show": {"$and": [{"a": {"$in": ["b", 1]}}]}, "hide": {}},
      "ai": {"llm_description": {"en_US": "x"}},
      "depends_on": ["a"], "decoder": "json", "secret": true, "placeholder": "sk-...",
      "description": {"en_US": "x", "zh_Hans": "y"}})");
}

TEST(Typed, EveryComponentSurvives) {
  const auto with_ui = [](const char* type, absl::string_view ui) {
    ExpectParameterSurvives(
        absl::StrCat(R"({"name": "p", "ui": )", ui, R"(, "type": )", type, "}"));
  };
  constexpr char kOptions[] = R"("clearable": true, "searchable": false, "options": [
      {"label": {"en_US": "x"}, "value": "", "icon": ""}, {"label": {"en_US": "x"}, "value": 1.5},
      {"label": {"en_US": "x"}, "value": false}])";
  constexpr char kArray[] = R"("array", "items": {"name": "i", "type": "string"})";
  constexpr char kObject[] = R"("object", "properties": [])";
  with_ui("\"string\"",
          R"({"component": "input", "disabled": true, "hint": {"en_US": "x"},
          "placeholder": {"en_US": "x"}, "readonly": true,
      "sensitive": false, "support_expression": true, "width": "medium", "indentation": 2,
      "display_none": true})");
  with_ui("\"encrypted_string\"", R"({"component": "encrypted-input"})");
  with_ui("\"string\"", R"({"component": "textarea", "max_height": 9, "min_height": 1.5})");
  with_ui("\"number\"", R"({"component": "number-input", "step": 0.1, "suffix": "ms"})");
  with_ui("\"string\"",
          R"({"component": "code-editor", "language": "python3", "line_numbers": true,
          "line_wrapping": false,
      "max_height": 9, "min_height": 1, "rows": 3})");
  with_ui("\"string\"", absl::StrCat(R"({"component": "select", )", kOptions, "}"));
  with_ui("\"string\"", absl::StrCat(R"({"component": "radio-group", )", kOptions, "}"));
  with_ui(kArray, absl::StrCat(R"({"component": "multi-select", )", kOptions, "}"));
  with_ui("\"boolean\"", R"({"component": "switch"})");
  with_ui("\"boolean\"", R"({"component": "checkbox"})");
  with_ui("\"number\"",
          R"({"component": "slider", "marks": {"0.5": "x"}, "show_value": true, "step": 1})");
  with_ui(kArray,
          R"({"component": "key-value-editor", "add_button_label": {"en_US": "x"},
          "empty_description": {"en_US": "x"},
      "section_header": {"en_US": "x"}})");
  with_ui(kArray, R"({"component": "tag-input"})");
  with_ui("\"string\"", R"({"component": "emoji-picker", "size": "extra-small"})");
  with_ui("\"string\"", R"({"component": "color-picker"})");
  with_ui("\"string\"",
          R"({"component": "credential-select", "clearable": true, "searchable": true})");
  with_ui(kObject, R"({"component": "json-schema-editor"})");
  with_ui(kObject, R"({"component": "conditions-editor"})");
  with_ui(kArray,
          R"({"component": "array-section", "add_label": {"en_US": "x"}, "collapsible": true,
          "empty_message": {"en_US": "x"},
      "remove_tooltip": {"en_US": "x"}, "sortable": false})");
  with_ui(kObject,
          R"({"component": "collapsible-panel", "collapsible": true, "default_collapsed": false,
          "panel_title": {"en_US": "x"},
      "remove_tooltip": {"en_US": "x"}, "sortable": true})");
  with_ui(kObject, R"({"component": "section"})");
}

TEST(Typed, CredentialsToolsAndModelsSurvive) {
  Json json = CredentialWith(Json::array());
  json.update(J(
      R"({"oauth2": false, "oauth2_grant_type": "client_credentials", "help_url": "x",
          "extra": {"a": [1]}, "type": "token"})"));
  pb::CredentialDefinition credential;
  ASSERT_EQ(FromJson(json, &credential), absl::OkStatus());
  EXPECT_EQ(Json::diff(json, ToJson(credential)), Json::array());

  json = ToolWith(Json::array());
  json.update(J(R"({"skill": "", "credentials": ["a"], "timeout": 1500,
      "settings": [{"name": "p", "type": "llm_config"}]})"));
  pb::ToolDefinition tool;
  ASSERT_EQ(FromJson(json, &tool), absl::OkStatus());
  EXPECT_EQ(tool.timeout().nanos(), 500'000'000);
  EXPECT_EQ(Json::diff(json, ToJson(tool)), Json::array());

  json = Texts("my-model");
  json.update(J(
      R"({"model_type": "llm", "default_endpoint": "https://a.io", "input_modalities": ["file",
          "image", "text"],
      "output_modalities": ["text"], "pricing": {"currency": "USD", "input": 0.1, "output": 0,
      "input_cache_read": 1,
      "input_cache_write": 2, "request": 3}, "override_parameters": {"temperature": {"default": 1,
      "maximum": 2, "minimum": 0},
      "frequency_penalty": {}, "max_tokens": {"default": 1, "maximum": 2},
      "verbosity": {"default": "low"}},
      "unsupported_parameters": ["endpoint", "temperature", "frequency_penalty", "seed",
      "max_tokens", "json_schema", "stream",
      "stream_options", "structured_outputs", "parallel_tool_calls", "verbosity"]})"));
  EXPECT_THAT(ErrorsOf(Schema::kModel, json), IsEmpty());
  pb::ModelDefinition model;
  ASSERT_EQ(FromJson(json, &model), absl::OkStatus());
  EXPECT_EQ(Json::diff(json, ToJson(model)), Json::array());
}

TEST(Typed, RequiredListsAreSentEvenIfEmpty) {
  EXPECT_EQ(ToJson(pb::ToolDefinition()), J(R"({"parameters": []})"));
  EXPECT_EQ(ToJson(pb::PluginDefinition()), J(R"({"locales": []})"));
}

TEST(Typed, WhatIsForTheBridgeOnlyIsNotSent) {
  pb::ToolDefinition tool;
  tool.add_locator_methods("find");
  tool.add_mapping_methods("fields");
  EXPECT_EQ(ToJson(tool), J(R"({"parameters": []})"));
}

TEST(Typed, WhatIsNotSetIsReportedAsMissing) {
  pb::ToolDefinition tool;
  tool.set_name("my-tool");
  EXPECT_THAT(ErrorsOf(Schema::kTool, ToJson(tool)), HasSubstr("icon: is missing"));
}

TEST(Typed, NullIsTheSameAsLeavingOut) {
  pb::Parameter parameter;
  ASSERT_EQ(
      FromJson(J(R"({"name": "p", "type": "string", "default": null, "ui": null, "enum": null})"),
               &parameter),
      absl::OkStatus());
  EXPECT_EQ(ToJson(parameter), J(R"({"name": "p", "type": "string"})"));
}

TEST(Typed, InvalidJsonIsRefusedWithItsPath) {
  pb::ToolDefinition tool;
  const auto error_of = [&](absl::string_view json) {
    return std::string(FromJson(J(json), &tool).message());
  };
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object, found an empty list"));
  EXPECT_THAT(error_of(R"({"parameters": [{"type": "strin"}]})"),
              HasSubstr("parameters[0].type: "));
  EXPECT_THAT(error_of(
                  R"({"parameters": [{"type": "string", "ui": {"component": "input",
              "indentation": 1.5}}]})"),
              HasSubstr("parameters[0].ui.indentation: expected a whole number"));
  EXPECT_THAT(error_of(R"({"display_name": {"en_US": 1}})"),
              HasSubstr("display_name.en_US: expected a string"));
}

TEST(Typed, UnknownEnumValuesAreLeftToTheValidator) {
  pb::Parameter parameter;
  parameter.set_name("p");
  parameter.mutable_string();
  parameter.mutable_ui()->mutable_input();
  parameter.mutable_ui()->set_width(static_cast<pb::Ui::Width>(77));
  EXPECT_THAT(ErrorsOf(Schema::kProperty, ToJson(parameter)),
              HasSubstr("ui.width: expected one of"));
}

}  // namespace
}  // namespace atomemo::definition
