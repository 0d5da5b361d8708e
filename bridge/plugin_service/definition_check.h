#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::plugin_service {

// A definition as the router takes it: JSON text, valid and normalised.
struct CheckedDefinition {
  std::string json;
  std::vector<plugin::v1::DefinitionViolation> warnings;
};

// Judge the definition in a request, typed or as JSON. INVALID_ARGUMENT with a DefinitionViolations
// as payload (see router::GetViolations) if it is not valid. May take long: large definitions.
absl::StatusOr<CheckedDefinition> CheckDefinition(const plugin::v1::OpenSessionRequest& request);
absl::StatusOr<CheckedDefinition> CheckDefinition(
    const plugin::v1::RegisterCredentialRequest& request);
// Warns also of parameters whose methods the tool does not list.
absl::StatusOr<CheckedDefinition> CheckDefinition(const plugin::v1::RegisterToolRequest& request);
absl::StatusOr<CheckedDefinition> CheckDefinition(const plugin::v1::RegisterModelRequest& request);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_
