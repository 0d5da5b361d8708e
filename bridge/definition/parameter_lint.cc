#include "bridge/definition/parameter_lint.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "bridge/definition/js_regex.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/parameters.h"
#include "bridge/definition/spelling.h"

namespace atomemo::definition {
namespace {

using base::Json;
using Names = KnownNames::Names;
using Step = ViolationSink::Step;

std::optional<double> NumberMember(const Json& object, const char* name) {
  const Json* member = FindMember(object, name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  return member->get<double>();
}

// How long JavaScript says a string is: in UTF-16 units.
double JsLength(const std::string& text) {
  double length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) length += byte >= 0xF0 ? 2 : 1;
  }
  return length;
}

// Warns if the limits exclude everything.
void LintLimits(const Json& object, const char* least, const char* most, ViolationSink& sink) {
  const auto minimum = NumberMember(object, least), maximum = NumberMember(object, most);
  if (!minimum.has_value() || !maximum.has_value() || *minimum <= *maximum) return;
  const Step step(sink, absl::string_view(least));
  sink.Warn(absl::StrCat("`", least, "` (", *minimum, ") is more than `", most, "` (", *maximum,
                         "): no value fits"));
}

// Warns if `size`, that of the member `name`, is beyond the limits.
void LintSize(const Json& object, const char* name, double size, const char* least,
              const char* most, ViolationSink& sink) {
  const auto minimum = NumberMember(object, least), maximum = NumberMember(object, most);
  const Step step(sink, absl::string_view(name));
  if (minimum.has_value() && size < *minimum) {
    sink.Warn(absl::StrCat("the ", name, " is below `", least, "` (", *minimum, ")"));
  } else if (maximum.has_value() && size > *maximum) {
    sink.Warn(absl::StrCat("the ", name, " is above `", most, "` (", *maximum, ")"));
  }
}

absl::string_view StringMemberView(const Json& object, const char* name) {
  const Json* member = FindMember(object, name);
  return member == nullptr ? absl::string_view() : member->get_ref<const std::string&>();
}

class ParameterLinter {
 public:
  ParameterLinter(const KnownNames& known, ViolationSink& sink) : known_(known), sink_(sink) {}

  void LintList(const Json& parameters) {
    for (const Json& parameter : parameters) ++scope_[StringMemberView(parameter, "name")];
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Step step(sink_, i);
      LintReferences(parameters[i]);
      Lint(parameters[i]);
    }
    for (const Json& parameter : parameters) {
      const auto name = scope_.find(StringMemberView(parameter, "name"));
      if (--name->second == 0) scope_.erase(name);
    }
  }

  void Lint(const Json& parameter) {
    if (!sink_.wants_warnings()) return;
    LintValues(parameter);
    LintDisplay(parameter);
    LintType(parameter);
    if (const Json* ui = FindMember(parameter, "ui")) {
      const Step step(sink_, absl::string_view("ui"));
      LintLimits(*ui, "min_height", "max_height", sink_);
    }
    if (const Json* properties = FindMember(parameter, "properties")) {
      const Step step(sink_, absl::string_view("properties"));
      LintList(*properties);
    }
    if (const Json* options = FindMember(parameter, "any_of")) {
      const Step step(sink_, absl::string_view("any_of"));
      for (std::size_t i = 0; i < options->size(); ++i) {
        const Step at_option(sink_, i);
        Lint((*options)[i]);
      }
      LintFalsyConstants(*options, StringMember(parameter, "discriminator"));
    }
    for (const char* member : {"items", "additional_properties"}) {
      if (const Json* child = FindMember(parameter, member)) {
        const Step step(sink_, absl::string_view(member));
        Lint(*child);
      }
    }
  }

 private:
  std::vector<absl::string_view> NamesInScope() const {
    std::vector<absl::string_view> names;
    for (const auto& [name, count] : scope_) names.push_back(name);
    return names;
  }

  // `default` and `constant` against `enum`.
  void LintValues(const Json& parameter) {
    const Json* allowed = FindMember(parameter, "enum");
    if (allowed == nullptr) return;
    for (const char* name : {"default", "constant"}) {
      const Json* value = FindMember(parameter, name);
      if (value == nullptr ||
          std::find(allowed->begin(), allowed->end(), *value) != allowed->end()) {
        continue;
      }
      const Step step(sink_, absl::string_view(name));
      sink_.Warn(absl::StrCat("the ", name, " (", Describe(*value),
                              ") is not among the values of `enum`"));
    }
  }

  void LintType(const Json& parameter) {
    const std::string type = StringMember(parameter, "type");
    if (type == "string") return LintString(parameter);
    if (type == "number" || type == "integer") return LintNumber(parameter, type == "integer");
    if (type == "array") return LintArray(parameter);
    if (type == "credential_id") {
      return LintName(parameter, "credential_name", known_.credentials,
                      "no credential of this plugin has this name");
    }
    if (type == "resource_mapper") {
      return LintName(parameter, "mapping_method", known_.mapping_methods,
                      "the tool has no mapping method of this name");
    }
    if (type == "resource_locator") return LintLocator(parameter);
    if (type == "llm_config") WarnOfDialect(parameter, "type", sink_);
  }

  void LintString(const Json& parameter) {
    LintLimits(parameter, "min_length", "max_length", sink_);
    for (const char* name : {"default", "constant"}) {
      const Json* value = FindMember(parameter, name);
      // An empty default stands for none.
      if (value == nullptr || value->get_ref<const std::string&>().empty()) continue;
      LintSize(parameter, name, JsLength(value->get_ref<const std::string&>()), "min_length",
               "max_length", sink_);
    }
  }

  void LintNumber(const Json& parameter, bool is_integer) {
    LintRange(parameter, sink_);
    if (!is_integer) return;
    for (const char* name : {"default", "constant", "minimum", "maximum"}) {
      const auto number = NumberMember(parameter, name);
      if (!number.has_value() || std::trunc(*number) == *number) continue;
      const Step step(sink_, absl::string_view(name));
      sink_.Warn(absl::StrCat("the parameter is an integer, and ", *number, " is not"));
    }
  }

  void LintArray(const Json& parameter) {
    LintLimits(parameter, "min_items", "max_items", sink_);
    const Json* value = FindMember(parameter, "default");
    if (value == nullptr || value->empty()) return;
    LintSize(parameter, "default", static_cast<double>(value->size()), "min_items", "max_items",
             sink_);
  }

  void LintLocator(const Json& parameter) {
    const Json& modes = *FindMember(parameter, "modes");
    {
      const Step at_modes(sink_, absl::string_view("modes"));
      for (std::size_t i = 0; i < modes.size(); ++i) {
        const Step at_mode(sink_, i);
        LintName(modes[i], "search_list_method", known_.locator_methods,
                 "the tool has no list method of this name");
        if (const Json* extraction = FindMember(modes[i], "extract_value")) {
          const Step at_extraction(sink_, absl::string_view("extract_value"));
          LintRegex(*extraction, "regex");
        }
      }
    }
    const Json* value = FindMember(parameter, "default");
    if (value == nullptr) return;
    const std::string mode_name = StringMember(*value, "mode_name");
    const bool has_mode = std::any_of(modes.begin(), modes.end(), [&](const Json& mode) {
      return StringMember(mode, "type") == mode_name;
    });
    if (has_mode) return;
    const Step at_default(sink_, absl::string_view("default"));
    const Step at_mode(sink_, absl::string_view("mode_name"));
    sink_.Warn(
        absl::StrCat("the default is of the mode \"", mode_name, "\", which is not among `modes`"));
  }

  // Warns if the member names nothing that is known.
  void LintName(const Json& object, const char* member, const Names* known,
                absl::string_view complaint) {
    const Json* name = FindMember(object, member);
    if (known == nullptr || name == nullptr) return;
    const auto& text = name->get_ref<const std::string&>();
    if (known->contains(text)) return;
    const Step step(sink_, absl::string_view(member));
    sink_.Warn(
        absl::StrCat(complaint, ": ", Excerpt(text),
                     sink_.MaySuggest() ? DidYouMean(text, {known->begin(), known->end()}) : ""));
  }

  void LintRegex(const Json& object, const char* member) {
    const Json* regex = FindMember(object, member);
    if (regex == nullptr || !regex->is_string()) return;
    const auto complaint = CheckJsRegex(regex->get_ref<const std::string&>());
    if (!complaint.has_value()) return;
    const Step step(sink_, absl::string_view(member));
    sink_.Warn(absl::StrCat("JavaScript cannot compile this regular expression: ", *complaint));
  }

  void LintReferences(const Json& parameter) {
    const Json* depends_on = FindMember(parameter, "depends_on");
    if (depends_on == nullptr) return;
    const std::string own_name = StringMember(parameter, "name");
    const Step at_list(sink_, absl::string_view("depends_on"));
    for (std::size_t i = 0; i < depends_on->size() && sink_.wants_warnings(); ++i) {
      const auto& name = (*depends_on)[i].get_ref<const std::string&>();
      const Step at_name(sink_, i);
      if (name == own_name) {
        sink_.Warn("the parameter depends on itself");
      } else if (!scope_.contains(name)) {
        sink_.Warn(absl::StrCat("no parameter here has this name: ", Excerpt(name),
                                sink_.MaySuggest() ? DidYouMean(name, NamesInScope()) : ""));
      }
    }
  }

  void LintDisplay(const Json& parameter) {
    const Json* display = FindMember(parameter, "display");
    if (display == nullptr) return;
    const Step step(sink_, absl::string_view("display"));
    for (const char* member : {"show", "hide"}) {
      if (const Json* condition = FindMember(*display, member)) {
        const Step at_condition(sink_, absl::string_view(member));
        LintCondition(*condition);
      }
    }
  }

  // The regular expressions in it.
  void LintCondition(const Json& condition) {
    if (condition.is_object()) {
      LintRegex(condition, "$regex");
      for (const auto& [name, value] : condition.get_ref<const Json::object_t&>()) {
        const Step step(sink_, name);
        LintCondition(value);
      }
    } else if (condition.is_array()) {
      for (std::size_t i = 0; i < condition.size(); ++i) {
        const Step step(sink_, i);
        LintCondition(condition[i]);
      }
    }
  }

  // The official schema requires discriminators to differ, but overlooks "", 0 and false.
  void LintFalsyConstants(const Json& options, const std::string& discriminator) {
    std::vector<Json> seen;
    for (std::size_t i = 0; i < options.size(); ++i) {
      for (const Json& property : options[i]["properties"]) {
        const Json* constant = FindMember(property, "constant");
        if (StringMember(property, "name") != discriminator || constant == nullptr) continue;
        const bool is_empty_text =
            constant->is_string() && constant->get_ref<const std::string&>().empty();
        if (*constant != false && *constant != 0 && !is_empty_text) continue;
        if (std::find(seen.begin(), seen.end(), *constant) == seen.end()) {
          seen.push_back(*constant);
        } else {
          const Step step(sink_, i);
          sink_.Warn(absl::StrCat("another object of the union has the same constant (",
                                  Describe(*constant), ") in its discriminator"));
        }
      }
    }
  }

  const KnownNames known_;
  ViolationSink& sink_;
  // The names of the parameters in the list at hand and in those around it, counted.
  absl::flat_hash_map<absl::string_view, int> scope_;
};

}  // namespace

void LintParameters(const Json& parameters, const KnownNames& known, ViolationSink& sink) {
  ParameterLinter(known, sink).LintList(parameters);
}

void LintParameter(const Json& parameter, ViolationSink& sink) {
  ParameterLinter({}, sink).Lint(parameter);
}

void WarnOfDialect(const Json& object, const char* member, ViolationSink& sink) {
  if (FindMember(object, member) == nullptr) return;
  const Step step(sink, absl::string_view(member));
  sink.Warn("the Elixir SDK knows this, the JavaScript SDK does not; it is sent to the hub");
}

void LintRange(const Json& object, ViolationSink& sink) {
  LintLimits(object, "minimum", "maximum", sink);
  for (const char* name : {"default", "constant"}) {
    const auto value = NumberMember(object, name);
    if (value.has_value()) LintSize(object, name, *value, "minimum", "maximum", sink);
  }
}

}  // namespace atomemo::definition
