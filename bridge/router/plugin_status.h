#ifndef ATOMEMO_BRIDGE_ROUTER_PLUGIN_STATUS_H_
#define ATOMEMO_BRIDGE_ROUTER_PLUGIN_STATUS_H_

#include "absl/time/time.h"
#include "atomemo/admin/v1/admin_service.pb.h"
#include "bridge/router/outbox.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// What one plugin is doing, and whether calls can be expected to reach it and answers to reach the
// hub. Tests the data path, not that the process is up: a plugin whose calls all time out is not
// ready, whatever its connections look like.
admin::v1::PluginStatus StatusOf(const Plugin& plugin, const Outbox& outbox, absl::Time now);

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_PLUGIN_STATUS_H_
