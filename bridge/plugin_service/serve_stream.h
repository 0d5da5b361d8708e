#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVE_STREAM_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVE_STREAM_H_

#include <memory>

#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

// Serves Serve: a session, its definition, and its calls of all kinds on one stream. For the router
// it is a session with five call streams, which all end with it.
std::unique_ptr<RpcHandler> MakeServeStream(ContextPtr context, const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVE_STREAM_H_
