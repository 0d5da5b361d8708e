#include "bridge/definition/validate.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bridge/definition/definition_samples.h"

namespace atomemo::definition {
namespace {

using base::Json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json ValueOf(Schema schema, absl::string_view json) { return Validate(schema, J(json)).value; }

TEST(Schemas, AreKnownByName) {
  EXPECT_EQ(SchemaFromName("definition"), Schema::kDefinition);
  EXPECT_EQ(SchemaFromName("strict_name"), Schema::kStrictName);
  EXPECT_EQ(SchemaFromName("Tool"), std::nullopt);
  EXPECT_EQ(NameOf(Schema::kFileRef), "file_ref");
}

TEST(Validate, ReportsEveryViolation) {
  const std::string errors = ErrorsOf(Schema::kTool, J(R"({"name": "x", "icon": 1, "parameters": [
      {"name": "a", "type": "strin", "required": 1}, {"type": "object", "name": "b_"}]})"));
  for (const char* path :
       {"name: ", "icon: ", "display_name: ", "description: ", "parameters[0].type: ",
        "parameters[0].required: ", "parameters[1].name: ", "parameters[1].properties: "}) {
    EXPECT_THAT(errors, HasSubstr(path));
  }
}

TEST(Validate, DropsUnknownMembersWithAWarning) {
  const Report report =
      Validate(Schema::kProperty, J(R"({"name": "p", "zzz": 1, "type": "string"})"));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(base::DumpJson(report.value), R"({"name":"p","type":"string"})");
  EXPECT_EQ(Lines(report.warnings), "zzz: the hub knows no member \"zzz\" here: it is dropped\n");
}

TEST(Validate, SuggestsTheMemberThatWasMeant) {
  EXPECT_THAT(
      WarningsOf(Schema::kProperty, J(R"({"name": "p", "type": "string", "defualt": "x"})")),
      HasSubstr("did you mean \"default\"?"));
  EXPECT_THAT(WarningsOf(Schema::kProperty,
                         J(R"({"name": "p", "type": "string", "hint": {"en_US": "x"}})")),
              HasSubstr("it belongs into `ui`"));
}

TEST(Validate, SaysNothingOfTheMemberByWhichEditorsFindTheSchema) {
  Json definition = DefinitionWith(Json::array(), Json::array());
  definition["$schema"] = "./schema.json";
  EXPECT_THAT(WarningsOf(Schema::kDefinition, definition), IsEmpty());
}

TEST(Validate, KeepsTheDocumentationsOwnMembers) {
  const char* credential =
      R"({"name": "api-key", "display_name": {"en_US": "x"}, "description": {"en_US": "x"},
          "icon": "x",
      "help_url": "https://example.com", "extra": {"a": 1},
      "parameters": [{"name": "key", "type": "string", "secret": true, "placeholder": "sk-..."}]})";
  EXPECT_EQ(ValueOf(Schema::kCredential, credential), J(credential));
  Json tool = ToolWith(Json::array());
  tool["credentials"] = {"api-key"};
  tool["timeout"] = 60000;
  EXPECT_EQ(Validate(Schema::kTool, tool).value, tool);
}

TEST(Validate, ChecksTheTypesOfTheDocumentationsOwnMembers) {
  EXPECT_THAT(ErrorsOf(Schema::kProperty, J(R"({"name": "p", "type": "string", "secret": "yes"})")),
              HasSubstr("secret: expected true or false"));
  Json tool = ToolWith(Json::array());
  tool["credentials"] = "api-key";
  tool["timeout"] = 0;
  EXPECT_THAT(ErrorsOf(Schema::kTool, tool), HasSubstr("credentials: expected a list"));
  EXPECT_THAT(ErrorsOf(Schema::kTool, tool),
              HasSubstr("timeout: expected a whole number of milliseconds"));
}

TEST(Validate, NormalisesAsTheOfficialSchemaDoes) {
  EXPECT_EQ(
      ValueOf(Schema::kProperty, R"({"name": "p", "type": "number", "ui": {"component": "slider",
                    "marks": {"1.50": "a", "1.5": "b"}}})")["ui"]["marks"],
      J(R"({"1.5": "b"})"));
  EXPECT_EQ(
      ValueOf(Schema::kResourceMapper, R"({"__type__": "resource_mapper", "mapping_mode": "auto",
                    "value": {"__proto__": 1, "a": 2}})")["value"],
      J(R"({"a": 2})"));
  Json plugin = DefinitionWith(Json::array(), Json::array());
  plugin.erase("credentials"), plugin.erase("tools");
  plugin["repo"] = " https://example.com ";
  EXPECT_EQ(Validate(Schema::kPlugin, plugin).value["repo"], "https://example.com");
}

TEST(Validate, MembersNamedProtoAreNotChecked) {
  EXPECT_TRUE(
      Validate(Schema::kProperty, J(R"({"name": "p", "type": "number", "ui": {"component": "slider",
                    "marks": {"__proto__": 1}}})"))
          .ok());
}

TEST(Validate, ParameterMembersMayBeNullAndUiMembersMayNot) {
  EXPECT_TRUE(Validate(Schema::kProperty,
                       J(R"({"name": "p", "type": "string", "default": null, "ui": null})"))
                  .ok());
  EXPECT_FALSE(
      Validate(
          Schema::kProperty,
          J(R"({"name": "p", "type": "string", "ui": {"component": "input", "disabled": null}})"))
          .ok());
}

TEST(Validate, AnIntegerMayBeWrittenWithAFraction) {
  const auto with_indentation = [](Json indentation) {
    Json parameter = J(R"({"name": "p", "type": "string", "ui": {"component": "input"}})");
    parameter["ui"]["indentation"] = std::move(indentation);
    return Validate(Schema::kProperty, parameter).ok();
  };
  EXPECT_TRUE(with_indentation(2.0));
  EXPECT_TRUE(with_indentation(80));
  for (const Json& bad : {Json(0), Json(82), Json(3), Json(2.5), Json(true), Json("2")}) {
    EXPECT_FALSE(with_indentation(bad)) << bad;
  }
}

TEST(Validate, DiscriminatedUnionsStandOnlyInItemsAndAdditionalProperties) {
  const Json u = J(R"({"type": "discriminated_union", "discriminator": "kind", "any_of": [
      {"name": "a", "type": "object", "properties": [{"name": "kind", "type": "string",
      "constant": "a"}]},
      {"name": "b", "type": "object", "properties": [{"name": "kind", "type": "string",
      "constant": "b"}]}]})");
  Json array = J(R"({"name": "p", "type": "array"})");
  array["items"] = u;
  EXPECT_TRUE(Validate(Schema::kProperty, array).ok());
  EXPECT_THAT(ErrorsOf(Schema::kProperty, u),
              HasSubstr("only as `items` or `additional_properties`"));
}

class DiscriminatorTest : public ::testing::Test {
 protected:
  // An array of objects that are told apart by these constants of the member `kind`.
  static std::string ErrorsWith(const char* type, absl::string_view first,
                                absl::string_view second) {
    return ErrorsOf(Schema::kProperty,
                    J(absl::StrCat(
                        R"({"name": "p", "type": "array", "items": {"type": "discriminated_union",
                "discriminator": "kind", "any_of": [
        {"name": "a", "type": "object", "properties": [{"name": "kind", "type": ")",
                        type, R"(", "constant": )", first, R"(}]},
        {"name": "b", "type": "object", "properties": [{"name": "kind", "type": ")",
                        type, R"(", "constant": )", second, "}]}]}}")));
  }
};

TEST_F(DiscriminatorTest, ConstantsMustDiffer) {
  EXPECT_THAT(ErrorsWith("string", "\"x\"", "\"y\""), IsEmpty());
  EXPECT_THAT(ErrorsWith("string", "\"x\"", "\"x\""), HasSubstr("items.any_of[1]: another object"));
  EXPECT_THAT(ErrorsWith("number", "1", "1.0"), HasSubstr("another object"));
}

TEST_F(DiscriminatorTest, FalsyConstantsEscapeTheRule) {
  EXPECT_THAT(ErrorsWith("string", "\"\"", "\"\""), IsEmpty());
  EXPECT_THAT(ErrorsWith("number", "0", "-0.0"), IsEmpty());
  EXPECT_THAT(ErrorsWith("boolean", "false", "false"), IsEmpty());
  EXPECT_THAT(ErrorsWith("boolean", "true", "true"), HasSubstr("another object"));
}

TEST_F(DiscriminatorTest, ConstantsMustBeThere) {
  EXPECT_THAT(ErrorsWith("string", "\"x\"", "null"), HasSubstr("needs a `constant`"));
}

TEST(Validate, AnObjectWithAConstantHasNoProperties) {
  EXPECT_THAT(ErrorsOf(Schema::kProperty, J(R"({"name": "p", "type": "object", "constant": {},
                        "properties": [{"name": "a", "type": "string"}]})")),
              HasSubstr("constant: an object with a `constant` must have no `properties`"));
}

TEST(Validate, FunctionsCannotBeWrittenInJson) {
  Json credential = CredentialWith(Json::array());
  credential["authenticate"] = nullptr;
  EXPECT_THAT(ErrorsOf(Schema::kCredential, credential), HasSubstr("authenticate: leave this out"));
}

TEST(Validate, ADefinitionsPartsHaveDifferentNames) {
  const Json tool = ToolWith(Json::array());
  EXPECT_THAT(ErrorsOf(Schema::kDefinition, DefinitionWith(Json::array(), {tool, tool})),
              HasSubstr("tools[1].name: the name \"my-tool\" is taken"));
}

TEST(Validate, AWholeDefinitionMayHaveAnEmptyRepo) {
  Json definition = DefinitionWith(Json::array(), Json::array());
  definition["repo"] = "";
  EXPECT_TRUE(Validate(Schema::kDefinition, definition).ok());
  EXPECT_FALSE(Validate(Schema::kPlugin, definition).ok());
}

TEST(Validate, NumbersThatJsonCannotSayAreRefused) {
  Json parameter = J(R"({"name": "p", "type": "number"})");
  parameter["default"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(ErrorsOf(Schema::kProperty, parameter), HasSubstr("default: expected a number"));
}

}  // namespace
}  // namespace atomemo::definition
