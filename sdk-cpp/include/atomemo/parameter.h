#ifndef ATOMEMO_PARAMETER_H_
#define ATOMEMO_PARAMETER_H_

// The parameters of tools and credentials: `String("city").Required().Ui(Input())`. What the
// official schema never accepts does not compile: a Slider on a String, a union as a direct
// parameter, a file in a credential. The rest is judged by the bridge when the plugin starts.

#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "atomemo/i18n.h"
#include "atomemo/internal/builder.h"
#include "atomemo/ui.h"
#include "atomemo/values.h"

namespace atomemo {

// When a parameter is shown or hidden: `When("mode").In({"link", "markdown"})`.
class Condition {
 public:
  // An object in the official form, for operators that have no function here.
  explicit Condition(Json json) : json_(std::move(json)) {}
  static Condition AllOf(std::initializer_list<Condition> conditions);
  static Condition AnyOf(std::initializer_list<Condition> conditions);

  const Json& ToJson() const { return json_; }

 private:
  Json json_;
};

// The first half of a condition: the name of the parameter whose value decides.
class When {
 public:
  explicit When(absl::string_view parameter) : parameter_(parameter) {}
  Condition Equals(Json value) const { return Operator("$eq", std::move(value)); }
  Condition In(Json values) const { return Operator("$in", std::move(values)); }

 private:
  Condition Operator(const char* name, Json value) const {
    return Condition(Json{{parameter_, Json{{name, std::move(value)}}}});
  }
  std::string parameter_;
};

namespace internal {

// Parameters of these kinds differ in where they may stand.
struct ScalarKind {};  // anywhere
struct DirectKind {};  // tools' parameters, objects' properties, arrays' items
struct UnionKind {};   // arrays' items and objects' additional properties only

template <typename... Components>
struct UiList {
  template <typename Component>
  static constexpr bool kContains = (std::is_same_v<Component, Components> || ...);
};

// A parameter whatever its type, where one of the kinds `Allowed` may stand.
template <typename... Allowed>
class ParameterSlot {
 public:
  template <typename Parameter,
            typename = std::enable_if_t<(std::is_same_v<typename Parameter::Kind, Allowed> || ...)>>
  // NOLINTNEXTLINE(google-explicit-constructor): every fitting builder can stand here.
  ParameterSlot(const Parameter& parameter) : json_(parameter.ToJson()) {}

  const Json& ToJson() const { return json_; }

 private:
  Json json_;
};

// The facets of every parameter. `Components` lists the UI components that can edit it.
template <typename Derived, typename KindTag, typename Components>
class ParameterBuilder : public Builder<Derived> {
 public:
  using Kind = KindTag;
  template <typename Component>
  static constexpr bool kAcceptsUi = Components::template kContains<Component>;

  Derived& DisplayName(const I18n& text) { return this->Set("display_name", text.ToJson()); }
  // The documentation's form; the other is Ui(Input().Hint(...)).
  Derived& Description(const I18n& text) { return this->Set("description", text.ToJson()); }
  Derived& Required(bool on = true) { return this->Set("required", on); }
  template <typename Component>
  Derived& Ui(const Component& component) {
    static_assert(kAcceptsUi<Component>,
                  "this UI component cannot edit a parameter of this type: see the component list "
                  "of the parameter's class");
    return this->Set("ui", component.ToJson());
  }
  Derived& ShowWhen(const Condition& condition) {
    return this->SetIn("display", "show", condition.ToJson());
  }
  Derived& HideWhen(const Condition& condition) {
    return this->SetIn("display", "hide", condition.ToJson());
  }
  // Tells a language model what to fill in here.
  Derived& LlmDescription(const I18n& text) {
    return this->SetIn("ai", "llm_description", text.ToJson());
  }
  // The parameters that must be filled in before this one.
  Derived& DependsOn(std::vector<std::string> names) {
    return this->Set("depends_on", std::move(names));
  }
  // The text that the user enters is JSON; the plugin gets the value.
  Derived& DecodeJson() { return this->Set("decoder", "json"); }
  // Not to be shown again once stored (the documentation's form, see EncryptedString for the
  // other).
  Derived& Secret(bool on = true) { return this->Set("secret", on); }
  // The documentation's form; the other is Ui(Input().Placeholder(...)), with translations.
  Derived& Placeholder(absl::string_view text) {
    return this->Set("placeholder", std::string(text));
  }

 protected:
  ParameterBuilder(const char* type, absl::string_view name) {
    this->Set("name", std::string(name));
    this->Set("type", type);
  }
};

// The facets of parameters that hold a plain value.
template <typename Derived, typename KindTag, typename Components, typename Value>
class ValueParameter : public ParameterBuilder<Derived, KindTag, Components> {
 public:
  Derived& Default(Value value) { return this->Set("default", std::move(value)); }
  Derived& Constant(Value value) { return this->Set("constant", std::move(value)); }
  Derived& Enum(std::vector<Value> values) { return this->Set("enum", std::move(values)); }

 protected:
  using ParameterBuilder<Derived, KindTag, Components>::ParameterBuilder;
};

using NumberUi = UiList<NumberInput, Slider>;

template <typename Derived, typename Value>
class NumericParameter : public ValueParameter<Derived, ScalarKind, NumberUi, Value> {
 public:
  Derived& Minimum(Value value) { return this->Set("minimum", value); }
  Derived& Maximum(Value value) { return this->Set("maximum", value); }

 protected:
  using ValueParameter<Derived, ScalarKind, NumberUi, Value>::ValueParameter;
};

}  // namespace internal

// What a credential can have.
using CredentialParameter = internal::ParameterSlot<internal::ScalarKind>;
// What a tool and an object can have.
using DirectParameter = internal::ParameterSlot<internal::ScalarKind, internal::DirectKind>;
// What an array's items and an object's additional properties can be.
using ItemParameter =
    internal::ParameterSlot<internal::ScalarKind, internal::DirectKind, internal::UnionKind>;

class String : public internal::ValueParameter<
                   String, internal::ScalarKind,
                   internal::UiList<Input, Textarea, CodeEditor, Select, CredentialSelect,
                                    RadioGroup, EmojiPicker, ColorPicker>,
                   std::string> {
 public:
  explicit String(absl::string_view name) : ValueParameter("string", name) {}
  String& MinLength(int characters) { return Set("min_length", characters); }
  String& MaxLength(int characters) { return Set("max_length", characters); }
};

class Number : public internal::NumericParameter<Number, double> {
 public:
  explicit Number(absl::string_view name) : NumericParameter("number", name) {}
};

class Integer : public internal::NumericParameter<Integer, std::int64_t> {
 public:
  explicit Integer(absl::string_view name) : NumericParameter("integer", name) {}
};

class Boolean : public internal::ValueParameter<Boolean, internal::ScalarKind,
                                                internal::UiList<Switch, Checkbox>, bool> {
 public:
  explicit Boolean(absl::string_view name) : ValueParameter("boolean", name) {}
};

// Stored encrypted, and never shown again.
class EncryptedString : public internal::ParameterBuilder<EncryptedString, internal::ScalarKind,
                                                          internal::UiList<EncryptedInput>> {
 public:
  explicit EncryptedString(absl::string_view name) : ParameterBuilder("encrypted_string", name) {}
};

// Lets the user choose among the stored credentials of the kind `credential_name`.
class CredentialId : public internal::ParameterBuilder<CredentialId, internal::DirectKind,
                                                       internal::UiList<CredentialSelect>> {
 public:
  CredentialId(absl::string_view name, absl::string_view credential_name)
      : ParameterBuilder("credential_id", name) {
    Set("credential_name", std::string(credential_name));
  }
};

class Array : public internal::ValueParameter<
                  Array, internal::DirectKind,
                  internal::UiList<MultiSelect, TagInput, KeyValueEditor, Slider, ArraySection>,
                  std::vector<Json>> {
 public:
  Array(absl::string_view name, const ItemParameter& items) : ValueParameter("array", name) {
    Set("items", items.ToJson());
  }
  Array& MinItems(int count) { return Set("min_items", count); }
  Array& MaxItems(int count) { return Set("max_items", count); }
};

class Object
    : public internal::ValueParameter<Object, internal::DirectKind,
                                      internal::UiList<JsonSchemaEditor, ConditionsEditor,
                                                       CodeEditor, CollapsiblePanel, Section>,
                                      Json> {
 public:
  explicit Object(absl::string_view name) : ValueParameter("object", name) {
    Set("properties", Json::array());
  }
  Object& Property(const DirectParameter& property) {
    return Append("properties", property.ToJson());
  }
  // Members besides those named by Property.
  Object& AdditionalProperties(const ItemParameter& value) {
    return Set("additional_properties", value.ToJson());
  }
};

// One of several objects, told apart by their property `discriminator`, which is a constant in
// each.
class DiscriminatedUnion : public internal::Builder<DiscriminatedUnion> {
 public:
  using Kind = internal::UnionKind;
  template <typename Component>
  static constexpr bool kAcceptsUi =
      internal::UiList<Switch, Select, RadioGroup>::kContains<Component>;

  // At least two alternatives.
  template <typename... More>
  DiscriminatedUnion(absl::string_view discriminator, const Object& first, const Object& second,
                     const More&... more) {
    static_assert((std::is_same_v<More, Object> && ...), "the alternatives are Objects");
    Set("type", "discriminated_union");
    Set("discriminator", std::string(discriminator));
    Set("any_of", Json::array({first.ToJson(), second.ToJson(), more.ToJson()...}));
  }
  template <typename Component>
  DiscriminatedUnion& DiscriminatorUi(const Component& component) {
    static_assert(kAcceptsUi<Component>, "a discriminator's UI is a Switch, Select or RadioGroup");
    return Set("discriminator_ui", component.ToJson());
  }
};

namespace internal {

// The ways in which a user can point at a resource.
template <typename Derived>
class LocatorMode : public Builder<Derived> {
 public:
  Derived& DisplayName(const I18n& text) { return this->Set("display_name", text.ToJson()); }
  Derived& Placeholder(const I18n& text) { return this->Set("placeholder", text.ToJson()); }

 protected:
  explicit LocatorMode(const char* type) { this->Set("type", type); }
};

}  // namespace internal

// Choosing from a list, which the handler of Tool::ListResources(search_list_method) makes.
class ListMode : public internal::LocatorMode<ListMode> {
 public:
  explicit ListMode(absl::string_view search_list_method) : LocatorMode("list") {
    Set("search_list_method", std::string(search_list_method));
  }
  ListMode& Searchable(bool on = true) { return Set("searchable", on); }
};

// Giving a URL, of which the regular expression's first group is the value.
class UrlMode : public internal::LocatorMode<UrlMode> {
 public:
  explicit UrlMode(absl::string_view regex) : LocatorMode("url") {
    Set("extract_value", Json{{"type", "regex"}, {"regex", std::string(regex)}});
  }
};

// Giving the value itself.
class IdMode : public internal::LocatorMode<IdMode> {
 public:
  IdMode() : LocatorMode("id") {}
};

// A resource_locator: the user points at something that the plugin knows. The value is a
// ResourceLocator.
class Locator
    : public internal::ParameterBuilder<Locator, internal::DirectKind, internal::UiList<PlainUi>> {
 public:
  explicit Locator(absl::string_view name) : ParameterBuilder("resource_locator", name) {
    Set("modes", Json::array());
  }
  template <typename M>
  Locator& Mode(const internal::LocatorMode<M>& mode) {
    return Append("modes", mode.ToJson());
  }
  Locator& Default(const ResourceLocator& value) { return Set("default", value); }
};

// A resource_mapper: the user maps values to the fields that the handler of
// Tool::MapResource(mapping_method) tells. The value is a ResourceMapper.
class Mapper
    : public internal::ParameterBuilder<Mapper, internal::DirectKind, internal::UiList<PlainUi>> {
 public:
  Mapper(absl::string_view name, absl::string_view mapping_method)
      : ParameterBuilder("resource_mapper", name) {
    Set("mapping_method", std::string(mapping_method));
  }
  Mapper& Default(const ResourceMapper& value) { return Set("default", value); }
};

// A file_ref: the value is a FileRef.
class FileParameter : public internal::ParameterBuilder<FileParameter, internal::DirectKind,
                                                        internal::UiList<PlainUi>> {
 public:
  explicit FileParameter(absl::string_view name) : ParameterBuilder("file_ref", name) {}
};

// An llm_config: the user configures a language model. The value is an LlmConfig. The Elixir SDK
// has this type, the JavaScript SDK does not.
class LlmParameter : public internal::ParameterBuilder<LlmParameter, internal::DirectKind,
                                                       internal::UiList<PlainUi>> {
 public:
  explicit LlmParameter(absl::string_view name) : ParameterBuilder("llm_config", name) {}
};

}  // namespace atomemo

#endif  // ATOMEMO_PARAMETER_H_
