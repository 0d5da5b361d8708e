#ifndef ATOMEMO_BRIDGE_BASE_ERROR_CODES_H_
#define ATOMEMO_BRIDGE_BASE_ERROR_CODES_H_

#include "absl/strings/string_view.h"

// The codes of errors that the bridge itself answers calls with. Those starting with "sdk:" mean
// the same as in the official SDKs; "transient:" tells the caller that the same call may succeed
// later.
namespace atomemo::code {

inline constexpr absl::string_view kInvalidRequestId = "sdk:invalid_request_id";
inline constexpr absl::string_view kInvalidParameter = "sdk:invalid_parameter";
inline constexpr absl::string_view kInvalidReturn = "sdk:invalid_return";
inline constexpr absl::string_view kToolNotFound = "sdk:tool_not_found";
inline constexpr absl::string_view kCredentialNotFound = "sdk:credential_not_found";
inline constexpr absl::string_view kMethodNotSupported = "sdk:method_not_supported";
inline constexpr absl::string_view kException = "sdk:exception";
inline constexpr absl::string_view kTimeout = "sdk:timeout";
inline constexpr absl::string_view kCrash = "sdk:crash";
inline constexpr absl::string_view kNoWorker = "transient:no_worker";
inline constexpr absl::string_view kOverloaded = "transient:overloaded";
inline constexpr absl::string_view kShuttingDown = "transient:shutting_down";
inline constexpr absl::string_view kRestarted = "transient:restarted";

}  // namespace atomemo::code

#endif  // ATOMEMO_BRIDGE_BASE_ERROR_CODES_H_
