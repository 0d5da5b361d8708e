#ifndef ATOMEMO_BRIDGE_DEFINITION_RULE_H_
#define ATOMEMO_BRIDGE_DEFINITION_RULE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/definition/violations.h"

// The definition format as data: what a value may be. rule_book.h has the rules themselves,
// checker.h applies them, json_schema.h prints them.
namespace atomemo::definition {

struct Rule;

// What is wrong with a string, as the end of a sentence; nothing if it is fine.
using TextCheck = std::optional<std::string> (*)(absl::string_view);
// The part of a string that is checked and kept.
using TextTrim = absl::string_view (*)(absl::string_view);
// A rule across the members of an object, whose own rules may be broken: it must look before it
// reads.
using ObjectCheck = void (*)(const base::Json& object, ViolationSink& sink);

struct AnyRule {};
struct NullRule {};
struct BooleanRule {};
struct NumberRule {};  // finite

// Integers of a range, in steps. As in JavaScript, 2.0 is the integer 2.
struct SteppedIntegerRule {
  int minimum;
  int maximum;
  int step;
};

struct TextRule {
  TextCheck check = nullptr;
  // The ECMA-262 pattern that says the same as `check`, where one can.
  absl::string_view pattern = {};
  TextTrim trim = nullptr;
};

// One of these strings.
struct LiteralRule {
  std::vector<absl::string_view> values;
};

// Texts for people, by locale.
struct TranslationsRule {};

// A function of the official SDK: no JSON value is one.
struct FunctionRule {};

struct ArrayRule {
  const Rule* element;
  std::size_t min_items = 0;
  // No two elements have the same `name`.
  bool unique_names = false;
};

// An object with members of any name.
struct RecordRule {
  const Rule* element;
  // The names are decimal numbers.
  bool numeric_keys = false;
};

struct Member {
  absl::string_view name;
  const Rule* rule;
  bool required = false;
  bool nullable = false;
};

struct ObjectRule {
  // Sorted by name.
  std::vector<Member> members;
  ObjectCheck check = nullptr;

  // Null if there is no such member.
  const Member* Find(absl::string_view name) const;
};

// Objects told apart by a member.
struct TaggedRule {
  absl::string_view tag;
  // By the tag's value; each is an ObjectRule that knows the tag too.
  std::vector<std::pair<absl::string_view, const Rule*>> alternatives;
  // What to say of a tag that is right elsewhere.
  absl::string_view misplaced_tag = {};
  absl::string_view misplaced_note = {};
};

// Values told apart by their JSON type.
struct ChoiceRule {
  std::vector<const Rule*> alternatives;
};

struct Rule {
  // What is expected, with its article: "a string".
  std::string expected;
  std::variant<AnyRule, NullRule, BooleanRule, NumberRule, SteppedIntegerRule, TextRule,
               LiteralRule, TranslationsRule, FunctionRule, ArrayRule, RecordRule, ObjectRule,
               TaggedRule, ChoiceRule>
      shape;
};

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_RULE_H_
