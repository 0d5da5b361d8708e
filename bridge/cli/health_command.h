#ifndef ATOMEMO_BRIDGE_CLI_HEALTH_COMMAND_H_
#define ATOMEMO_BRIDGE_CLI_HEALTH_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace atomemo::cli {

struct HealthOptions {
  std::string socket;
  // Only whether the process is alive, not whether calls get through.
  bool live = false;
  // Only these plugins, all of which must be ready. Empty: the bridge with all its plugins.
  std::vector<std::string> plugins;
  bool json = false;
  absl::Duration timeout = absl::Seconds(5);
};

// Asks a running bridge how it is, prints it, and returns the exit code: kExitOk if all that was
// asked for is well, else kExitFailed.
int RunHealth(const HealthOptions& options, std::ostream& out, std::ostream& err);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_HEALTH_COMMAND_H_
