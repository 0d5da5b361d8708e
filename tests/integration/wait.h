#ifndef ATOMEMO_TESTS_INTEGRATION_WAIT_H_
#define ATOMEMO_TESTS_INTEGRATION_WAIT_H_

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace atomemo::integration {

// Far beyond what anything here takes, even on a loaded machine.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// For what other processes or threads do and nobody announces: asks `condition` again and again
// until it holds. False if it does not within `limit`.
inline bool WaitUntil(const std::function<bool()>& condition, absl::Duration limit = kPatience) {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_WAIT_H_
