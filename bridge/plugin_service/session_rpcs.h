#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_RPCS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_RPCS_H_

#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/unary_rpc.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// The unary RPCs of a session. Called on the completion queue's thread; they answer later.
void ServeRegisterCredential(const ContextPtr& context,
                             const UnaryRpc<pb::RegisterCredentialRequest>::CallPtr& call);
void ServeRegisterTool(const ContextPtr& context,
                       const UnaryRpc<pb::RegisterToolRequest>::CallPtr& call);
void ServeRegisterModel(const ContextPtr& context,
                        const UnaryRpc<pb::RegisterModelRequest>::CallPtr& call);
void ServePublish(const ContextPtr& context, const UnaryRpc<pb::PublishRequest>::CallPtr& call);
void ServeDrainSession(const ContextPtr& context,
                       const UnaryRpc<pb::DrainSessionRequest>::CallPtr& call);
void ServeCallHub(const ContextPtr& context, const UnaryRpc<pb::CallHubRequest>::CallPtr& call);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_RPCS_H_
