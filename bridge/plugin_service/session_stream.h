#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_STREAM_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_STREAM_H_

#include <memory>

#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

// Serves OpenSession: the session lasts as long as the stream, and the router hears of its end
// exactly once.
std::unique_ptr<RpcHandler> MakeSessionStream(ContextPtr context, const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_STREAM_H_
