#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_METHOD_TABLE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_METHOD_TABLE_H_

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

// What serves each RPC, by its full name: every method of PluginService, and the health service's.
using MethodTable =
    std::unordered_map<std::string, std::function<std::unique_ptr<RpcHandler>(const RpcStart&)>>;
MethodTable MakeMethodTable(const ContextPtr& context);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_METHOD_TABLE_H_
