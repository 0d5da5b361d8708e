#include "bridge/definition/lint.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/parameter_lint.h"
#include "bridge/definition/parameters.h"
#include "bridge/definition/spelling.h"
#include "bridge/definition/text_rules.h"

namespace atomemo::definition {
namespace {

using base::Json;
using Names = KnownNames::Names;
using Step = ViolationSink::Step;

constexpr double kLongestTimeoutMs = 1'800'000;

// A list that may be missing.
template <typename Visit>
void ForEach(const Json& object, const char* list, ViolationSink& sink, const Visit& visit) {
  const Json* elements = FindMember(object, list);
  if (elements == nullptr) return;
  const Step at_list(sink, absl::string_view(list));
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const Step at_element(sink, i);
    visit((*elements)[i]);
  }
}

void LintParametersOf(const Json& part, const KnownNames& known, ViolationSink& sink,
                      const char* list = "parameters") {
  const Json* parameters = FindMember(part, list);
  if (parameters == nullptr) return;
  const Step step(sink, absl::string_view(list));
  LintParameters(*parameters, known, sink);
}

void LintCredential(const Json& credential, ViolationSink& sink) {
  LintParametersOf(credential, {}, sink);
  WarnOfDialect(credential, "type", sink);
}

void LintTimeout(const Json& tool, ViolationSink& sink) {
  const Json* timeout = FindMember(tool, "timeout");
  if (timeout == nullptr || timeout->get<double>() <= kLongestTimeoutMs) return;
  const Step step(sink, absl::string_view("timeout"));
  sink.Warn("calls are ended after 30 minutes (1800000 milliseconds) at the latest");
}

// `credentials`: null if nobody knows them.
void LintTool(const Json& tool, const Names* credentials, ViolationSink& sink) {
  // An official definition lists a tool's methods, with functions: given, the list can only be
  // empty here.
  const Names none;
  KnownNames known;
  known.credentials = credentials;
  if (FindMember(tool, "locator_list") != nullptr) known.locator_methods = &none;
  if (FindMember(tool, "resource_mapping") != nullptr) known.mapping_methods = &none;
  LintParametersOf(tool, known, sink);
  LintParametersOf(tool, known, sink, "settings");
  WarnOfDialect(tool, "settings", sink);
  LintTimeout(tool, sink);
  if (credentials == nullptr) return;
  ForEach(tool, "credentials", sink, [&](const Json& name) {
    const auto& text = name.get_ref<const std::string&>();
    if (!sink.wants_warnings() || credentials->contains(text)) return;
    sink.Warn(absl::StrCat(
        "no credential of this plugin has this name: ", Excerpt(text),
        sink.MaySuggest() ? DidYouMean(text, {credentials->begin(), credentials->end()}) : ""));
  });
}

void LintModel(const Json& model, ViolationSink& sink) {
  const Json* overrides = FindMember(model, "override_parameters");
  if (overrides == nullptr) return;
  const Step at_overrides(sink, absl::string_view("override_parameters"));
  for (const char* name : {"temperature", "frequency_penalty", "max_tokens"}) {
    if (const Json* range = FindMember(*overrides, name)) {
      const Step step(sink, absl::string_view(name));
      LintRange(*range, sink);
    }
  }
}

void LintDefinition(const Json& definition, ViolationSink& sink) {
  Names credentials;
  if (const Json* list = FindMember(definition, "credentials")) {
    for (const Json& credential : *list) {
      credentials.insert(credential["name"].get_ref<const std::string&>());
    }
  }
  ForEach(definition, "credentials", sink,
          [&](const Json& credential) { LintCredential(credential, sink); });
  ForEach(definition, "tools", sink, [&](const Json& tool) { LintTool(tool, &credentials, sink); });
  ForEach(definition, "models", sink, [&](const Json& model) { LintModel(model, sink); });
}

// `complaint`: what is wrong with a member that is there.
void LintOwnText(const Json& plugin, const char* name, std::optional<std::string> complaint,
                 absl::string_view remedy, ViolationSink& sink) {
  const Json* member = FindMember(plugin, name);
  if (member == nullptr || member->get_ref<const std::string&>().empty()) {
    complaint = absl::StrCat(
        "is missing: the Elixir SDK requires it, and the JavaScript SDK fills it in", remedy);
  }
  if (!complaint.has_value()) return;
  const Step step(sink, absl::string_view(name));
  sink.Warn(*complaint);
}

}  // namespace

std::vector<Violation> LintOwnTexts(const Json& plugin) {
  ViolationSink sink;
  LintOwnText(plugin, "author", std::nullopt, "; the bridge can, too: --author", sink);
  LintOwnText(plugin, "email", std::nullopt, "; the bridge can, too: --email", sink);
  std::optional<std::string> complaint = CheckVersion(StringMember(plugin, "version"));
  if (complaint.has_value()) {
    complaint =
        absl::StrCat("expected a version such as 1.0.0, for release mode: ", *std::move(complaint));
  }
  LintOwnText(plugin, "version", std::move(complaint), "", sink);
  return sink.TakeWarnings();
}

std::vector<Violation> LintForOtherSdks(Schema schema, const Json& value) {
  std::vector<Violation> warnings;
  if (schema == Schema::kDefinition || schema == Schema::kPlugin) warnings = LintOwnTexts(value);
  ViolationSink sink;
  if (schema == Schema::kTool) WarnOfDialect(value, "timeout", sink);
  if (schema == Schema::kDefinition) {
    ForEach(value, "tools", sink,
            [&sink](const Json& tool) { WarnOfDialect(tool, "timeout", sink); });
  }
  for (Violation& warning : sink.TakeWarnings()) warnings.push_back(std::move(warning));
  return warnings;
}

void Lint(Schema schema, const Json& value, ViolationSink& sink) {
  switch (schema) {
    case Schema::kDefinition:
      return LintDefinition(value, sink);
    case Schema::kCredential:
      return LintCredential(value, sink);
    case Schema::kTool:
      return LintTool(value, nullptr, sink);
    case Schema::kModel:
      return LintModel(value, sink);
    case Schema::kProperty:
      return LintParameter(value, sink);
    default:
      return;
  }
}

}  // namespace atomemo::definition
