#include "bridge/definition/ui_rules.h"

#include <utility>

#include "bridge/definition/text_rules.h"

namespace atomemo::definition {
namespace {

std::vector<Member> CommonMembers(RuleBuilder& rules) {
  return {
      Optional("disabled", rules.Boolean()),
      Optional("display_none", rules.Boolean()),
      Optional("hint", rules.Translations()),
      Optional("indentation",
               rules.Make("an even number from 2 to 80", SteppedIntegerRule{2, 80, 2})),
      Optional("placeholder", rules.Translations()),
      Optional("readonly", rules.Boolean()),
      Optional("sensitive", rules.Boolean()),
      Optional("support_expression", rules.Boolean()),
      Optional("width", rules.OneOf({"small", "medium", "full"})),
  };
}

std::vector<Member> ChoiceMembers(RuleBuilder& rules) {
  const Rule* value = rules.Make("a string, a number, true or false",
                                 ChoiceRule{{rules.String(), rules.Number(), rules.Boolean()}});
  const Rule* option =
      rules.Object({Optional("icon", rules.String()), Required("label", rules.Translations()),
                    Required("value", value)});
  return {
      Optional("clearable", rules.Boolean()),
      Optional("options", rules.ListOf(option, "a list of options")),
      Optional("searchable", rules.Boolean()),
  };
}

// What each component has besides the common members.
std::map<absl::string_view, std::vector<Member>> OwnMembers(RuleBuilder& rules) {
  const std::vector<Member> heights = {Optional("max_height", rules.Number()),
                                       Optional("min_height", rules.Number())};
  const std::vector<Member> choices = ChoiceMembers(rules);
  const Rule* mark = rules.Make("labels by number such as {\"0.5\": \"half\"}",
                                RecordRule{rules.String(), /*numeric_keys=*/true});
  return {
      {"input", {}},
      {"encrypted-input", {}},
      {"textarea", heights},
      {"number-input", {Optional("step", rules.Number()), Optional("suffix", rules.String())}},
      {"code-editor",
       Join(heights,
            {Optional("language", rules.OneOf({"json", "javascript", "python3", "markdown"})),
             Optional("line_numbers", rules.Boolean()), Optional("line_wrapping", rules.Boolean()),
             Optional("rows", rules.Number())})},
      {"select", choices},
      {"radio-group", choices},
      {"multi-select", choices},
      {"switch", {}},
      {"checkbox", {}},
      {"slider",
       {Optional("marks", mark), Optional("show_value", rules.Boolean()),
        Optional("step", rules.Number())}},
      {"key-value-editor",
       {Optional("add_button_label", rules.Translations()),
        Optional("empty_description", rules.Translations()),
        Optional("section_header", rules.Translations())}},
      {"tag-input", {}},
      {"emoji-picker",
       {Optional("size", rules.OneOf({"extra-small", "small", "medium", "large"}))}},
      {"color-picker", {}},
      {"credential-select",
       {Optional("clearable", rules.Boolean()), Optional("searchable", rules.Boolean())}},
      {"json-schema-editor", {}},
      {"conditions-editor", {}},
      {"array-section",
       {Optional("add_label", rules.Translations()), Optional("collapsible", rules.Boolean()),
        Optional("empty_message", rules.Translations()),
        Optional("remove_tooltip", rules.Translations()), Optional("sortable", rules.Boolean())}},
      {"collapsible-panel",
       {Optional("collapsible", rules.Boolean()), Optional("default_collapsed", rules.Boolean()),
        Optional("panel_title", rules.Translations()),
        Optional("remove_tooltip", rules.Translations()), Optional("sortable", rules.Boolean())}},
      {"section", {}},
  };
}

}  // namespace

UiRules::UiRules(RuleBuilder& rules) : rules_(rules) {
  const std::vector<Member> common = CommonMembers(rules);
  without_component_ = rules.Object(common);
  for (auto& [component, members] : OwnMembers(rules)) {
    members.push_back(Required("component", rules.OneOf({component})));
    by_component_[component] = rules.Object(Join(std::move(members), common));
  }
}

const Rule* UiRules::With(const std::vector<absl::string_view>& components) const {
  std::vector<std::pair<absl::string_view, const Rule*>> alternatives;
  alternatives.reserve(components.size());
  for (const absl::string_view component : components) {
    alternatives.emplace_back(component, by_component_.at(component));
  }
  return rules_.Tagged("an object with a `component`", "component", std::move(alternatives));
}

}  // namespace atomemo::definition
