#include "bridge/definition/json_schema.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "bridge/definition/rule_book.h"

namespace atomemo::definition {
namespace {

using base::Json;

// Locales as far as a pattern can tell upper case.
constexpr absl::string_view kLocalePattern = "^[^_]*_[^_a-z][^_]*$";
constexpr absl::string_view kDecimalPattern = "^-?[0-9]+(\\.[0-9]+)?$";

class SchemaWriter {
 public:
  explicit SchemaWriter(bool strict) : strict_(strict) {}

  Json Write(const Rule& rule, absl::string_view title) {
    Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
    root.update(Reference(rule, std::string(title)));
    // By this member editors find the schema.
    if (std::holds_alternative<ObjectRule>(rule.shape)) {
      definitions_[std::string(title)]["properties"]["$schema"] = {{"type", "string"}};
    }
    root["$defs"] = std::move(definitions_);
    return root;
  }

 private:
  // Objects are written once and referred to; they may contain themselves. `name` is used for what
  // has none yet.
  Json Reference(const Rule& rule, std::string name) {
    const bool is_shared = std::holds_alternative<ObjectRule>(rule.shape) ||
                           std::holds_alternative<TaggedRule>(rule.shape) ||
                           std::holds_alternative<TranslationsRule>(rule.shape);
    if (!is_shared) return Shape(rule, name);
    const auto [place, is_new] = names_.try_emplace(&rule);
    if (is_new) {
      if (std::holds_alternative<TranslationsRule>(rule.shape)) name = "texts";
      while (!used_names_.insert(name).second) name += "_";
      place->second = name;
      definitions_[name] = nullptr;  // keeps its place
      Json shape = Shape(rule, name);
      definitions_[name] = std::move(shape);
    }
    return {{"$ref", absl::StrCat("#/$defs/", place->second)}};
  }

  Json Shape(const Rule& rule, const std::string& name) {
    return std::visit([&](const auto& shape) { return Shape(rule, shape, name); }, rule.shape);
  }

  Json Shape(const Rule&, const AnyRule&, const std::string&) { return true; }
  Json Shape(const Rule&, const NullRule&, const std::string&) { return {{"type", "null"}}; }
  Json Shape(const Rule&, const BooleanRule&, const std::string&) { return {{"type", "boolean"}}; }
  Json Shape(const Rule&, const NumberRule&, const std::string&) { return {{"type", "number"}}; }

  Json Shape(const Rule& rule, const SteppedIntegerRule& shape, const std::string&) {
    return {{"type", "integer"},
            {"minimum", shape.minimum},
            {"maximum", shape.maximum},
            {"multipleOf", shape.step},
            {"description", rule.expected}};
  }

  Json Shape(const Rule& rule, const TextRule& shape, const std::string&) {
    Json schema = {{"type", "string"}};
    if (shape.check != nullptr) schema["description"] = rule.expected;
    if (!shape.pattern.empty()) schema["pattern"] = shape.pattern;
    return schema;
  }

  Json Shape(const Rule&, const LiteralRule& shape, const std::string&) {
    if (shape.values.size() == 1) return {{"const", shape.values.front()}};
    return {{"enum", shape.values}};
  }

  Json Shape(const Rule& rule, const TranslationsRule&, const std::string&) {
    return {{"type", "object"},
            {"description", rule.expected},
            {"properties", {{"en_US", {{"type", "string"}}}, {"zh_Hans", {{"type", "string"}}}}},
            {"required", {"en_US"}},
            {"propertyNames", {{"pattern", kLocalePattern}}},
            {"additionalProperties", {{"type", "string"}}}};
  }

  Json Shape(const Rule&, const FunctionRule&, const std::string&) { return false; }

  Json Shape(const Rule&, const ArrayRule& shape, const std::string& name) {
    Json schema = {{"type", "array"}, {"items", Reference(*shape.element, name)}};
    if (shape.min_items > 0) schema["minItems"] = shape.min_items;
    return schema;
  }

  Json Shape(const Rule&, const RecordRule& shape, const std::string& name) {
    Json schema = {{"type", "object"}, {"additionalProperties", Reference(*shape.element, name)}};
    if (shape.numeric_keys) schema["propertyNames"] = {{"pattern", kDecimalPattern}};
    return schema;
  }

  Json Shape(const Rule&, const ObjectRule& shape, const std::string& name) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Member& member : shape.members) {
      Json schema = Reference(*member.rule, absl::StrCat(name, ".", member.name));
      properties[std::string(member.name)] = member.nullable ? OrNull(std::move(schema)) : schema;
      if (member.required) required.push_back(member.name);
    }
    Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    if (strict_) schema["additionalProperties"] = false;
    return schema;
  }

  // Says what is wrong with the chosen alternative only.
  Json Shape(const Rule&, const TaggedRule& shape, const std::string& name) {
    const std::string tag(shape.tag);
    Json tags = Json::array(), branches = Json::array();
    for (const auto& [value, alternative] : shape.alternatives) {
      tags.push_back(value);
      branches.push_back(
          {{"if", {{"properties", {{tag, {{"const", value}}}}}, {"required", {tag}}}},
           {"then", Reference(*alternative, absl::StrCat(name, ".", value))}});
    }
    return {{"type", "object"},
            {"properties", {{tag, {{"enum", std::move(tags)}}}}},
            {"required", {tag}},
            {"allOf", std::move(branches)}};
  }

  Json Shape(const Rule&, const ChoiceRule& shape, const std::string& name) {
    Json alternatives = Json::array();
    for (const Rule* alternative : shape.alternatives) {
      alternatives.push_back(Reference(*alternative, name));
    }
    return {{"anyOf", std::move(alternatives)}};
  }

  static Json OrNull(Json schema) { return {{"anyOf", {std::move(schema), {{"type", "null"}}}}}; }

  const bool strict_;
  std::map<const Rule*, std::string> names_;
  std::set<std::string> used_names_;
  Json definitions_ = Json::object();
};

}  // namespace

Json MakeJsonSchema(Schema schema, bool strict) {
  return SchemaWriter(strict).Write(RuleFor(schema), NameOf(schema));
}

}  // namespace atomemo::definition
