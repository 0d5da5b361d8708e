// Every function of the SDK's definition builders, called once (builders_swept.py sees to that),
// and the whole judged with the bridge's own checker.

#include <string>

#include "absl/strings/str_cat.h"
#include "atomemo/definition.h"
#include "atomemo/plugin.h"
#include "bridge/base/json.h"
#include "bridge/definition/lint.h"
#include "bridge/definition/validate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atomemo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<Json> Nothing(const Call&) { return nullptr; }
absl::StatusOr<Json> Valid(const CredentialCall&) { return Json::object(); }
absl::StatusOr<std::string> Url(const OAuth2Call&) { return "https://example.com"; }
absl::StatusOr<OAuth2Tokens> CodeTokens(const OAuth2Call&) { return OAuth2Tokens(); }
absl::StatusOr<OAuth2Tokens> FreshTokens(const CredentialCall&) { return OAuth2Tokens(); }
absl::StatusOr<ResourceList> List(const ResourceCall&) { return ResourceList(); }
absl::StatusOr<ResourceMapping> Map(const ResourceCall&) { return ResourceMapping(); }

Credential ApiKey() {
  return Credential("api-key")
      .DisplayName({{"en_US", "API key"}, {"zh_Hans", "密钥"}})
      .Description("From the console")
      .Icon("🔑")
      .Type("token")
      .HelpUrl("https://example.com/keys")
      .Extra({{"tier", "pro"}})
      .Parameter(String("key")
                     .DisplayName("Key")
                     .Description("Your secret API key")
                     .Placeholder("sk-...")
                     .Required()
                     .Secret())
      .Parameter(Number("port").Default(443))
      .Authenticate(Valid);
}

Credential OAuth() {
  return Credential("google-oauth")
      .OAuth2(OAuth2Grant::kAuthorizationCode)
      .BuildAuthorizeUrl(Url)
      .GetToken(CodeTokens)
      .RefreshToken(FreshTokens);
}

Tool Scalars() {
  return Tool("scalars")
      .Credentials({"api-key"})
      .Skill("# Use it")
      .Timeout(absl::Minutes(5))
      .RetrySafe()
      .Setting(LlmParameter("summariser").Ui(PlainUi().Hint("For long texts")))
      .Parameter(
          String("mode")
              .Enum({"card", "text"})
              .Default("card")
              .Ui(RadioGroup().Option("card", "Card", "🃏").Option("text", "Text").Clearable()))
      .Parameter(String("title")
                     .MinLength(1)
                     .MaxLength(9)
                     .DependsOn({"mode"})
                     .LlmDescription("A title")
                     .ShowWhen(Condition::AllOf(
                         {When("mode").Equals("card"), When("mode").In({"card", "text"})}))
                     .HideWhen(Condition::AnyOf({When("mode").Equals("text")}))
                     .Ui(Input()
                             .Disabled(false)
                             .Hint("Short")
                             .Placeholder("News")
                             .ReadOnly(false)
                             .Sensitive(false)
                             .SupportExpression()
                             .Width(Width::kFull)
                             .Indentation(2)
                             .DisplayNone(false)))
      .Parameter(String("always").Constant("this").Ui(ColorPicker()))
      .Parameter(String("body").DecodeJson().Ui(CodeEditor()
                                                    .Language(CodeLanguage::kJson)
                                                    .LineNumbers()
                                                    .LineWrapping()
                                                    .Rows(5)
                                                    .MinHeight(1)
                                                    .MaxHeight(9)))
      .Parameter(String("mood").Ui(EmojiPicker().Size(EmojiSize::kExtraSmall)))
      .Parameter(String("text").Ui(Textarea()))
      .Parameter(String("choice").Ui(Select().Option(1, "One").Searchable()))
      .Parameter(String("account").Ui(CredentialSelect().Clearable().Searchable()))
      .Parameter(Number("share").Minimum(0).Maximum(1).Ui(
          Slider().Mark(0.5, "half").ShowValue().Step(0.1)))
      .Parameter(Integer("count").Ui(NumberInput().Step(1).Suffix("pieces")))
      .Parameter(Boolean("loud").Ui(Switch()))
      .Parameter(Boolean("quiet").Ui(Checkbox()))
      .Parameter(EncryptedString("pin").Ui(EncryptedInput()))
      .Parameter(LlmParameter("model"))
      .Parameter(CredentialId("credential", "google-oauth").Ui(CredentialSelect()))
      .Invoke(Nothing);
}

Tool Structures() {
  const auto shape = [](const char* name) {
    return Object(name).Property(String("kind").Constant(name));
  };
  return Tool("structures")
      .Parameter(Array("shapes", DiscriminatedUnion("kind", shape("circle"), shape("square"))
                                     .DiscriminatorUi(Select()))
                     .MinItems(0)
                     .MaxItems(9)
                     .Ui(ArraySection()
                             .AddLabel("Add")
                             .Collapsible()
                             .EmptyMessage("None")
                             .RemoveTooltip("Remove")
                             .Sortable()))
      .Parameter(Array("tags", String("tag")).Ui(TagInput()))
      .Parameter(Array("picks", String("pick")).Ui(MultiSelect()))
      .Parameter(
          Array("headers", String("header"))
              .Ui(KeyValueEditor().AddButtonLabel("Add").EmptyDescription("None").SectionHeader(
                  "Headers")))
      .Parameter(Object("more")
                     .AdditionalProperties(String("value"))
                     .Ui(CollapsiblePanel()
                             .Collapsible()
                             .DefaultCollapsed()
                             .PanelTitle("More")
                             .RemoveTooltip("Remove")
                             .Sortable()))
      .Parameter(Object("schema").Ui(JsonSchemaEditor()))
      .Parameter(Object("filter").Ui(ConditionsEditor()))
      .Parameter(Object("rest").Ui(Section()))
      .Parameter(FileParameter("photo"))
      .Parameter(Locator("base")
                     .Mode(ListMode("search_bases").Searchable().DisplayName("List"))
                     .Mode(UrlMode("https://x.example/(.+)").Placeholder("https://x.example/1"))
                     .Mode(IdMode())
                     .Default(ResourceLocator{"id", "1", {}, {}}))
      .Parameter(Mapper("fields", "map_fields").Default(ResourceMapper{"manual", nullptr}))
      .ListResources("search_bases", List)
      .MapResource("map_fields", Map)
      .Invoke(Nothing);
}

Model Chat() {
  return Model("deep/chat-1")
      .DefaultEndpoint("https://api.example.com")
      .InputModalities({Modality::kText, Modality::kImage, Modality::kFile})
      .Price(
          Pricing("USD").Input(0.25).InputCacheRead(0.1).InputCacheWrite(0.2).Output(0.5).Request(
              1))
      .Temperature(Range().Default(1).Minimum(0).Maximum(2))
      .FrequencyPenalty(Range().Default(0))
      .MaxTokens(1000, 8000)
      .DefaultVerbosity(Verbosity::kLow)
      .UnsupportedParameters({"seed"});
}

Json Whole() {
  Plugin plugin(PluginInfo("swept-plugin")
                    .Version("1.0.0")
                    .Author("Atomemo examples")
                    .Email("examples@example.com")
                    .Repo("https://code.example.com/swept")
                    .Locales({"en_US"}));
  plugin.AddCredential(ApiKey()).AddCredential(OAuth()).AddTool(Scalars()).AddTool(Structures());
  plugin.AddModel(Chat());
  EXPECT_EQ(plugin.Check(), absl::OkStatus());
  return plugin.definition();
}

std::string Lines(const std::vector<definition::Violation>& violations) {
  std::string lines;
  for (const definition::Violation& violation : violations) {
    absl::StrAppend(&lines, definition::FormatPath(violation.path), ": ", violation.message, "\n");
  }
  return lines;
}

TEST(BuilderSweep, WhatEveryBuilderFunctionWritesIsValidAndKept) {
  const Json definition = Whole();
  const absl::StatusOr<base::Json> json = definition::ParseDefinition(definition.dump());
  ASSERT_TRUE(json.ok()) << json.status();
  const definition::Report report = Validate(definition::Schema::kDefinition, *json);
  EXPECT_THAT(Lines(report.errors), IsEmpty());
  EXPECT_THAT(Lines(definition::LintOwnTexts(*json)), IsEmpty());
  for (const definition::Violation& warning : report.warnings) {
    EXPECT_THAT(warning.message, HasSubstr("the Elixir SDK knows this"))
        << definition::FormatPath(warning.path);
  }
  EXPECT_EQ(Json::parse(base::DumpJson(report.value)), definition);
}

TEST(BuilderSweep, WritesWhatTheGuideWrites) {
  const Json parameters = Whole().at("credentials").at(0).at("parameters");
  EXPECT_EQ(parameters.at(0).at("placeholder"), "sk-...");
  EXPECT_EQ(parameters.at(0).at("description"), (Json{{"en_US", "Your secret API key"}}));
  EXPECT_EQ(parameters.at(1).at("default").dump(), "443");
}

TEST(BuilderSweep, AToolsTimeoutIsSentInMilliseconds) {
  EXPECT_EQ(Whole().at("tools").at(0).at("timeout").dump(), "300000");
}

}  // namespace
}  // namespace atomemo
