#include "atomemo/parameter.h"

#include <gtest/gtest.h>

namespace atomemo {
namespace {

// What does not compile, as the types say it.
static_assert(String::kAcceptsUi<Input> && String::kAcceptsUi<Select>);
static_assert(!String::kAcceptsUi<Slider> && !String::kAcceptsUi<Switch>);
static_assert(Number::kAcceptsUi<Slider> && !Number::kAcceptsUi<Input>);
static_assert(Boolean::kAcceptsUi<Checkbox> && !Boolean::kAcceptsUi<Select>);
static_assert(!EncryptedString::kAcceptsUi<Input>);
static_assert(Array::kAcceptsUi<ArraySection> && !Array::kAcceptsUi<Section>);
static_assert(Object::kAcceptsUi<Section> && !Object::kAcceptsUi<ArraySection>);
static_assert(Locator::kAcceptsUi<PlainUi> && !Locator::kAcceptsUi<Select>);
static_assert(DiscriminatedUnion::kAcceptsUi<RadioGroup> && !DiscriminatedUnion::kAcceptsUi<Input>);
static_assert(std::is_convertible_v<String, DirectParameter>);
static_assert(!std::is_convertible_v<DiscriminatedUnion, DirectParameter>);
static_assert(std::is_convertible_v<DiscriminatedUnion, ItemParameter>);
static_assert(std::is_convertible_v<EncryptedString, CredentialParameter>);
static_assert(!std::is_convertible_v<Array, CredentialParameter>);
static_assert(!std::is_convertible_v<FileParameter, CredentialParameter>);
static_assert(!std::is_convertible_v<LlmParameter, CredentialParameter>);

#define EXPECT_JSON(builder, text) EXPECT_EQ((builder).ToJson(), Json::parse(text))

TEST(ParameterTest, String) {
  EXPECT_JSON(String("city")
                  .DisplayName({{"en_US", "City"}, {"zh_Hans", "城市"}})
                  .Required()
                  .Default("Berlin")
                  .Enum({"Berlin", "Paris"})
                  .MinLength(2)
                  .MaxLength(40)
                  .DependsOn({"country"})
                  .LlmDescription("A city's name")
                  .Ui(Input().Placeholder("Berlin")),
              R"({"name":"city","type":"string","display_name":{"en_US":"City","zh_Hans":"城市"},
                  "required":true,"default":"Berlin","enum":["Berlin","Paris"],"min_length":2,
                  "max_length":40,"depends_on":["country"],
                  "ai":{"llm_description":{"en_US":"A city's name"}},
                  "ui":{"component":"input","placeholder":{"en_US":"Berlin"}}})");
}

TEST(ParameterTest, Numbers) {
  EXPECT_JSON(Number("share").Minimum(0).Maximum(1).Constant(0.5),
              R"({"name":"share","type":"number","minimum":0,"maximum":1,"constant":0.5})");
  EXPECT_JSON(Integer("id").Default(9007199254740993).Ui(NumberInput().Step(1).Suffix("s")),
              R"({"name":"id","type":"integer","default":9007199254740993,
          "ui":{"component":"number-input","step":1.0,"suffix":"s"}})");
}

TEST(ParameterTest, WholeNumbersHaveNoPoint) {
  EXPECT_EQ(Number("port").Default(443).Enum({443, 0.5}).ToJson().dump(),
            R"({"default":443,"enum":[443,0.5],"name":"port","type":"number"})");
  EXPECT_EQ(Slider().Step(1).ToJson().at("step").dump(), "1");
}

TEST(ParameterTest, BooleanAndSecrets) {
  EXPECT_JSON(Boolean("on").Default(true).Ui(Switch()),
              R"({"name":"on","type":"boolean","default":true,"ui":{"component":"switch"}})");
  EXPECT_JSON(EncryptedString("key").Ui(EncryptedInput().Hint("From the console")),
              R"({"name":"key","type":"encrypted_string",
                  "ui":{"component":"encrypted-input","hint":{"en_US":"From the console"}}})");
  EXPECT_JSON(String("key").Secret().Placeholder("sk-...").Description("Your key"),
              R"({"name":"key","type":"string","secret":true,"placeholder":"sk-...",
                  "description":{"en_US":"Your key"}})");
}

TEST(ParameterTest, CredentialId) {
  EXPECT_JSON(CredentialId("credential_id", "shop-key").Ui(CredentialSelect().Clearable()),
              R"({"name":"credential_id","type":"credential_id","credential_name":"shop-key",
                  "ui":{"component":"credential-select","clearable":true}})");
}

TEST(ParameterTest, NestsArraysAndObjects) {
  EXPECT_JSON(Array("rows", Object("row").Property(String("id")).Property(Number("sum")))
                  .MinItems(1)
                  .MaxItems(9)
                  .Default({})
                  .Ui(ArraySection().AddLabel("Add").Sortable()),
              R"({"name":"rows","type":"array","min_items":1,"max_items":9,"default":[],
                  "items":{"name":"row","type":"object","properties":[
                    {"name":"id","type":"string"},{"name":"sum","type":"number"}]},
                  "ui":{"component":"array-section","add_label":{"en_US":"Add"},"sortable":true}})");
  EXPECT_JSON(Object("map").AdditionalProperties(String("value")),
              R"({"name":"map","type":"object","properties":[],
                  "additional_properties":{"name":"value","type":"string"}})");
}

TEST(ParameterTest, DiscriminatedUnionAsItems) {
  EXPECT_JSON(
      Array("blocks",
            DiscriminatedUnion("kind", Object("text").Property(String("kind").Constant("text")),
                               Object("image").Property(String("kind").Constant("image")))
                .DiscriminatorUi(Select().Option("text", "Text").Option("image", "Image", "🖼"))),
      R"({"name":"blocks","type":"array","items":{"type":"discriminated_union",
          "discriminator":"kind","any_of":[
            {"name":"text","type":"object",
             "properties":[{"name":"kind","type":"string","constant":"text"}]},
            {"name":"image","type":"object",
             "properties":[{"name":"kind","type":"string","constant":"image"}]}],
          "discriminator_ui":{"component":"select","options":[
            {"label":{"en_US":"Text"},"value":"text"},
            {"label":{"en_US":"Image"},"value":"image","icon":"🖼"}]}}})");
}

TEST(ParameterTest, LocatorMapperAndFile) {
  EXPECT_JSON(Locator("base")
                  .Mode(ListMode("search_bases").Searchable().Placeholder("Choose"))
                  .Mode(UrlMode("https://x.example/(.+)"))
                  .Mode(IdMode().DisplayName("By id"))
                  .Ui(PlainUi().SupportExpression()),
              R"json({"name":"base","type":"resource_locator","modes":[
                  {"type":"list","search_list_method":"search_bases","searchable":true,
                   "placeholder":{"en_US":"Choose"}},
                  {"type":"url","extract_value":{"type":"regex","regex":"https://x.example/(.+)"}},
                  {"type":"id","display_name":{"en_US":"By id"}}],
                  "ui":{"support_expression":true}})json");
  EXPECT_JSON(Mapper("fields", "map_fields"),
              R"({"name":"fields","type":"resource_mapper","mapping_method":"map_fields"})");
  EXPECT_JSON(LlmParameter("model").Required(),
              R"({"name":"model","type":"llm_config","required":true})");
  EXPECT_JSON(FileParameter("photo").Required(),
              R"({"name":"photo","type":"file_ref","required":true})");
}

TEST(ParameterTest, DisplayConditions) {
  EXPECT_JSON(String("title")
                  .ShowWhen(Condition::AllOf({When("type").Equals("card"), When("n").In({1, 2})}))
                  .HideWhen(Condition(Json{{"draft", true}}))
                  .DecodeJson(),
              R"({"name":"title","type":"string","decoder":"json","display":{
          "show":{"$and":[{"type":{"$eq":"card"}},{"n":{"$in":[1,2]}}]},
          "hide":{"draft":true}}})");
  EXPECT_EQ(Condition::AnyOf({When("a").Equals(1)}).ToJson(),
            Json::parse(R"({"$or":[{"a":{"$eq":1}}]})"));
}

// Every component under its official name, with the properties that only it has.
TEST(UiTest, EveryComponent) {
  EXPECT_JSON(Input().Disabled().ReadOnly().Sensitive().SupportExpression().DisplayNone(),
              R"({"component":"input","disabled":true,"readonly":true,"sensitive":true,
                  "support_expression":true,"display_none":true})");
  EXPECT_JSON(EncryptedInput().Width(Width::kMedium).Indentation(4),
              R"({"component":"encrypted-input","width":"medium","indentation":4})");
  EXPECT_JSON(Textarea().MinHeight(50).MaxHeight(200),
              R"({"component":"textarea","min_height":50.0,"max_height":200.0})");
  EXPECT_JSON(NumberInput(), R"({"component":"number-input"})");
  EXPECT_JSON(CodeEditor()
                  .Language(CodeLanguage::kPython3)
                  .LineNumbers()
                  .LineWrapping(false)
                  .Rows(5)
                  .MinHeight(9),
              R"({"component":"code-editor","language":"python3","line_numbers":true,
                  "line_wrapping":false,"rows":5,"min_height":9.0})");
  EXPECT_JSON(Select().Option(1, "One").Option(true, "Yes").Searchable(),
              R"({"component":"select","searchable":true,"options":[
                  {"label":{"en_US":"One"},"value":1},{"label":{"en_US":"Yes"},"value":true}]})");
  EXPECT_JSON(RadioGroup().Clearable(), R"({"component":"radio-group","clearable":true})");
  EXPECT_JSON(MultiSelect(), R"({"component":"multi-select"})");
  EXPECT_JSON(Switch(), R"({"component":"switch"})");
  EXPECT_JSON(Checkbox(), R"({"component":"checkbox"})");
  EXPECT_JSON(Slider().Mark(0, "none").Mark(0.5, "half").ShowValue().Step(0.1),
              R"({"component":"slider","marks":{"0":"none","0.5":"half"},"show_value":true,
                  "step":0.1})");
  EXPECT_JSON(
      KeyValueEditor().AddButtonLabel("Add").EmptyDescription("None").SectionHeader("Headers"),
      R"({"component":"key-value-editor","add_button_label":{"en_US":"Add"},
          "empty_description":{"en_US":"None"},"section_header":{"en_US":"Headers"}})");
  EXPECT_JSON(TagInput(), R"({"component":"tag-input"})");
  EXPECT_JSON(EmojiPicker().Size(EmojiSize::kExtraSmall),
              R"({"component":"emoji-picker","size":"extra-small"})");
  EXPECT_JSON(ColorPicker(), R"({"component":"color-picker"})");
  EXPECT_JSON(CredentialSelect().Searchable(),
              R"({"component":"credential-select","searchable":true})");
  EXPECT_JSON(JsonSchemaEditor(), R"({"component":"json-schema-editor"})");
  EXPECT_JSON(ConditionsEditor(), R"({"component":"conditions-editor"})");
  EXPECT_JSON(ArraySection().Collapsible().EmptyMessage("None").RemoveTooltip("Remove"),
              R"({"component":"array-section","collapsible":true,
                  "empty_message":{"en_US":"None"},"remove_tooltip":{"en_US":"Remove"}})");
  EXPECT_JSON(CollapsiblePanel().Collapsible().DefaultCollapsed().PanelTitle("More").Sortable(),
              R"({"component":"collapsible-panel","collapsible":true,"default_collapsed":true,
                  "panel_title":{"en_US":"More"},"sortable":true})");
  EXPECT_JSON(Section(), R"({"component":"section"})");
}

}  // namespace
}  // namespace atomemo
