#ifndef ATOMEMO_SDK_CPP_SRC_STATUS_H_
#define ATOMEMO_SDK_CPP_SRC_STATUS_H_

#include <string>
#include <vector>

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::internal {

// What the bridge found wrong with a definition, one "path: message" each; empty if the status
// carries none.
std::vector<std::string> ViolationsOf(const grpc::Status& status);
std::string Describe(const plugin::v1::DefinitionViolation& violation);

// The status for plugin authors: a hub's error keeps its code, violations become further lines.
absl::Status ToAbsl(const grpc::Status& status);

// Whether connecting again cannot help: what the plugin says must change first.
bool IsPermanent(const absl::Status& status);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_STATUS_H_
