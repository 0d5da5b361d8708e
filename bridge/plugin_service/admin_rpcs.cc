#include <unistd.h>

#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

bool IsOperator(const std::optional<PeerIdentity>& peer) {
  return peer && (peer->uid == geteuid() || peer->uid == 0);
}

}  // namespace

void ServeGetStatus(const ContextPtr& context, const UnaryCall<admin::v1::GetStatusRequest>& call) {
  if (!IsOperator(call->peer)) {
    return call->Fail(absl::PermissionDeniedError(
        "only the bridge's own user and root may ask for its status, on its Unix socket"));
  }
  context->io.Post([context, call] {
    admin::v1::GetStatusResponse status = context->status.Status();
    status.set_bridge_version(context->options.bridge_version);
    call->Answer(std::move(status));
  });
}

}  // namespace atomemo::plugin_service
