#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_

#include <memory>
#include <string>

#include "bridge/plugin_service/rpc_stream.h"

namespace atomemo::plugin_service {

inline constexpr char kHealthCheckMethod[] = "/grpc.health.v1.Health/Check";
inline constexpr char kHealthWatchMethod[] = "/grpc.health.v1.Health/Watch";

// The standard health service, for the server as a whole ("") and for `service_name`: both serve
// until the server shuts down. gRPC's own would run on its callback threads, which slow down every
// other RPC to half.
std::unique_ptr<RpcHandler> MakeHealthRpc(const RpcStart& start, std::string service_name);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_
