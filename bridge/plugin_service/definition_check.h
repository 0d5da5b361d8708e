#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/definition/assemble.h"

namespace atomemo::plugin_service {

struct CheckedPlugin {
  definition::Draft draft;
  std::vector<plugin::v1::DefinitionViolation> warnings;
};

struct CheckedPart {
  definition::Part part;
  std::vector<plugin::v1::DefinitionViolation> warnings;
};

// Judge the definition in a request, typed or as JSON. INVALID_ARGUMENT with a DefinitionViolations
// as payload (see router::GetViolations) if it is not valid; RESOURCE_EXHAUSTED, naming the flag,
// if it has more than `max_bytes`. May take long: large definitions.
// Sets `name` to what the plugin says that it is called, if it says so, also if it is refused.
absl::StatusOr<CheckedPlugin> CheckDefinition(const plugin::v1::OpenSessionRequest& request,
                                              std::size_t max_bytes,
                                              const definition::DefaultTexts& defaults,
                                              std::string& name);
absl::StatusOr<CheckedPart> CheckDefinition(const plugin::v1::RegisterCredentialRequest& request,
                                            std::size_t max_bytes);
// Warns also of parameters whose methods the tool does not list.
absl::StatusOr<CheckedPart> CheckDefinition(const plugin::v1::RegisterToolRequest& request,
                                            std::size_t max_bytes);
absl::StatusOr<CheckedPart> CheckDefinition(const plugin::v1::RegisterModelRequest& request,
                                            std::size_t max_bytes);

// RESOURCE_EXHAUSTED, naming the flag, if a definition of so many bytes is too large.
absl::Status CheckDefinitionBytes(std::size_t bytes, std::size_t max_bytes);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_CHECK_H_
