#ifndef ATOMEMO_BRIDGE_CLI_DESCRIPTOR_LIMIT_H_
#define ATOMEMO_BRIDGE_CLI_DESCRIPTOR_LIMIT_H_

#include "absl/status/status.h"

namespace atomemo::cli {

// Every plugin's connection is an open file, and the usual limit is 1024: raises it as far as this
// process may. FAILED_PRECONDITION, which says what to do, if that is too little to serve anybody.
absl::Status RaiseDescriptorLimit();

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_DESCRIPTOR_LIMIT_H_
