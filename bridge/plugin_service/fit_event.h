#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_FIT_EVENT_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_FIT_EVENT_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::plugin_service {

// What is cut so that no message but a call grows past what every plugin's gRPC library takes.

// At most `max_bytes`; a list that is longer ends with an entry that says how many are missing.
void FitViolations(std::size_t max_bytes,
                   google::protobuf::RepeatedPtrField<plugin::v1::DefinitionViolation>& violations);

// The same for the violations in any message but an error's details.
void FitViolations(google::protobuf::RepeatedPtrField<plugin::v1::DefinitionViolation>& violations);

// One event as as many as it takes.
std::vector<plugin::v1::SessionEvent> FitEvent(plugin::v1::SessionEvent event);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_FIT_EVENT_H_
