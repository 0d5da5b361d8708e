#ifndef ATOMEMO_BRIDGE_ROUTER_ERRORS_H_
#define ATOMEMO_BRIDGE_ROUTER_ERRORS_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/payload.pb.h"

namespace atomemo::router {

// The codes of errors that the bridge itself answers calls with. Those starting with "sdk:" mean
// the same as in the official SDKs; "transient:" tells the caller that the same call may succeed
// later.
namespace code {
inline constexpr absl::string_view kInvalidRequestId = "sdk:invalid_request_id";
inline constexpr absl::string_view kInvalidParameter = "sdk:invalid_parameter";
inline constexpr absl::string_view kInvalidReturn = "sdk:invalid_return";
inline constexpr absl::string_view kToolNotFound = "sdk:tool_not_found";
inline constexpr absl::string_view kCredentialNotFound = "sdk:credential_not_found";
inline constexpr absl::string_view kMethodNotSupported = "sdk:method_not_supported";
inline constexpr absl::string_view kTimeout = "sdk:timeout";
inline constexpr absl::string_view kCrash = "sdk:crash";
inline constexpr absl::string_view kNoWorker = "transient:no_worker";
inline constexpr absl::string_view kOverloaded = "transient:overloaded";
inline constexpr absl::string_view kShuttingDown = "transient:shutting_down";
inline constexpr absl::string_view kRestarted = "transient:restarted";
}  // namespace code

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
