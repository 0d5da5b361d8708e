#include "bridge/definition/assemble.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bridge/definition/checker.h"
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
  plugin.update(J(R"({"author": "Eva", "email": "eva@example.com", "version": "1.0.0"})"));
  return plugin;
}

Json ToolNamed(const char* name) {
  Json tool = ToolWith(Json::array());
  tool["name"] = name;
  return tool;
}

// A draft of valid texts.
Draft DraftOf(Json plugin) {
  Report report = JudgePlugin(std::move(plugin));
  EXPECT_TRUE(report.ok()) << Lines(report.errors);
  return Draft(std::move(report.value));
}

Json Assembled(const Draft& draft) { return J(draft.Assemble()->json); }

TEST(Assemble, HasAllListsAndALanguage) {
  const Json whole = Assembled(DraftOf(PluginTexts()));
  EXPECT_EQ(whole["lang"], "typescript");
  for (const char* list : {"credentials", "tools", "models"}) EXPECT_EQ(whole[list], Json::array());
  EXPECT_THAT(ErrorsOf(Schema::kDefinition, whole), IsEmpty());
}

TEST(Assemble, KeepsThePluginsLanguage) {
  Json plugin = PluginTexts();
  plugin["lang"] = "elixir";
  EXPECT_EQ(Assembled(DraftOf(std::move(plugin)))["lang"], "elixir");
}

TEST(Assemble, RegisteredPartsFollowThePluginsOwn) {
  Json plugin = PluginTexts();
  plugin["tools"] = {ToolNamed("first")};
  Draft draft = DraftOf(std::move(plugin));
  for (const char* name : {"third", "second"}) {
    ASSERT_TRUE(draft.Add(MakePart(PartKind::kTool, ToolNamed(name))).ok());
  }
  ASSERT_TRUE(draft.Add(MakePart(PartKind::kCredential, CredentialWith(Json::array()))).ok());
  const Json whole = Assembled(draft);
  std::vector<std::string> names;
  for (const Json& tool : whole["tools"]) names.push_back(tool["name"]);
  EXPECT_THAT(names, ElementsAre("first", "third", "second"));
  EXPECT_EQ(whole["credentials"][0]["name"], "my-credential");
  EXPECT_THAT(ErrorsOf(Schema::kDefinition, whole), IsEmpty());
}

TEST(Assemble, TheSameNameTwiceIsRefusedWithinAKindOnly) {
  Json plugin = PluginTexts();
  plugin["tools"] = {ToolNamed("my-credential")};
  Draft draft = DraftOf(std::move(plugin));
  EXPECT_EQ(draft.Add(MakePart(PartKind::kTool, ToolNamed("my-credential"))).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(draft.Add(MakePart(PartKind::kCredential, CredentialWith(Json::array()))).ok());
  EXPECT_EQ(Assembled(draft)["tools"].size(), 1u);
}

TEST(Assemble, AListHasAtMostAsManyPartsAsTheSchemaTakes) {
  Draft draft = DraftOf(PluginTexts());
  const Part part = MakePart(PartKind::kTool, ToolNamed("first"));
  for (std::size_t i = 0; i < kMaxListLength; ++i) {
    Part next = part;
    next.name = absl::StrCat("tool-", i);
    ASSERT_TRUE(draft.Add(std::move(next)).ok());
  }
  EXPECT_EQ(draft.Add(part).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Assemble, KnowsTheSizeOfTheWhole) {
  Draft draft = DraftOf(PluginTexts());
  ASSERT_TRUE(draft.Add(MakePart(PartKind::kTool, ToolNamed("first"))).ok());
  EXPECT_NEAR(static_cast<double>(draft.bytes()),
              static_cast<double>(draft.Assemble()->json.size()), 100);
}

TEST(Assemble, WarnsOfCredentialsThatNobodyRegistered) {
  Json tool = ToolNamed("first");
  tool["credentials"] = {"my-credential", "my-credentail"};
  tool["parameters"] = J(R"([{"name": "o", "type": "object", "properties": [
      {"name": "c", "type": "credential_id", "credential_name": "other-one"}]}])");
  Draft draft = DraftOf(PluginTexts());
  ASSERT_TRUE(draft.Add(MakePart(PartKind::kTool, tool)).ok());
  ASSERT_TRUE(draft.Add(MakePart(PartKind::kCredential, CredentialWith(Json::array()))).ok());
  EXPECT_EQ(Lines(draft.Assemble()->warnings),
            "tools[0].credentials[1]: no credential of this plugin has this name: "
            "\"my-credentail\"; did you mean \"my-credential\"?\n"
            "tools[0].parameters[0].properties[0].credential_name: no credential of this plugin "
            "has this name: \"other-one\"\n");
}

TEST(Assemble, WarnsOfWhatThePluginDoesNotSayOfItself) {
  Json plugin = PluginTexts();
  plugin.erase("author");
  plugin["version"] = "1";
  Draft draft = DraftOf(std::move(plugin));
  const auto warnings = draft.Assemble()->warnings;
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(FormatPath(warnings[0].path), "author");
  EXPECT_EQ(FormatPath(warnings[1].path), "version");
}

TEST(Assemble, FillsWhatThePluginLeftOut) {
  Json plugin = PluginTexts();
  plugin.erase("author");
  plugin["email"] = nullptr;
  const Report report = JudgePlugin(plugin, {"Team", "team@example.com"});
  EXPECT_EQ(report.value["author"], "Team");
  EXPECT_EQ(report.value["email"], "team@example.com");
  const Report own = JudgePlugin(PluginTexts(), {"Team", "team@example.com"});
  EXPECT_EQ(own.value["author"], "Eva");
  EXPECT_EQ(own.value["email"], "eva@example.com");
}

TEST(Assemble, CountsSettingsAsParameters) {
  Json tool = ToolNamed("first");
  tool["settings"] = J(R"([{"name": "c", "type": "credential_id", "credential_name": "none"},
      {"name": "m", "type": "resource_mapper", "mapping_method": "map"}])");
  const Part part = MakePart(PartKind::kTool, tool);
  EXPECT_THAT(part.tool.mapping_methods, UnorderedElementsAre("map"));
  ASSERT_EQ(part.credentials.size(), 1u);
  EXPECT_EQ(FormatPath(part.credentials[0].path), "settings[0].credential_name");
}

TEST(Assemble, KeepsABoundedNumberOfMentionedCredentials) {
  Json names = Json::array();
  for (int i = 0; i < 10'000; ++i) names.push_back(absl::StrCat("c", i));
  Json tool = ToolNamed("first");
  tool["credentials"] = names;
  EXPECT_EQ(MakePart(PartKind::kTool, tool).credentials.size(), kMaxViolations);
  Draft draft = DraftOf(PluginTexts());
  for (int i = 0; i < 20; ++i) {
    tool["name"] = absl::StrCat("tool-", i);
    ASSERT_TRUE(draft.Add(MakePart(PartKind::kTool, tool)).ok());
  }
  EXPECT_EQ(draft.Assemble()->warnings.size(), kMaxViolations);
}

TEST(Assemble, JudgesAnythingForAPlugin) {
  for (const char* json : {"null", "1", "[]", R"({"tools": 1})"}) {
    EXPECT_FALSE(JudgePlugin(J(json)).ok()) << json;
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

  const DefinitionPtr whole = DraftOf(definition).Assemble();
  EXPECT_EQ(whole->facts.name, "my-plugin");
  EXPECT_EQ(whole->facts.version, "1.2.3");
  EXPECT_THAT(whole->facts.credentials, UnorderedElementsAre("my-credential"));
  ASSERT_EQ(whole->facts.tools.size(), 1u);
  const ToolFacts& facts = whole->facts.tools.at("my-tool");
  EXPECT_EQ(facts.timeout, absl::Seconds(90));
  EXPECT_THAT(facts.locator_methods, UnorderedElementsAre("find_a", "find_b"));
  EXPECT_THAT(facts.mapping_methods, UnorderedElementsAre("fields_a", "fields_b"));
}

TEST(Facts, ATimeoutIsAtMostHalfAnHour) {
  Json tool = ToolWith(Json::array());
  EXPECT_EQ(ExtractToolFacts(tool).timeout, std::nullopt);
  tool["timeout"] = 2'000'000'000;
  EXPECT_EQ(ExtractToolFacts(tool).timeout, absl::Minutes(30));
}

}  // namespace
}  // namespace atomemo::definition
