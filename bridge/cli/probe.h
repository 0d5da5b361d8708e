#ifndef ATOMEMO_BRIDGE_CLI_PROBE_H_
#define ATOMEMO_BRIDGE_CLI_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "atomemo/admin/v1/admin_service.pb.h"

namespace atomemo::cli {

// Asks the bridge on the Unix socket at `socket_path` for the health of `service` (see
// admin_service.proto for the names). OK if it serves; NOT_FOUND for an unknown service; else
// UNAVAILABLE and what to do. Blocks.
absl::Status ProbeHealth(const std::string& socket_path, const std::string& service,
                         absl::Duration timeout);

// Asks for everything. PERMISSION_DENIED to other users; UNAVAILABLE as above. Blocks.
absl::StatusOr<admin::v1::GetStatusResponse> FetchStatus(const std::string& socket_path,
                                                         absl::Duration timeout);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_PROBE_H_
