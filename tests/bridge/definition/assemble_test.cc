#include "bridge/definition/assemble.h"

#include "bridge/definition/facts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bridge/definition/definition_samples.h"

namespace atomemo::definition {
namespace {

using base::Json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Json PluginTexts() {
  Json plugin = Texts("my-plugin");
  plugin["locales"] = Json::array();
  return plugin;
}

Json ToolNamed(const char* name) {
  Json tool = ToolWith(Json::array());
  tool["name"] = name;
  return tool;
}

TEST(Assemble, HasAllListsAndALanguage) {
  Parts parts;
  parts.plugin = PluginTexts();
  const Report report = Assemble(parts);
  ASSERT_TRUE(report.ok()) << Lines(report.errors);
  EXPECT_EQ(report.value["lang"], "typescript");
  for (const char* list : {"credentials", "tools", "models"})
    EXPECT_EQ(report.value[list], Json::array());
}

TEST(Assemble, KeepsThePluginsLanguage) {
  Parts parts;
  parts.plugin = PluginTexts();
  parts.plugin["lang"] = "elixir";
  EXPECT_EQ(Assemble(parts).value["lang"], "elixir");
}

TEST(Assemble, RegisteredPartsFollowThePluginsOwn) {
  Parts parts;
  parts.plugin = PluginTexts();
  parts.plugin["tools"] = {ToolNamed("first")};
  parts.tools = {ToolNamed("third"), ToolNamed("second")};
  const Report report = Assemble(parts);
  ASSERT_TRUE(report.ok()) << Lines(report.errors);
  std::vector<std::string> names;
  for (const Json& tool : report.value["tools"]) names.push_back(tool["name"]);
  EXPECT_THAT(names, ElementsAre("first", "third", "second"));
}

TEST(Assemble, SurvivesAnythingForAPlugin) {
  for (const char* json : {"null", "1", "[]", R"({"tools": 1})"}) {
    Parts parts;
    parts.plugin = J(json);
    parts.tools = {ToolNamed("first")};
    EXPECT_FALSE(Assemble(parts).ok()) << json;
  }
}

TEST(Facts, NameEverythingThatCallsMayGoTo) {
  Json tool = ToolWith(J(R"([
      {"name": "l", "type": "resource_locator", "modes": [{"type": "list",
      "search_list_method": "find_a"}, {"type": "id"}]},
      {"name": "o", "type": "object", "properties": [{"name": "m", "type": "resource_mapper",
      "mapping_method": "fields_a"}],
       "additional_properties": {"name": "m", "type": "resource_mapper",
       "mapping_method": "fields_b"}},
      {"name": "a", "type": "array", "items": {"type": "discriminated_union", "discriminator": "k",
      "any_of": [
        {"name": "x", "type": "object", "properties": [{"name": "k", "type": "string",
        "constant": "x"},
          {"name": "l", "type": "resource_locator", "modes": [{"type": "list",
          "search_list_method": "find_b"}]}]},
        {"name": "y", "type": "object", "properties": [{"name": "k", "type": "string",
        "constant": "y"}]}]}}])"));
  tool["timeout"] = 90'000;
  Json definition = DefinitionWith({CredentialWith(Json::array())}, {tool});
  definition["version"] = "1.2.3";
  ASSERT_THAT(ErrorsOf(Schema::kDefinition, definition), IsEmpty());

  const DefinitionFacts facts = ExtractFacts(definition);
  EXPECT_EQ(facts.name, "my-plugin");
  EXPECT_EQ(facts.version, "1.2.3");
  EXPECT_THAT(facts.credentials, ElementsAre("my-credential"));
  EXPECT_THAT(facts.models, IsEmpty());
  ASSERT_EQ(facts.tools.size(), 1u);
  EXPECT_EQ(facts.tools[0].name, "my-tool");
  EXPECT_EQ(facts.tools[0].timeout, absl::Seconds(90));
  EXPECT_THAT(facts.tools[0].locator_methods, UnorderedElementsAre("find_a", "find_b"));
  EXPECT_THAT(facts.tools[0].mapping_methods, UnorderedElementsAre("fields_a", "fields_b"));
}

TEST(Facts, ATimeoutIsAtMostHalfAnHour) {
  Json tool = ToolWith(Json::array());
  EXPECT_EQ(ExtractToolFacts(tool).timeout, std::nullopt);
  tool["timeout"] = 2'000'000'000;
  EXPECT_EQ(ExtractToolFacts(tool).timeout, absl::Minutes(30));
}

}  // namespace
}  // namespace atomemo::definition
