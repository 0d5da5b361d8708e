#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_HUB_CALL_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_HUB_CALL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::plugin_service {

// A plugin's call to the hub, as the router takes it.
struct HubCallRequest {
  std::string event;
  // The text of a JSON object, checked.
  std::string data_json;
  std::optional<absl::Duration> timeout;
};

// INVALID_ARGUMENT for what the contract does not allow. May take long: large data.
absl::StatusOr<HubCallRequest> ReadHubCall(const plugin::v1::CallHubRequest& request);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_HUB_CALL_H_
