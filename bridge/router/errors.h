#ifndef ATOMEMO_BRIDGE_ROUTER_ERRORS_H_
#define ATOMEMO_BRIDGE_ROUTER_ERRORS_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/payload.pb.h"
#include "bridge/base/error_codes.h"

namespace atomemo::router {

// `name` is the error's class in words, for instance "ToolNotFound".
inline plugin::v1::PluginError BridgeError(absl::string_view error_code, absl::string_view name,
                                           absl::string_view message) {
  plugin::v1::PluginError error;
  error.set_code(std::string(error_code));
  error.set_name(std::string(name));
  error.set_message(std::string(message));
  return error;
}

// For a call whose worker is gone; `reason` is what ended its stream or session.
inline plugin::v1::PluginError WorkerDied(absl::string_view reason) {
  return BridgeError(code::kCrash, "WorkerDied",
                     absl::StrCat("the plugin's worker was lost while it ran the call: ", reason));
}

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ERRORS_H_
