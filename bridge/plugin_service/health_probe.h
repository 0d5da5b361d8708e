#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_PROBE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace atomemo::plugin_service {

// Asks the bridge on the Unix socket at `socket_path` for its health (grpc.health.v1). OK if it
// serves; else UNAVAILABLE and what to do. Blocks.
absl::Status ProbeHealth(const std::string& socket_path, absl::Duration timeout);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_PROBE_H_
