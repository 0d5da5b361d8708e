#include "bridge/definition/checker.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/spelling.h"
#include "bridge/definition/text_rules.h"

namespace atomemo::definition {
namespace {

using base::Json;
using Step = ViolationSink::Step;

constexpr absl::string_view kPrototype = "__proto__";  // JavaScript keeps no such member

// Null if `value` is no string.
const std::string* AsString(const Json& value) {
  return value.is_string() ? value.get_ptr<const std::string*>() : nullptr;
}

// Removes the members for which `drop` is true.
template <typename Drop>
void DropMembers(Json& object, Drop drop) {
  Json::object_t kept;
  for (auto& [name, value] : object.get_ref<Json::object_t&>()) {
    if (!drop(name)) kept.emplace_back(name, std::move(value));
  }
  object.get_ref<Json::object_t&>() = std::move(kept);
}

// What to write instead of a value that is nearly right.
std::string Hint(const Rule& rule, const Json& value) {
  const std::string* text = AsString(value);
  if (text == nullptr) return "";
  double number;
  if (std::holds_alternative<NumberRule>(rule.shape) && absl::SimpleAtod(*text, &number)) {
    return "; write it without quotes";
  }
  if (std::holds_alternative<BooleanRule>(rule.shape) && (*text == "true" || *text == "false")) {
    return "; write it without quotes";
  }
  if (std::holds_alternative<TranslationsRule>(rule.shape) && text->size() <= kMaxExcerpt) {
    return absl::StrCat("; write {\"en_US\": ", base::QuoteJson(*text), "}");
  }
  return "";
}

class Checker {
 public:
  explicit Checker(ViolationSink& sink) : sink_(sink) {}

  void Apply(const Rule& rule, Json& value) {
    std::visit([&](const auto& shape) { Check(rule, shape, value); }, rule.shape);
  }

 private:
  void Mismatch(const Rule& rule, const Json& value) {
    if (!sink_.wants_errors()) return;
    sink_.Error(
        absl::StrCat("expected ", rule.expected, ", found ", Describe(value), Hint(rule, value)));
  }

  // `text` may be null.
  std::string Suggestion(const std::string* text, const std::vector<absl::string_view>& known) {
    return text != nullptr && sink_.MaySuggest() ? DidYouMean(*text, known) : "";
  }

  void Check(const Rule&, const AnyRule&, Json&) {}

  void Check(const Rule& rule, const NullRule&, Json& value) {
    if (!value.is_null()) Mismatch(rule, value);
  }

  void Check(const Rule& rule, const BooleanRule&, Json& value) {
    if (!value.is_boolean()) Mismatch(rule, value);
  }

  void Check(const Rule& rule, const NumberRule&, Json& value) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) Mismatch(rule, value);
  }

  void Check(const Rule& rule, const SteppedIntegerRule& shape, Json& value) {
    const double number = value.is_number() ? value.get<double>() : shape.minimum - 1.0;
    if (!(number >= shape.minimum && number <= shape.maximum) ||
        std::fmod(number - shape.minimum, shape.step) != 0) {
      Mismatch(rule, value);
    }
  }

  void Check(const Rule& rule, const TextRule& shape, Json& value) {
    const std::string* text = AsString(value);
    if (text == nullptr) return Mismatch(rule, value);
    if (shape.check == nullptr) return;
    const absl::string_view trimmed = shape.trim == nullptr ? *text : shape.trim(*text);
    if (const auto complaint = shape.check(trimmed); complaint.has_value()) {
      if (sink_.wants_errors()) {
        sink_.Error(absl::StrCat("expected ", rule.expected, ", found ", Describe(value), ": ",
                                 *complaint));
      }
    } else if (trimmed.size() != text->size()) {
      value = std::string(trimmed);
    }
  }

  void Check(const Rule& rule, const LiteralRule& shape, Json& value) {
    const std::string* text = AsString(value);
    if (text != nullptr &&
        std::find(shape.values.begin(), shape.values.end(), *text) != shape.values.end()) {
      return;
    }
    if (!sink_.wants_errors()) return;
    sink_.Error(absl::StrCat("expected ", rule.expected, ", found ", Describe(value),
                             Suggestion(text, shape.values)));
  }

  void Check(const Rule& rule, const TranslationsRule&, Json& value) {
    if (!value.is_object()) return Mismatch(rule, value);
    bool has_english = false;
    for (const auto& [locale, text] : value.get_ref<const Json::object_t&>()) {
      const Step step(sink_, locale);
      has_english |= locale == "en_US";
      if (!text.is_string()) {
        sink_.Error(
            absl::StrCat("expected a string, the text for this locale, found ", Describe(text)));
      }
      if (const auto complaint = CheckLocale(locale); complaint.has_value()) {
        sink_.Error(absl::StrCat("expected a locale such as en_US or zh_Hans, found ",
                                 Excerpt(locale), ": ", *complaint));
      }
    }
    if (has_english) return;
    const Step step(sink_, absl::string_view("en_US"));
    sink_.Error("is missing: texts for people need one for the locale en_US");
  }

  void Check(const Rule&, const FunctionRule&, Json&) {
    sink_.Error(
        "leave this out: the official SDK wants a function here, which JSON cannot say; the plugin "
        "serves such calls on its streams instead");
  }

  void Check(const Rule& rule, const ArrayRule& shape, Json& value) {
    if (!value.is_array()) return Mismatch(rule, value);
    if (value.size() < shape.min_items) {
      sink_.Error(absl::StrCat("expected ", rule.expected, ", found ", value.size()));
    }
    if (value.size() > kMaxListLength) {
      return sink_.Error(absl::StrCat("a list may have at most ", kMaxListLength,
                                      " elements, this one has ", value.size()));
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Step step(sink_, i);
      Apply(*shape.element, value[i]);
    }
    if (shape.unique_names) CheckNames(value);
  }

  void CheckNames(const Json& list) {
    absl::flat_hash_set<absl::string_view> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!list[i].is_object()) continue;
      const auto name = list[i].find("name");
      if (name == list[i].end() || !name->is_string()) continue;
      if (seen.insert(name->get_ref<const std::string&>()).second) continue;
      const Step at_element(sink_, i);
      const Step at_name(sink_, absl::string_view("name"));
      sink_.Error(absl::StrCat("the name ", Excerpt(name->get_ref<const std::string&>()),
                               " is taken by an earlier element of the same list: names must be "
                               "different"));
    }
  }

  void Check(const Rule& rule, const RecordRule& shape, Json& value) {
    if (!value.is_object()) return Mismatch(rule, value);
    bool has_prototype = false, has_other_spelling = false;
    for (auto& [name, element] : value.get_ref<Json::object_t&>()) {
      if (name == kPrototype) {
        has_prototype = true;
        continue;
      }
      const Step step(sink_, name);
      if (shape.numeric_keys) {
        if (const auto complaint = CheckDecimal(name); complaint.has_value()) {
          sink_.Error(
              absl::StrCat("expected a number as the member's name, such as \"0.5\", found ",
                           Excerpt(name), ": ", *complaint));
          continue;
        }
        has_other_spelling |= CanonicalDecimal(name) != name;
      }
      Apply(*shape.element, element);
    }
    if (has_prototype)
      DropMembers(value, [](const std::string& name) { return name == kPrototype; });
    if (has_other_spelling) RespellNumbers(value);
  }

  // As JavaScript does: "1.0" and "1" are the same member, and the last one wins.
  static void RespellNumbers(Json& object) {
    Json::object_t respelt;
    absl::flat_hash_map<std::string, std::size_t> places;  // finding a member there is slow
    for (auto& [name, value] : object.get_ref<Json::object_t&>()) {
      std::string canonical = CanonicalDecimal(name);
      const auto [place, is_new] = places.try_emplace(canonical, respelt.size());
      if (is_new) {
        respelt.emplace_back(std::move(canonical), std::move(value));
      } else {
        (respelt.begin() + static_cast<std::ptrdiff_t>(place->second))->second = std::move(value);
      }
    }
    object = std::move(respelt);
  }

  void Check(const Rule& rule, const ObjectRule& shape, Json& value) {
    if (!value.is_object()) return Mismatch(rule, value);
    std::vector<bool> found(shape.members.size(), false);
    bool has_unknown = false;
    for (auto& [name, element] : value.get_ref<Json::object_t&>()) {
      const Member* member = shape.Find(name);
      const Step step(sink_, name);
      if (member == nullptr) {
        has_unknown = true;
        WarnOfUnknown(shape, name);
        continue;
      }
      found[member - shape.members.data()] = true;
      if (!element.is_null() || !member->nullable) Apply(*member->rule, element);
    }
    for (std::size_t i = 0; i < shape.members.size(); ++i) {
      if (shape.members[i].required && !found[i]) Missing(shape.members[i]);
    }
    if (shape.check != nullptr) shape.check(value, sink_);
    if (has_unknown) {
      DropMembers(value, [&](const std::string& name) { return shape.Find(name) == nullptr; });
    }
  }

  void Missing(const Member& member) {
    const Step step(sink_, member.name);
    sink_.Error(absl::StrCat("is missing: expected ", member.rule->expected,
                             member.nullable ? " or null" : ""));
  }

  void WarnOfUnknown(const ObjectRule& shape, const std::string& name) {
    // Editors find the JSON Schema by this member: it is there on purpose.
    if (!sink_.wants_warnings() || name == "$schema") return;
    std::vector<absl::string_view> known;
    for (const Member& member : shape.members) known.push_back(member.name);
    std::string advice = Suggestion(&name, known);
    if (const Member* ui = shape.Find("ui");
        advice.empty() && ui != nullptr && IsMemberOfUi(*ui->rule, name)) {
      advice = "; it belongs into `ui`";
    }
    sink_.Warn(
        absl::StrCat("the hub knows no member ", Excerpt(name), " here: it is dropped", advice));
  }

  static bool IsMemberOfUi(const Rule& ui, absl::string_view name) {
    if (const auto* object = std::get_if<ObjectRule>(&ui.shape))
      return object->Find(name) != nullptr;
    for (const auto& [tag, alternative] : std::get<TaggedRule>(ui.shape).alternatives) {
      if (IsMemberOfUi(*alternative, name)) return true;
    }
    return false;
  }

  void Check(const Rule& rule, const TaggedRule& shape, Json& value) {
    if (!value.is_object()) {
      if (sink_.wants_errors()) {
        sink_.Error(
            absl::StrCat("expected ", rule.expected, ", an object, found ", Describe(value)));
      }
      return;
    }
    const auto tag = value.find(std::string(shape.tag));
    if (tag != value.end()) {
      for (const auto& [name, alternative] : shape.alternatives) {
        if (*tag == std::string(name)) return Apply(*alternative, value);
      }
    }
    CheckCommonMembers(shape, value);
    const Step step(sink_, shape.tag);
    BadTag(shape, tag == value.end() ? nullptr : &*tag);
  }

  // Those that all alternatives have.
  void CheckCommonMembers(const TaggedRule& shape, Json& value) {
    for (const Member& member : std::get<ObjectRule>(shape.alternatives[0].second->shape).members) {
      if (!IsCommon(shape, member)) continue;
      const auto place = value.find(std::string(member.name));
      if (place == value.end()) {
        if (member.required) Missing(member);
        continue;
      }
      const Step step(sink_, member.name);
      if (!place->is_null() || !member.nullable) Apply(*member.rule, *place);
    }
  }

  static bool IsCommon(const TaggedRule& shape, const Member& member) {
    return std::all_of(
        shape.alternatives.begin(), shape.alternatives.end(), [&](const auto& other) {
          const Member* same = std::get<ObjectRule>(other.second->shape).Find(member.name);
          return same != nullptr && same->rule == member.rule;
        });
  }

  void BadTag(const TaggedRule& shape, const Json* tag) {
    if (!sink_.wants_errors()) return;
    std::vector<absl::string_view> known;
    for (const auto& [name, alternative] : shape.alternatives) known.push_back(name);
    std::string expected = "expected one of";
    for (const absl::string_view name : known) {
      absl::StrAppend(&expected, name == known.front() ? " \"" : ", \"", name, "\"");
    }
    if (tag == nullptr) return sink_.Error(absl::StrCat("is missing: ", expected));
    const std::string* text = AsString(*tag);
    if (text != nullptr && !shape.misplaced_tag.empty() && *text == shape.misplaced_tag) {
      return sink_.Error(absl::StrCat(expected, "; ", shape.misplaced_note));
    }
    sink_.Error(absl::StrCat(expected, "; found ", Describe(*tag), Suggestion(text, known)));
  }

  void Check(const Rule& rule, const ChoiceRule& shape, Json& value) {
    for (const Rule* alternative : shape.alternatives) {
      if (MatchesType(*alternative, value)) return Apply(*alternative, value);
    }
    Mismatch(rule, value);
  }

  static bool MatchesType(const Rule& rule, const Json& value) {
    if (std::holds_alternative<NullRule>(rule.shape)) return value.is_null();
    if (std::holds_alternative<BooleanRule>(rule.shape)) return value.is_boolean();
    if (std::holds_alternative<NumberRule>(rule.shape)) return value.is_number();
    if (std::holds_alternative<TextRule>(rule.shape)) return value.is_string();
    return value.is_object();
  }

  ViolationSink& sink_;
};

}  // namespace

void ApplyRule(const Rule& rule, Json& value, ViolationSink& sink) {
  Checker(sink).Apply(rule, value);
}

}  // namespace atomemo::definition
