#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_

#include <memory>

#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

inline constexpr char kHealthCheckMethod[] = "/grpc.health.v1.Health/Check";
inline constexpr char kHealthWatchMethod[] = "/grpc.health.v1.Health/Watch";

// What may be asked for beside "" (readiness of the whole): see admin_service.proto.
inline constexpr char kLivenessService[] = "liveness";
inline constexpr char kPluginHealthPrefix[] = "plugin/";

// The standard health service. Every answer comes from the io thread: a bridge whose event loop
// stands still gives none, whatever its gRPC threads do. A watch is looked at once a second.
//
// gRPC's own service would run on its callback threads, which slow down every other RPC to half.
std::unique_ptr<RpcHandler> MakeHealthRpc(const ContextPtr& context, const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_H_
