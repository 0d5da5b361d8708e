#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_H_

#include <memory>

#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/router/call.h"

namespace atomemo::plugin_service {

// Serves one of the five call streams: hands the plugin's replies to the router, and what the
// router's CallSink is given to the plugin. Whatever happens to the stream, the router hears of its
// end exactly once.
std::unique_ptr<RpcHandler> MakeCallStream(router::CallKind kind, ContextPtr context,
                                           const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_H_
