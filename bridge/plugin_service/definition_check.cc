#include "bridge/plugin_service/definition_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/definition/assemble.h"
#include "bridge/definition/facts.h"
#include "bridge/definition/typed.h"
#include "bridge/definition/validate.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;
using base::Json;
using definition::Report;
using definition::Schema;

pb::DefinitionViolation Violation(std::string path, std::string message) {
  pb::DefinitionViolation violation;
  violation.set_path(std::move(path));
  violation.set_message(std::move(message));
  return violation;
}

std::vector<pb::DefinitionViolation> ToProto(const std::vector<definition::Violation>& found) {
  std::vector<pb::DefinitionViolation> violations;
  violations.reserve(found.size());
  for (const definition::Violation& violation : found) {
    violations.push_back(Violation(definition::FormatPath(violation.path), violation.message));
  }
  return violations;
}

absl::Status Invalid(absl::string_view what, std::vector<pb::DefinitionViolation> errors) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(what, " is not valid"));
  pb::DefinitionViolations violations;
  for (pb::DefinitionViolation& error : errors) *violations.add_violations() = std::move(error);
  router::SetViolations(status, violations);
  return status;
}

// The definition as JSON: parsed, or made of the typed form. Both missing is a violation.
absl::StatusOr<Json> ParseOfficial(absl::string_view what, absl::string_view text) {
  absl::StatusOr<Json> json = definition::ParseDefinition(text);
  if (json.ok()) return json;
  return Invalid(what, {Violation("", std::string(json.status().message()))});
}

absl::Status Missing(absl::string_view what) {
  return Invalid(what, {Violation("", "the request has no definition")});
}

absl::StatusOr<CheckedDefinition> Take(absl::string_view what, const Report& report) {
  if (!report.ok()) return Invalid(what, ToProto(report.errors));
  return CheckedDefinition{base::DumpJson(report.value), ToProto(report.warnings)};
}

// What a call to a method that no handler serves would come to is told before it happens.
template <typename Methods, typename Listed>
void WarnOfUnlisted(absl::string_view member, const Methods& used, const Listed& listed,
                    std::vector<pb::DefinitionViolation>& warnings) {
  if (listed.empty()) return;
  std::vector<std::string> names(used.begin(), used.end());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (std::find(listed.begin(), listed.end(), name) != listed.end()) continue;
    warnings.push_back(Violation("parameters", absl::StrCat("a parameter names the method \"", name,
                                                            "\", which is not in ", member)));
  }
}

}  // namespace

absl::StatusOr<CheckedDefinition> CheckDefinition(const pb::OpenSessionRequest& request) {
  constexpr absl::string_view kWhat = "the plugin";
  if (!request.has_plugin() && request.definition_json().empty()) return Missing(kWhat);
  if (request.has_plugin() && !request.definition_json().empty()) {
    return Invalid(kWhat, {Violation("", "`plugin` and `definition_json` exclude each other")});
  }
  absl::StatusOr<Json> json = request.has_plugin()
                                  ? definition::ToJson(request.plugin())
                                  : ParseOfficial(kWhat, request.definition_json());
  if (!json.ok()) return json.status();
  definition::Parts parts;
  parts.plugin = *std::move(json);
  return Take(kWhat, definition::Assemble(std::move(parts)));
}

absl::StatusOr<CheckedDefinition> CheckDefinition(const pb::RegisterCredentialRequest& request) {
  constexpr absl::string_view kWhat = "the credential";
  if (request.has_credential()) {
    return Take(kWhat, Validate(Schema::kCredential, definition::ToJson(request.credential())));
  }
  if (!request.has_definition_json()) return Missing(kWhat);
  absl::StatusOr<Json> json = ParseOfficial(kWhat, request.definition_json());
  if (!json.ok()) return json.status();
  return Take(kWhat, Validate(Schema::kCredential, *std::move(json)));
}

absl::StatusOr<CheckedDefinition> CheckDefinition(const pb::RegisterToolRequest& request) {
  constexpr absl::string_view kWhat = "the tool";
  if (!request.has_tool()) {
    if (!request.has_definition_json()) return Missing(kWhat);
    absl::StatusOr<Json> json = ParseOfficial(kWhat, request.definition_json());
    if (!json.ok()) return json.status();
    return Take(kWhat, Validate(Schema::kTool, *std::move(json)));
  }
  const pb::ToolDefinition& tool = request.tool();
  const Report report = Validate(Schema::kTool, definition::ToJson(tool));
  absl::StatusOr<CheckedDefinition> checked = Take(kWhat, report);
  if (!checked.ok()) return checked;
  const definition::ToolFacts facts = definition::ExtractToolFacts(report.value);
  WarnOfUnlisted("locator_methods", facts.locator_methods, tool.locator_methods(),
                 checked->warnings);
  WarnOfUnlisted("mapping_methods", facts.mapping_methods, tool.mapping_methods(),
                 checked->warnings);
  return checked;
}

absl::StatusOr<CheckedDefinition> CheckDefinition(const pb::RegisterModelRequest& request) {
  constexpr absl::string_view kWhat = "the model";
  if (request.has_model()) {
    return Take(kWhat, Validate(Schema::kModel, definition::ToJson(request.model())));
  }
  if (!request.has_definition_json()) return Missing(kWhat);
  absl::StatusOr<Json> json = ParseOfficial(kWhat, request.definition_json());
  if (!json.ok()) return json.status();
  return Take(kWhat, Validate(Schema::kModel, *std::move(json)));
}

}  // namespace atomemo::plugin_service
