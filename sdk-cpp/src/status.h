#ifndef ATOMEMO_SDK_CPP_SRC_STATUS_H_
#define ATOMEMO_SDK_CPP_SRC_STATUS_H_

#include <string>

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::internal {

// "path: message".
std::string Describe(const plugin::v1::DefinitionViolation& violation);

// The status for plugin authors: a hub's error keeps its code.
absl::Status ToAbsl(const grpc::Status& status);
absl::Status ToAbsl(const plugin::v1::HubFailure& failure);

// Whether connecting again cannot help: what the plugin says must change first.
bool IsPermanent(const absl::Status& status);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_STATUS_H_
