#include "atomemo/plugin.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/testing/fake_bridge.h"
#include "tests/fakes/temporary_folder.h"

namespace atomemo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDefinition[] = R"({
  "name": "from-file", "version": "2.0.0",
  "credentials": [{"name": "google", "oauth2": true, "parameters": []}],
  "tools": [{"name": "send", "parameters": [
    {"name": "rows", "type": "array", "items": {"name": "chat", "type": "resource_locator",
      "modes": [{"type": "list", "search_list_method": "search_chats"}, {"type": "id"}]}},
    {"name": "fields", "type": "resource_mapper", "mapping_method": "map_fields"}]}]
})";

std::string WriteFile(const std::string& name, const std::string& text) {
  static const fakes::TemporaryFolder folder;
  std::ofstream(folder / name) << text;
  return folder / name;
}

std::string CheckMessage(const Plugin& plugin) { return std::string(plugin.Check().message()); }

absl::StatusOr<Json> Nothing(const Call&) { return nullptr; }

void BindAll(Plugin& plugin) {
  plugin.OnInvoke("send", &Nothing);
  plugin.OnListResources("send", "search_chats", [](const ResourceCall&) {
    return absl::StatusOr<ResourceList>(ResourceList{{{"Team", "7"}}});
  });
  plugin.OnMapResource("send", "map_fields", [](const ResourceCall&) {
    return absl::StatusOr<ResourceMapping>(ResourceMapping{});
  });
  plugin.OnBuildAuthorizeUrl("google", [](const OAuth2Call&) -> absl::StatusOr<std::string> {
    return "https://accounts.example";
  });
  plugin.OnGetToken(
      "google", [](const OAuth2Call&) -> absl::StatusOr<OAuth2Tokens> { return OAuth2Tokens{}; });
  plugin.OnRefreshToken("google", [](const CredentialCall&) -> absl::StatusOr<OAuth2Tokens> {
    return OAuth2Tokens{};
  });
}

TEST(FromDefinitionFileTest, BindsHandlersByName) {
  absl::StatusOr<Plugin> plugin =
      Plugin::FromDefinitionFile(WriteFile("definition.json", kDefinition));
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  EXPECT_EQ(plugin->name(), "from-file");
  EXPECT_EQ(plugin->version(), "2.0.0");
  BindAll(*plugin);
  EXPECT_TRUE(plugin->Check().ok()) << plugin->Check();
  testing::FakeBridge bridge(*plugin);
  EXPECT_EQ(bridge.ListResources("send", "search_chats")->results.at(0).label, "Team");
}

TEST(FromDefinitionFileTest, NamesEveryMissingHandler) {
  const Plugin plugin = *Plugin::FromDefinition(Json::parse(kDefinition));
  EXPECT_THAT(
      CheckMessage(plugin),
      AllOf(HasSubstr("the Invoke handler of tool `send` is missing"),
            HasSubstr("the ListResources handler of tool `send` for method `search_chats` is"),
            HasSubstr("the MapResource handler of tool `send` for method `map_fields` is missing"),
            HasSubstr("the RefreshToken handler of credential `google` is missing")));
}

TEST(FromDefinitionFileTest, NamesHandlersThatServeNothing) {
  Plugin plugin = *Plugin::FromDefinition(Json::parse(kDefinition));
  BindAll(plugin);
  plugin.OnInvoke("sned", &Nothing);
  plugin.OnAuthenticate("gogle",
                        [](const CredentialCall&) -> absl::StatusOr<Json> { return Json(); });
  EXPECT_THAT(CheckMessage(plugin),
              AllOf(HasSubstr("the Invoke handler of tool `sned` serves nothing"),
                    HasSubstr("the Authenticate handler of credential `gogle` serves nothing"),
                    Not(HasSubstr("missing"))));
}

TEST(FromDefinitionFileTest, ClientCredentialsNeedNoUserSteps) {
  Json definition = Json::parse(kDefinition);
  definition.erase("tools");
  definition["credentials"][0]["oauth2_grant_type"] = "client_credentials";
  EXPECT_TRUE(Plugin::FromDefinition(definition)->Check().ok());
}

TEST(FromDefinitionFileTest, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(Plugin::FromDefinitionFile("/no/such/file.json").status().code(),
            absl::StatusCode::kNotFound);
  const auto broken = Plugin::FromDefinitionFile(WriteFile("broken.json", "{\n  \"name\": }"));
  EXPECT_THAT(std::string(broken.status().message()),
              AllOf(HasSubstr("broken.json"), HasSubstr("line 2")));
  const auto list = Plugin::FromDefinitionFile(WriteFile("list.json", "[]"));
  EXPECT_THAT(std::string(list.status().message()), HasSubstr("is an object, not array"));
  const auto tools = Plugin::FromDefinitionFile(WriteFile("tools.json", R"({"tools": 7})"));
  EXPECT_THAT(std::string(tools.status().message()), HasSubstr("`tools` must be an array"));
}

TEST(FromDefinitionFileTest, SurvivesMembersOfTheWrongType) {
  const Plugin plugin = *Plugin::FromDefinition(Json::parse(
      R"({"name": 7, "tools": [5, {"name": [], "parameters": {"type": "resource_mapper"}}]})"));
  EXPECT_EQ(plugin.name(), "");
  EXPECT_FALSE(plugin.Check().ok());
}

TEST(PluginRunTest, RefusesAPluginWhoseHandlersDoNotFit) {
  Plugin plugin(PluginInfo("weather"));
  plugin.AddTool(Tool("forgotten"));
  const absl::Status status = plugin.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("forgotten"));
}

TEST(PluginRunTest, RefusesABridgeAddressThatCannotBe) {
  RunOptions options;
  options.bridge = "/" + std::string(200, 'x');
  EXPECT_EQ(Plugin(PluginInfo("weather")).Run(options).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace atomemo
