#ifndef ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_
#define ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// The tool or credential that a call is for.
const std::string& TargetOf(const CallPayload& payload);

// What is wrong with a call in the light of the plugin's definition: an unknown tool, credential or
// method.
std::optional<pb::PluginError> CheckCall(const Plugin& plugin, const HubCall& call);

// The hub's event for which `reply` is an answer, as far as the reply alone tells: for answers that
// are offered again to a bridge that never saw the call. Empty if it cannot be known.
std::string EventOfReply(CallKind kind, const ReplyPayload& reply);

// The call's terminal answer. An answer that the hub would not understand is INVALID_ARGUMENT with
// violations.
absl::StatusOr<HubAnswer> AnswerOfReply(std::string event, PluginReply reply);

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_
