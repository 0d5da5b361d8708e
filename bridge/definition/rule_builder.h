#ifndef ATOMEMO_BRIDGE_DEFINITION_RULE_BUILDER_H_
#define ATOMEMO_BRIDGE_DEFINITION_RULE_BUILDER_H_

#include <deque>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "bridge/definition/rule.h"

namespace atomemo::definition {

inline Member Required(absl::string_view name, const Rule* rule) { return {name, rule, true}; }
// May be left out.
inline Member Optional(absl::string_view name, const Rule* rule) { return {name, rule}; }
// May be left out or null.
inline Member Nullable(absl::string_view name, const Rule* rule) {
  return {name, rule, false, true};
}
// Must be there, if only as null.
inline Member RequiredOrNull(absl::string_view name, const Rule* rule) {
  return {name, rule, true, true};
}

// Makes rules and owns them. What it returns lives as long as it does.
class RuleBuilder {
 public:
  RuleBuilder() = default;
  RuleBuilder(const RuleBuilder&) = delete;
  RuleBuilder& operator=(const RuleBuilder&) = delete;

  const Rule* Any() const { return any_; }
  const Rule* Null() const { return null_; }
  const Rule* Boolean() const { return boolean_; }
  const Rule* Number() const { return number_; }
  const Rule* String() const { return string_; }
  const Rule* Translations() const { return translations_; }
  const Rule* Function() const { return function_; }
  const Rule* AnyObject() const { return any_object_; }

  template <typename Shape>
  const Rule* Make(std::string expected, Shape shape) {
    return &rules_.emplace_back(Rule{std::move(expected), std::move(shape)});
  }
  const Rule* OneOf(std::vector<absl::string_view> values);
  const Rule* ListOf(const Rule* element, std::string expected = "a list");
  const Rule* Object(std::vector<Member> members, std::string expected = "an object",
                     ObjectCheck check = nullptr);
  // `what` is what the alternatives are called: "a parameter".
  const Rule* Tagged(std::string what, absl::string_view tag,
                     std::vector<std::pair<absl::string_view, const Rule*>> alternatives);

  // A rule to refer to before it is defined; recursive rules need it.
  Rule* Declare() { return &rules_.emplace_back(); }

 private:
  std::deque<Rule> rules_;
  const Rule* const any_ = Make("any value", AnyRule{});
  const Rule* const null_ = Make("null", NullRule{});
  const Rule* const boolean_ = Make("true or false", BooleanRule{});
  const Rule* const number_ = Make("a number", NumberRule{});
  const Rule* const string_ = Make("a string", TextRule{});
  const Rule* const translations_ =
      Make(R"(texts by locale such as {"en_US": "..."})", TranslationsRule{});
  const Rule* const function_ = Make("nothing", FunctionRule{});
  const Rule* const any_object_ = Make("an object", RecordRule{any_});
};

// `members` and `more` together.
std::vector<Member> Join(std::vector<Member> members, const std::vector<Member>& more);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_RULE_BUILDER_H_
