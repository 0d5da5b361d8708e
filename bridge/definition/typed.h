#ifndef ATOMEMO_BRIDGE_DEFINITION_TYPED_H_
#define ATOMEMO_BRIDGE_DEFINITION_TYPED_H_

#include "absl/status/status.h"
#include "atomemo/plugin/v1/definition.pb.h"
#include "bridge/base/json.h"

// The typed form of definitions and the official JSON form. How one becomes the other is said in
// definition.proto; the code follows the messages' descriptors and knows no message by itself.
namespace atomemo::definition {

namespace pb = ::atomemo::plugin::v1;

// The JSON form. It is not checked: use Validate. What is for the bridge's eyes only
// (ToolDefinition.locator_methods, .mapping_methods) is not in it.
base::Json ToJson(const pb::PluginDefinition& plugin);
base::Json ToJson(const pb::CredentialDefinition& credential);
base::Json ToJson(const pb::ToolDefinition& tool);
base::Json ToJson(const pb::ModelDefinition& model);
base::Json ToJson(const pb::Parameter& parameter);

// The typed form of valid JSON. Members that no field stands for are ignored; null is the same as
// leaving the member out, as it is to the hub. INVALID_ARGUMENT, with the path, for JSON that is
// not valid; `*message` is then half filled.
absl::Status FromJson(const base::Json& json, pb::PluginDefinition* plugin);
absl::Status FromJson(const base::Json& json, pb::CredentialDefinition* credential);
absl::Status FromJson(const base::Json& json, pb::ToolDefinition* tool);
absl::Status FromJson(const base::Json& json, pb::ModelDefinition* model);
absl::Status FromJson(const base::Json& json, pb::Parameter* parameter);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_TYPED_H_
