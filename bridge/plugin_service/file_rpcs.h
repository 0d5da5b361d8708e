#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_FILE_RPCS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_FILE_RPCS_H_

#include <memory>

#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/unary_rpc.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// Streams a file's bytes to the plugin: those in the reference itself, or those that the hub has
// under its key. Nothing but what the hub points to is ever fetched: a plugin without a network
// must not gain one.
void ServeDownloadFile(const ContextPtr& context,
                       const UnaryRpc<pb::DownloadFileRequest>::CallPtr& call);

// Stores a plugin's bytes with the hub.
std::unique_ptr<RpcHandler> MakeUploadFile(ContextPtr context, const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_FILE_RPCS_H_
