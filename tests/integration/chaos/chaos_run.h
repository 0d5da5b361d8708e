#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_RUN_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/integration/chaos/chaos_plan.h"
#include "tests/integration/chaos/verdict.h"

namespace atomemo::chaos {

struct ChaosOptions {
  std::uint64_t seed = 1;
  int calls_per_second = 500;
  // How long a call may take, in the bridge's and the hub's eyes alike.
  absl::Duration timeout = absl::Seconds(45);
  // Whether the hub repeats unanswered calls whenever the plugin registers.
  bool repeat_pending = true;
  PlanOptions plan;
  // The executables, and further flags of the bridge's `serve`.
  std::string bridge;
  std::string worker;
  std::vector<std::string> bridge_flags;
  // For the socket, the record of the runs and the logs. Must exist; a short path.
  std::string folder;
};

// A hub, a bad network, a bridge process and two worker processes; calls and faults for the plan's
// length; then everything settles and is measured. An error if the parts do not come up.
absl::StatusOr<Evidence> RunChaos(const ChaosOptions& options);

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_RUN_H_
