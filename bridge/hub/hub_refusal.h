#ifndef ATOMEMO_BRIDGE_HUB_HUB_REFUSAL_H_
#define ATOMEMO_BRIDGE_HUB_HUB_REFUSAL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/router/call.h"

namespace atomemo::hub {

// Why the hub refused a join or a definition.
struct HubRefusal {
  // For a person; never empty.
  std::string message;
  std::vector<router::pb::DefinitionViolation> violations;
};

// Reads the response of an error reply, whatever its shape: `message`, `reason` or `code`, and the
// field errors in `suberrors` (lists or objects of texts or error objects, at any depth).
// `response` is valid JSON. At most 100 violations are read.
HubRefusal ReadRefusal(absl::string_view response);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HUB_REFUSAL_H_
