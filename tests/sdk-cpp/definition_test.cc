#include "atomemo/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/plugin.h"

namespace atomemo {
namespace {

using ::testing::ElementsAre;

#define EXPECT_JSON(builder, text) EXPECT_EQ((builder).ToJson(), Json::parse(text))

std::vector<std::string> NamesOf(const Json& list) {
  std::vector<std::string> names;
  for (const Json& item : list) names.push_back(item.at("name"));
  return names;
}

TEST(PluginInfoTest, HasAllThatTheHubInsistsOn) {
  EXPECT_JSON(PluginInfo("weather"),
              R"({"name":"weather","display_name":{"en_US":"weather"},
                  "description":{"en_US":"weather"},"icon":"🔌","version":"0.0.0",
                  "locales":["en-US"],"lang":"typescript"})");
}

TEST(PluginInfoTest, TakesEveryText) {
  EXPECT_JSON(PluginInfo("weather")
                  .Version("1.0.0")
                  .DisplayName({{"en_US", "Weather"}, {"zh_Hans", "天气"}})
                  .Description("Knows the climate")
                  .Icon("🌦")
                  .Author("Eva")
                  .Email("eva@example.com")
                  .Repo("https://code.example.com/weather")
                  .Locales({"en-US", "zh-Hans"}),
              R"({"name":"weather","display_name":{"en_US":"Weather","zh_Hans":"天气"},
                  "description":{"en_US":"Knows the climate"},"icon":"🌦","version":"1.0.0",
                  "author":"Eva","email":"eva@example.com",
                  "repo":"https://code.example.com/weather","locales":["en-US","zh-Hans"],
                  "lang":"typescript"})");
}

TEST(DescribedTest, TheDisplayNameIsTheDescriptionUntilThereIsOne) {
  EXPECT_EQ(Tool("t").DisplayName("A tool").ToJson().at("description").at("en_US"), "A tool");
  EXPECT_EQ(Tool("t")
                .Description("Does things")
                .DisplayName("A tool")
                .ToJson()
                .at("description")
                .at("en_US"),
            "Does things");
}

TEST(ToolTest, HoldsItsParametersInOrder) {
  const Tool tool = Tool("get-weather")
                        .Parameter(String("city"))
                        .Parameter(Integer("days"))
                        .Credentials({"api-key"})
                        .Skill("# Weather");
  EXPECT_THAT(NamesOf(tool.ToJson().at("parameters")), ElementsAre("city", "days"));
  EXPECT_EQ(tool.ToJson().at("credentials"), Json::array({"api-key"}));
  EXPECT_EQ(tool.ToJson().at("skill"), "# Weather");
}

TEST(ToolTest, ItsTimeoutIsPartOfTheDefinitionAndItsRetriesAreNot) {
  const Tool tool = Tool("slow").Timeout(absl::Minutes(5)).RetrySafe();
  EXPECT_EQ(tool.policy().timeout, absl::Minutes(5));
  EXPECT_TRUE(tool.policy().retry_safe);
  EXPECT_EQ(tool.ToJson().at("timeout"), 300'000);
  EXPECT_FALSE(tool.ToJson().contains("retry_safe"));
}

TEST(ToolTest, SpeaksTheElixirSdksDialectToo) {
  const Tool tool = Tool("t").Setting(LlmParameter("model"));
  EXPECT_THAT(NamesOf(tool.ToJson().at("settings")), ElementsAre("model"));
  EXPECT_EQ(Credential("c").Type("token").ToJson().at("type"), "token");
}

TEST(CredentialTest, OAuth2AddsTheFieldsThatItNeeds) {
  const Credential credential = Credential("google").OAuth2();
  EXPECT_EQ(credential.ToJson().at("oauth2"), true);
  EXPECT_THAT(
      NamesOf(credential.ToJson().at("parameters")),
      ElementsAre("client_id", "client_secret", "access_token", "refresh_token", "expires_at"));
}

TEST(CredentialTest, OAuth2KeepsFieldsThatWereDeclared) {
  const Credential credential = Credential("google")
                                    .Parameter(String("client_id").Required().Default("mine"))
                                    .OAuth2(OAuth2Grant::kClientCredentials);
  EXPECT_EQ(credential.ToJson().at("parameters").size(), 5u);
  EXPECT_EQ(credential.ToJson().at("parameters").at(0).at("default"), "mine");
  EXPECT_EQ(credential.ToJson().at("oauth2_grant_type"), "client_credentials");
}

TEST(CredentialTest, SpeaksTheDocumentationsDialectToo) {
  const Json json =
      Credential("api-key").HelpUrl("https://help.example.com").Extra({{"tier", "pro"}}).ToJson();
  EXPECT_EQ(json.at("help_url"), "https://help.example.com");
  EXPECT_EQ(json.at("extra"), (Json{{"tier", "pro"}}));
}

TEST(ModelTest, HasAllFacets) {
  EXPECT_JSON(
      Model("deep/chat-1")
          .DisplayName("Chat")
          .DefaultEndpoint("https://api.example.com")
          .InputModalities({Modality::kText, Modality::kImage, Modality::kFile})
          .Price(Pricing("USD")
                     .Input(0.25)
                     .InputCacheRead(0.1)
                     .InputCacheWrite(0.2)
                     .Output(0.5)
                     .Request(1))
          .Temperature(Range().Default(1).Minimum(0).Maximum(2))
          .FrequencyPenalty(Range().Default(0))
          .MaxTokens(1000, 8000)
          .DefaultVerbosity(Verbosity::kLow)
          .UnsupportedParameters({"seed"}),
      R"({"name":"deep/chat-1","display_name":{"en_US":"Chat"},"description":{"en_US":"Chat"},
          "icon":"🤖","model_type":"llm","default_endpoint":"https://api.example.com",
          "input_modalities":["text","image","file"],"output_modalities":["text"],
          "pricing":{"currency":"USD","input":0.25,"input_cache_read":0.1,
                     "input_cache_write":0.2,"output":0.5,"request":1.0},
          "override_parameters":{"temperature":{"default":1.0,"minimum":0.0,"maximum":2.0},
            "frequency_penalty":{"default":0.0},"max_tokens":{"default":1000,"maximum":8000},
            "verbosity":{"default":"low"}},
          "unsupported_parameters":["seed"]})");
}

TEST(PluginTest, TheDefinitionHasAllParts) {
  Plugin plugin(PluginInfo("weather"));
  plugin.AddCredential(Credential("key")).AddTool(Tool("tool")).AddModel(Model("model"));
  EXPECT_THAT(NamesOf(plugin.definition().at("credentials")), ElementsAre("key"));
  EXPECT_THAT(NamesOf(plugin.definition().at("tools")), ElementsAre("tool"));
  EXPECT_THAT(NamesOf(plugin.definition().at("models")), ElementsAre("model"));
}

}  // namespace
}  // namespace atomemo
