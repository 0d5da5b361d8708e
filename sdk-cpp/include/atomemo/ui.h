#ifndef ATOMEMO_UI_H_
#define ATOMEMO_UI_H_

// The UI components with which a parameter can be edited: `Input().Placeholder("Berlin")`. Which
// component goes with which parameter is checked by the compiler (see parameter.h).

#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "atomemo/i18n.h"
#include "atomemo/internal/builder.h"

namespace atomemo {

enum class Width { kSmall, kMedium, kFull };
enum class CodeLanguage { kJson, kJavaScript, kPython3, kMarkdown };
enum class EmojiSize { kExtraSmall, kSmall, kMedium, kLarge };

namespace internal {

const char* Name(Width width);
const char* Name(CodeLanguage language);
const char* Name(EmojiSize size);

// The properties of every component.
template <typename Derived>
class UiComponent : public Builder<Derived> {
 public:
  Derived& Disabled(bool on = true) { return this->Set("disabled", on); }
  Derived& Hint(const I18n& text) { return this->Set("hint", text.ToJson()); }
  Derived& Placeholder(const I18n& text) { return this->Set("placeholder", text.ToJson()); }
  Derived& ReadOnly(bool on = true) { return this->Set("readonly", on); }
  // The value is shown as dots.
  Derived& Sensitive(bool on = true) { return this->Set("sensitive", on); }
  // The user may give an expression instead of a value.
  Derived& SupportExpression(bool on = true) { return this->Set("support_expression", on); }
  Derived& Width(atomemo::Width width) { return this->Set("width", Name(width)); }
  // An even number, 2 to 80.
  Derived& Indentation(int columns) { return this->Set("indentation", columns); }
  Derived& DisplayNone(bool on = true) { return this->Set("display_none", on); }

 protected:
  explicit UiComponent(const char* component) { this->Set("component", component); }
  UiComponent() = default;
};

// Components that offer choices.
template <typename Derived>
class ChoiceComponent : public UiComponent<Derived> {
 public:
  // Adds a choice: its value (a string, number or boolean), what the user reads, and an icon.
  template <typename Value>
  Derived& Option(Value value, const I18n& label, absl::string_view icon = "") {
    static_assert(std::is_arithmetic_v<Value> || std::is_convertible_v<Value, std::string>,
                  "an option's value is a string, a number or a boolean");
    Json option{{"label", label.ToJson()}, {"value", std::move(value)}};
    if (!icon.empty()) option["icon"] = std::string(icon);
    return this->Append("options", std::move(option));
  }
  Derived& Clearable(bool on = true) { return this->Set("clearable", on); }
  Derived& Searchable(bool on = true) { return this->Set("searchable", on); }

 protected:
  using UiComponent<Derived>::UiComponent;
};

// Text areas' height, in pixels.
template <typename Derived>
class ResizableComponent : public UiComponent<Derived> {
 public:
  Derived& MinHeight(double pixels) { return this->Set("min_height", pixels); }
  Derived& MaxHeight(double pixels) { return this->Set("max_height", pixels); }

 protected:
  using UiComponent<Derived>::UiComponent;
};

}  // namespace internal

// The common properties without a component of its own: for locators, mappers and files.
class PlainUi : public internal::UiComponent<PlainUi> {};

class Input : public internal::UiComponent<Input> {
 public:
  Input() : UiComponent("input") {}
};

class EncryptedInput : public internal::UiComponent<EncryptedInput> {
 public:
  EncryptedInput() : UiComponent("encrypted-input") {}
};

class Textarea : public internal::ResizableComponent<Textarea> {
 public:
  Textarea() : ResizableComponent("textarea") {}
};

class NumberInput : public internal::UiComponent<NumberInput> {
 public:
  NumberInput() : UiComponent("number-input") {}
  NumberInput& Step(double step) { return Set("step", step); }
  NumberInput& Suffix(absl::string_view unit) { return Set("suffix", std::string(unit)); }
};

class CodeEditor : public internal::ResizableComponent<CodeEditor> {
 public:
  CodeEditor() : ResizableComponent("code-editor") {}
  CodeEditor& Language(CodeLanguage language) { return Set("language", internal::Name(language)); }
  CodeEditor& LineNumbers(bool on = true) { return Set("line_numbers", on); }
  CodeEditor& LineWrapping(bool on = true) { return Set("line_wrapping", on); }
  CodeEditor& Rows(int rows) { return Set("rows", rows); }
};

class Select : public internal::ChoiceComponent<Select> {
 public:
  Select() : ChoiceComponent("select") {}
};

class RadioGroup : public internal::ChoiceComponent<RadioGroup> {
 public:
  RadioGroup() : ChoiceComponent("radio-group") {}
};

class MultiSelect : public internal::ChoiceComponent<MultiSelect> {
 public:
  MultiSelect() : ChoiceComponent("multi-select") {}
};

class Switch : public internal::UiComponent<Switch> {
 public:
  Switch() : UiComponent("switch") {}
};

class Checkbox : public internal::UiComponent<Checkbox> {
 public:
  Checkbox() : UiComponent("checkbox") {}
};

class Slider : public internal::UiComponent<Slider> {
 public:
  Slider() : UiComponent("slider") {}
  // A label at a value.
  Slider& Mark(double value, absl::string_view label) {
    return SetIn("marks", absl::StrCat(value), std::string(label));
  }
  Slider& ShowValue(bool on = true) { return Set("show_value", on); }
  Slider& Step(double step) { return Set("step", step); }
};

class KeyValueEditor : public internal::UiComponent<KeyValueEditor> {
 public:
  KeyValueEditor() : UiComponent("key-value-editor") {}
  KeyValueEditor& AddButtonLabel(const I18n& text) {
    return Set("add_button_label", text.ToJson());
  }
  KeyValueEditor& EmptyDescription(const I18n& text) {
    return Set("empty_description", text.ToJson());
  }
  KeyValueEditor& SectionHeader(const I18n& text) { return Set("section_header", text.ToJson()); }
};

class TagInput : public internal::UiComponent<TagInput> {
 public:
  TagInput() : UiComponent("tag-input") {}
};

class EmojiPicker : public internal::UiComponent<EmojiPicker> {
 public:
  EmojiPicker() : UiComponent("emoji-picker") {}
  EmojiPicker& Size(EmojiSize size) { return Set("size", internal::Name(size)); }
};

class ColorPicker : public internal::UiComponent<ColorPicker> {
 public:
  ColorPicker() : UiComponent("color-picker") {}
};

class CredentialSelect : public internal::UiComponent<CredentialSelect> {
 public:
  CredentialSelect() : UiComponent("credential-select") {}
  CredentialSelect& Clearable(bool on = true) { return Set("clearable", on); }
  CredentialSelect& Searchable(bool on = true) { return Set("searchable", on); }
};

class JsonSchemaEditor : public internal::UiComponent<JsonSchemaEditor> {
 public:
  JsonSchemaEditor() : UiComponent("json-schema-editor") {}
};

class ConditionsEditor : public internal::UiComponent<ConditionsEditor> {
 public:
  ConditionsEditor() : UiComponent("conditions-editor") {}
};

class ArraySection : public internal::UiComponent<ArraySection> {
 public:
  ArraySection() : UiComponent("array-section") {}
  ArraySection& AddLabel(const I18n& text) { return Set("add_label", text.ToJson()); }
  ArraySection& Collapsible(bool on = true) { return Set("collapsible", on); }
  ArraySection& EmptyMessage(const I18n& text) { return Set("empty_message", text.ToJson()); }
  ArraySection& RemoveTooltip(const I18n& text) { return Set("remove_tooltip", text.ToJson()); }
  ArraySection& Sortable(bool on = true) { return Set("sortable", on); }
};

class CollapsiblePanel : public internal::UiComponent<CollapsiblePanel> {
 public:
  CollapsiblePanel() : UiComponent("collapsible-panel") {}
  CollapsiblePanel& Collapsible(bool on = true) { return Set("collapsible", on); }
  CollapsiblePanel& DefaultCollapsed(bool on = true) { return Set("default_collapsed", on); }
  CollapsiblePanel& PanelTitle(const I18n& text) { return Set("panel_title", text.ToJson()); }
  CollapsiblePanel& RemoveTooltip(const I18n& text) { return Set("remove_tooltip", text.ToJson()); }
  CollapsiblePanel& Sortable(bool on = true) { return Set("sortable", on); }
};

class Section : public internal::UiComponent<Section> {
 public:
  Section() : UiComponent("section") {}
};

}  // namespace atomemo

#endif  // ATOMEMO_UI_H_
