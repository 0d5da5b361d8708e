#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CLOCK_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CLOCK_H_

#include <chrono>

#include "absl/time/time.h"

namespace atomemo::chaos {

// Monotonic, and the same in every process of the machine: what happened in different processes can
// be put in order. The time of base::AsioScheduler too.
inline absl::Time Now() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CLOCK_H_
