#ifndef ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_
#define ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_

#include <optional>

#include "absl/time/time.h"
#include "bridge/router/options.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// What is wrong with a call in the light of the plugin's definition: an unknown tool, credential or
// method.
std::optional<pb::PluginError> CheckCall(const Plugin& plugin, const HubCall& call);

// How long the call may take.
absl::Duration TimeoutOf(const Plugin& plugin, const HubCall& call, const Timeouts& timeouts);

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ROUTER_CHECKS_H_
