#ifndef ATOMEMO_SDK_CPP_SRC_BRIDGE_ADDRESS_H_
#define ATOMEMO_SDK_CPP_SRC_BRIDGE_ADDRESS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace atomemo::internal {

// Reads an environment variable; empty if it is not set.
using Environment = std::function<std::string(const char* name)>;
Environment ProcessEnvironment();

// Where the bridge listens, as a gRPC target: `configured`, or what RunOptions::bridge says of the
// environment. INVALID_ARGUMENT for a path longer than a Unix socket's address can be.
absl::StatusOr<std::string> BridgeTarget(const std::string& configured, const Environment& env);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_BRIDGE_ADDRESS_H_
