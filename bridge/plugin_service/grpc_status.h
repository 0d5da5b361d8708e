#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_GRPC_STATUS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace atomemo::plugin_service {

// The one place where a status leaves the bridge. The payloads that the contract knows
// (DefinitionViolations, HubError) become rich details: `grpc-status-details-bin` with a
// google.rpc.Status. The message lists the first violations in words too, for languages whose
// authors do not see details.
//
// gRPC clients refuse trailers of more than 8 KiB, so both are cut to fit: the last violation then
// says how many there are besides.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_GRPC_STATUS_H_
