#include "bridge/plugin_service/definition_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/definition/typed.h"
#include "bridge/definition/validate.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;
using base::Json;
using definition::PartKind;
using definition::Report;
using definition::Schema;

pb::DefinitionViolation Violation(std::string path, std::string message) {
  pb::DefinitionViolation violation;
  violation.set_path(std::move(path));
  violation.set_message(std::move(message));
  return violation;
}

absl::Status Invalid(absl::string_view what, std::vector<pb::DefinitionViolation> errors) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(what, " is not valid"));
  pb::DefinitionViolations violations;
  for (pb::DefinitionViolation& error : errors) *violations.add_violations() = std::move(error);
  router::SetViolations(status, violations);
  return status;
}

absl::Status Missing(absl::string_view what) {
  return Invalid(what, {Violation("", "the request has no definition")});
}

absl::StatusOr<Json> ParseOfficial(absl::string_view what, absl::string_view text,
                                   std::size_t max_bytes) {
  if (absl::Status fits = CheckDefinitionBytes(text.size(), max_bytes); !fits.ok()) return fits;
  absl::StatusOr<Json> json = definition::ParseDefinition(text);
  if (json.ok()) return json;
  return Invalid(what, {Violation("", std::string(json.status().message()))});
}

// The typed form is the smaller one: it has numbers where JSON has names.
template <typename Typed>
absl::StatusOr<Json> FromTyped(const Typed& typed, std::size_t max_bytes) {
  if (absl::Status fits = CheckDefinitionBytes(typed.ByteSizeLong(), max_bytes); !fits.ok()) {
    return fits;
  }
  return definition::ToJson(typed);
}

// What differs between the parts of a plugin.
struct PartTraits {
  PartKind kind;
  Schema schema;
  absl::string_view what;
};
constexpr PartTraits kCredential = {PartKind::kCredential, Schema::kCredential, "the credential"};
constexpr PartTraits kTool = {PartKind::kTool, Schema::kTool, "the tool"};
constexpr PartTraits kModel = {PartKind::kModel, Schema::kModel, "the model"};

absl::StatusOr<CheckedPart> CheckPart(const PartTraits& traits, absl::StatusOr<Json> json) {
  if (!json.ok()) return json.status();
  const Report report = Validate(traits.schema, *std::move(json));
  if (!report.ok()) return Invalid(traits.what, definition::ToProto(report.errors));
  return CheckedPart{definition::MakePart(traits.kind, report.value),
                     definition::ToProto(report.warnings)};
}

// What a call to a method that no handler serves would come to is told before it happens.
template <typename Methods, typename Listed>
void WarnOfUnlisted(absl::string_view member, const Methods& used, const Listed& listed,
                    std::vector<pb::DefinitionViolation>& warnings) {
  if (listed.empty()) return;
  const absl::flat_hash_set<absl::string_view> known(listed.begin(), listed.end());
  std::vector<absl::string_view> names(used.begin(), used.end());
  std::sort(names.begin(), names.end());
  for (const absl::string_view name : names) {
    if (known.contains(name)) continue;
    if (warnings.size() > definition::kMaxViolations) return;
    warnings.push_back(Violation("parameters", absl::StrCat("a parameter names the method \"", name,
                                                            "\", which is not in ", member)));
  }
}

}  // namespace

absl::Status CheckDefinitionBytes(std::size_t bytes, std::size_t max_bytes) {
  if (bytes <= max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the plugin's definition is larger than ",
                                                   max_bytes,
                                                   " bytes, set by --max-definition-bytes"));
}

absl::StatusOr<CheckedPlugin> CheckDefinition(const pb::OpenSessionRequest& request,
                                              std::size_t max_bytes,
                                              const definition::DefaultTexts& defaults,
                                              std::string& name) {
  constexpr absl::string_view kWhat = "the plugin";
  if (!request.has_plugin() && request.definition_json().empty()) return Missing(kWhat);
  if (request.has_plugin() && !request.definition_json().empty()) {
    return Invalid(kWhat, {Violation("", "`plugin` and `definition_json` exclude each other")});
  }
  absl::StatusOr<Json> json = request.has_plugin()
                                  ? FromTyped(request.plugin(), max_bytes)
                                  : ParseOfficial(kWhat, request.definition_json(), max_bytes);
  if (!json.ok()) return json.status();
  if (json->is_object()) {
    const auto member = json->find("name");
    if (member != json->end() && member->is_string()) name = member->get<std::string>();
  }
  Report report = definition::JudgePlugin(*std::move(json), defaults);
  if (!report.ok()) return Invalid(kWhat, definition::ToProto(report.errors));
  CheckedPlugin checked{definition::Draft(std::move(report.value)),
                        definition::ToProto(report.warnings)};
  absl::Status fits = CheckDefinitionBytes(checked.draft.bytes(), max_bytes);
  if (!fits.ok()) return fits;
  return checked;
}

absl::StatusOr<CheckedPart> CheckDefinition(const pb::RegisterCredentialRequest& request,
                                            std::size_t max_bytes) {
  if (request.has_credential()) {
    return CheckPart(kCredential, FromTyped(request.credential(), max_bytes));
  }
  if (!request.has_definition_json()) return Missing(kCredential.what);
  return CheckPart(kCredential,
                   ParseOfficial(kCredential.what, request.definition_json(), max_bytes));
}

absl::StatusOr<CheckedPart> CheckDefinition(const pb::RegisterToolRequest& request,
                                            std::size_t max_bytes) {
  if (!request.has_tool()) {
    if (!request.has_definition_json()) return Missing(kTool.what);
    return CheckPart(kTool, ParseOfficial(kTool.what, request.definition_json(), max_bytes));
  }
  const pb::ToolDefinition& tool = request.tool();
  absl::StatusOr<CheckedPart> checked = CheckPart(kTool, FromTyped(tool, max_bytes));
  if (!checked.ok()) return checked;
  const definition::ToolFacts& facts = checked->part.tool;
  WarnOfUnlisted("locator_methods", facts.locator_methods, tool.locator_methods(),
                 checked->warnings);
  WarnOfUnlisted("mapping_methods", facts.mapping_methods, tool.mapping_methods(),
                 checked->warnings);
  return checked;
}

absl::StatusOr<CheckedPart> CheckDefinition(const pb::RegisterModelRequest& request,
                                            std::size_t max_bytes) {
  if (request.has_model()) return CheckPart(kModel, FromTyped(request.model(), max_bytes));
  if (!request.has_definition_json()) return Missing(kModel.what);
  return CheckPart(kModel, ParseOfficial(kModel.what, request.definition_json(), max_bytes));
}

}  // namespace atomemo::plugin_service
