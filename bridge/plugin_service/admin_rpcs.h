#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_ADMIN_RPCS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_ADMIN_RPCS_H_

#include "atomemo/admin/v1/admin_service.pb.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/unary_rpc.h"

namespace atomemo::plugin_service {

// AdminService, for the bridge's own user and root: it names every plugin.
void ServeGetStatus(const ContextPtr& context,
                    const UnaryRpc<admin::v1::GetStatusRequest>::CallPtr& call);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_ADMIN_RPCS_H_
