#include "bridge/definition/parameter_rules.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/text_rules.h"
#include "bridge/definition/ui_rules.h"

namespace atomemo::definition {
namespace {

using base::Json;

constexpr absl::string_view kStrictNamePattern = "^[A-Za-z](?:[A-Za-z0-9]|_(?=[A-Za-z0-9])){0,63}$";

const Rule* StrictName(RuleBuilder& rules) {
  return rules.Make(
      "a name of 1 to 64 letters, digits and single `_` that starts with a letter and does not end "
      "with `_`",
      TextRule{CheckStrictName, kStrictNamePattern});
}

const Rule* NonEmpty(RuleBuilder& rules, std::string expected) {
  return rules.Make(std::move(expected), TextRule{CheckNotEmpty, "^[\\s\\S]"});
}

const Json* Find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto place = object.find(name);
  return place == object.end() ? nullptr : &*place;
}

void CheckConstantObject(const Json& object, ViolationSink& sink) {
  const Json* constant = Find(object, "constant");
  const Json* properties = Find(object, "properties");
  if (constant == nullptr || constant->is_null() || properties == nullptr || properties->empty()) {
    return;
  }
  const ViolationSink::Step step(sink, "constant");
  sink.Error(
      "an object with a `constant` must have no `properties`: make the list of properties empty, "
      "or "
      "give the properties constants of their own");
}

// The property of one of a union's objects that tells it apart; null if it has none.
const Json* FindDiscriminator(const Json& option, const std::string& discriminator) {
  const Json* properties = Find(option, "properties");
  if (properties == nullptr || !properties->is_array()) return nullptr;
  for (const Json& property : *properties) {
    const Json* name = Find(property, "name");
    if (name != nullptr && name->is_string() &&
        name->get_ref<const std::string&>() == discriminator) {
      return &property;
    }
  }
  return nullptr;
}

bool IsFalsy(const Json& scalar) {
  if (scalar.is_boolean()) return !scalar.get<bool>();
  if (scalar.is_number()) return scalar.get<double>() == 0;
  return scalar.is_string() && scalar.get_ref<const std::string&>().empty();
}

// Equal for constants that are the same value in JavaScript.
std::string IdentityOf(const Json& scalar) {
  return base::DumpJson(scalar.is_number() ? Json(scalar.get<double>()) : scalar);
}

void CheckDiscriminators(const Json& any_of, const std::string& discriminator,
                         ViolationSink& sink) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < any_of.size(); ++i) {
    const ViolationSink::Step step(sink, i);
    const Json* property = FindDiscriminator(any_of[i], discriminator);
    if (property == nullptr) {
      sink.Error(absl::StrCat("the object has no property named ", Excerpt(discriminator),
                              ", the union's discriminator"));
      continue;
    }
    const Json* constant = Find(*property, "constant");
    if (constant == nullptr || !constant->is_primitive() || constant->is_null()) {
      sink.Error(
          absl::StrCat("its property ", Excerpt(discriminator),
                       ", the union's discriminator, needs a `constant`: a string, a number, "
                       "true or false"));
      continue;
    }
    if (!IsFalsy(*constant) && !seen.insert(IdentityOf(*constant)).second) {
      sink.Error(
          absl::StrCat("another object of the union has the same `constant` in its property ",
                       Excerpt(discriminator), ": it must be different in each"));
    }
  }
}

void CheckUnion(const Json& object, ViolationSink& sink) {
  const Json* any_of = Find(object, "any_of");
  const Json* discriminator = Find(object, "discriminator");
  if (any_of == nullptr || !any_of->is_array() || discriminator == nullptr ||
      !discriminator->is_string()) {
    return;
  }
  const ViolationSink::Step step(sink, "any_of");
  CheckDiscriminators(*any_of, discriminator->get_ref<const std::string&>(), sink);
}

// Makes the rule of each type of parameter. They refer to each other.
class ParameterRuleMaker {
 public:
  ParameterRuleMaker(RuleBuilder& rules, const ValueRules& values)
      : rules_(rules), values_(values), ui_(rules), strict_name_(StrictName(rules)) {}

  ParameterRules Make() {
    const Rule* object = ObjectParameter();
    scalars_ = {{"string", StringParameter()},
                {"number", NumberParameter("number")},
                {"integer", NumberParameter("integer")},
                {"boolean", BooleanParameter()},
                {"encrypted_string", EncryptedStringParameter()}};
    Alternatives all = scalars_;
    all.insert(all.end(), {{"credential_id", CredentialIdParameter()},
                           {"resource_locator", ResourceLocatorParameter()},
                           {"resource_mapper", ResourceMapperParameter()},
                           {"array", ArrayParameter()},
                           {"object", object},
                           {"file_ref", Parameter("file_ref", {}, ui_.WithoutComponent())},
                           // The Elixir SDK's.
                           {"llm_config", Parameter("llm_config", {}, ui_.WithoutComponent())}});
    TaggedRule parameter{"type", all, "discriminated_union",
                         "only as `items` or `additional_properties` can a parameter be a "
                         "\"discriminated_union\""};
    *parameter_ = {"a parameter", std::move(parameter)};
    all.emplace_back("discriminated_union", DiscriminatedUnion(object));
    *item_ = {"a parameter or a discriminated union", TaggedRule{"type", std::move(all)}};
    *parameters_ = {"a list of parameters", ArrayRule{parameter_, 0, /*unique_names=*/true}};
    const Rule* scalar = rules_.Tagged("a parameter of a credential", "type", scalars_);
    return {strict_name_, parameter_, parameters_,
            rules_.Make("a list of parameters", ArrayRule{scalar, 0, /*unique_names=*/true})};
  }

 private:
  using Alternatives = std::vector<std::pair<absl::string_view, const Rule*>>;

  // What `type` has besides what all parameters have.
  const Rule* Parameter(absl::string_view type, std::vector<Member> own, const Rule* ui,
                        ObjectCheck check = nullptr) {
    own.push_back(Required("type", rules_.OneOf({type})));
    own.push_back(Nullable("ui", ui));
    return rules_.Object(Join(std::move(own), common_), "a parameter", check);
  }

  const Rule* StringParameter() {
    const Rule* string = rules_.String();
    return Parameter(
        "string",
        {Nullable("constant", string), Nullable("default", string),
         Nullable("enum", rules_.ListOf(string, "a list of strings")),
         Nullable("max_length", rules_.Number()), Nullable("min_length", rules_.Number())},
        ui_.With({"input", "textarea", "code-editor", "select", "credential-select", "radio-group",
                  "emoji-picker", "color-picker"}));
  }

  const Rule* NumberParameter(absl::string_view type) {
    const Rule* number = rules_.Number();
    return Parameter(type,
                     {Nullable("constant", number), Nullable("default", number),
                      Nullable("enum", rules_.ListOf(number, "a list of numbers")),
                      Nullable("maximum", number), Nullable("minimum", number)},
                     ui_.With({"number-input", "slider"}));
  }

  const Rule* BooleanParameter() {
    const Rule* boolean = rules_.Boolean();
    return Parameter("boolean",
                     {Nullable("constant", boolean), Nullable("default", boolean),
                      Nullable("enum", rules_.ListOf(boolean, "a list of true and false"))},
                     ui_.With({"switch", "checkbox"}));
  }

  // These take no values of their own in a definition.
  std::vector<Member> NullValues() {
    return {Optional("constant", rules_.Null()), Optional("default", rules_.Null()),
            Optional("enum", rules_.Null())};
  }

  const Rule* EncryptedStringParameter() {
    return Parameter("encrypted_string", NullValues(), ui_.With({"encrypted-input"}));
  }

  const Rule* CredentialIdParameter() {
    return Parameter("credential_id",
                     Join(NullValues(), {Required("credential_name",
                                                  NonEmpty(rules_, "the name of a credential"))}),
                     ui_.With({"credential-select"}));
  }

  const Rule* ArrayParameter() {
    const Rule* list = rules_.ListOf(rules_.Any());
    return Parameter(
        "array",
        {Nullable("constant", list), Nullable("default", list),
         Nullable("enum", rules_.ListOf(list, "a list of lists")), Required("items", item_),
         Nullable("max_items", rules_.Number()), Nullable("min_items", rules_.Number())},
        ui_.With({"multi-select", "tag-input", "key-value-editor", "slider", "array-section"}));
  }

  const Rule* ObjectParameter() {
    const Rule* object = rules_.AnyObject();
    return Parameter("object",
                     {Required("properties", parameters_), Nullable("additional_properties", item_),
                      Nullable("constant", object), Nullable("default", object),
                      Nullable("enum", rules_.ListOf(object, "a list of objects"))},
                     ui_.With({"json-schema-editor", "conditions-editor", "code-editor",
                               "collapsible-panel", "section"}),
                     CheckConstantObject);
  }

  const Rule* DiscriminatedUnion(const Rule* object) {
    const Rule* objects = rules_.Make("a list of at least two parameters of type \"object\"",
                                      ArrayRule{object, 2, /*unique_names=*/true});
    return rules_.Object(
        {Required("type", rules_.OneOf({"discriminated_union"})), Required("any_of", objects),
         Required("discriminator", NonEmpty(rules_, "the name of a property")),
         Nullable("discriminator_ui", ui_.With({"switch", "select", "radio-group"}))},
        "a discriminated union", CheckUnion);
  }

  const Rule* ResourceLocatorParameter() {
    const std::vector<Member> texts = {Nullable("display_name", rules_.Translations()),
                                       Nullable("placeholder", rules_.Translations())};
    const Rule* extraction =
        rules_.Object({Required("type", rules_.OneOf({"regex"})),
                       Required("regex", NonEmpty(rules_, "a regular expression"))});
    const auto mode = [&](absl::string_view type, std::vector<Member> own) {
      own.push_back(Required("type", rules_.OneOf({type})));
      return std::make_pair(type, rules_.Object(Join(std::move(own), texts)));
    };
    const Rule* modes =
        rules_.Tagged("a mode", "type",
                      {mode("list", {Required("search_list_method", strict_name_),
                                     Nullable("searchable", rules_.Boolean())}),
                       mode("url", {Required("extract_value", extraction)}), mode("id", {})});
    return Parameter("resource_locator",
                     {Nullable("default", values_.resource_locator),
                      Required("modes", rules_.ListOf(modes, "a list of modes"))},
                     ui_.WithoutComponent());
  }

  const Rule* ResourceMapperParameter() {
    return Parameter("resource_mapper",
                     {Required("mapping_method", NonEmpty(rules_, "the name of a method")),
                      Nullable("default", values_.resource_mapper)},
                     ui_.WithoutComponent());
  }

  std::vector<Member> CommonMembers() {
    const Rule* display =
        rules_.Object({Nullable("hide", rules_.AnyObject()), Nullable("show", rules_.AnyObject())});
    return {
        Required("name", strict_name_),
        Nullable("display_name", rules_.Translations()),
        Nullable("required", rules_.Boolean()),
        Nullable("display", display),
        Nullable("ai", rules_.Object({Nullable("llm_description", rules_.Translations())})),
        Nullable("depends_on", rules_.ListOf(strict_name_, "a list of parameters' names")),
        Nullable("decoder", rules_.OneOf({"json"})),
        // The plugin documentation's own.
        Nullable("secret", rules_.Boolean()),
        Nullable("placeholder", rules_.String()),
        Nullable("description", rules_.Translations()),
    };
  }

  RuleBuilder& rules_;
  const ValueRules& values_;
  const UiRules ui_;
  const Rule* const strict_name_;
  const std::vector<Member> common_ = CommonMembers();
  Alternatives scalars_;
  Rule* const parameter_ = rules_.Declare();
  Rule* const parameters_ = rules_.Declare();
  // An element of an array, or a member beyond an object's properties.
  Rule* const item_ = rules_.Declare();
};

}  // namespace

ValueRules MakeValueRules(RuleBuilder& rules) {
  const Rule* text = rules.String();
  const Rule* content =
      rules.Make("base64 text", TextRule{CheckBase64,
                                         "^(?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}==|"
                                         "[0-9a-zA-Z+/]{3}=)?$"});
  const auto value_type = [&](absl::string_view type) {
    return Required("__type__", rules.OneOf({type}));
  };
  const Rule* mapping = rules.Make("an object, a string or null",
                                   ChoiceRule{{rules.AnyObject(), text, rules.Null()}});
  return {
      rules.Object({value_type("file_ref"), Required("source", rules.OneOf({"mem", "oss"})),
                    RequiredOrNull("filename", text), RequiredOrNull("extension", text),
                    RequiredOrNull("mime_type", text), RequiredOrNull("size", rules.Number()),
                    RequiredOrNull("res_key", text), RequiredOrNull("remote_url", text),
                    RequiredOrNull("content", content)},
                   "a file_ref object"),
      rules.Object(
          {value_type("resource_locator"),
           Required("mode_name", rules.OneOf({"list", "url", "id"})), RequiredOrNull("value", text),
           Nullable("cached_result_label", text), Nullable("cached_result_url", text)},
          "a resource_locator object"),
      rules.Object(
          {value_type("resource_mapper"), Required("mapping_mode", rules.OneOf({"manual", "auto"})),
           Required("value", mapping)},
          "a resource_mapper object"),
  };
}

ParameterRules MakeParameterRules(RuleBuilder& rules, const ValueRules& values) {
  return ParameterRuleMaker(rules, values).Make();
}

}  // namespace atomemo::definition
