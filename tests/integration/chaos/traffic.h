#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_TRAFFIC_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_TRAFFIC_H_

#include <cstddef>
#include <cstdint>
#include <random>

#include "absl/time/time.h"
#include "tests/integration/chaos/call_book.h"

namespace atomemo::chaos {

// The calls of a run, in the order in which they are made: the same for the same seed. Most are
// tools of 0 to 50 ms; some take seconds, fail, run past their deadline or are large, and some are
// no tools at all. For one thread at a time.
class Traffic {
 public:
  // `timeout` is that of every call.
  Traffic(std::uint64_t seed, int calls_per_second, absl::Duration timeout);

  // How many calls are due, the time since the last question considered.
  std::size_t Due(absl::Time now);
  // Nothing is due from now until then.
  void Pause() { last_ = absl::InfiniteFuture(); }

  CallPlan Next();

 private:
  CallPlan ToolCall(int ms, bool fail, std::size_t pad);

  std::mt19937_64 random_;
  const int calls_per_second_;
  const absl::Duration timeout_;
  absl::Time last_ = absl::InfiniteFuture();
  double owed_ = 0;
};

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_TRAFFIC_H_
