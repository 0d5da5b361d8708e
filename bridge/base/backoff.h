#ifndef ATOMEMO_BRIDGE_BASE_BACKOFF_H_
#define ATOMEMO_BRIDGE_BASE_BACKOFF_H_

#include <cstddef>
#include <random>
#include <vector>

#include "absl/time/time.h"

namespace atomemo::base {

// A table of growing delays with jitter: the n-th delay is drawn uniformly from [1 - jitter, 1]
// times the n-th entry, and the last entry repeats. Not thread-safe.
class Backoff {
 public:
  // `delays` must not be empty; `jitter` is in [0, 1].
  Backoff(std::vector<absl::Duration> delays, double jitter, std::uint64_t seed);

  // The tables of the reference client (phoenix.js), for a lost socket and for a lost channel.
  static Backoff Reconnect(std::uint64_t seed);
  static Backoff Rejoin(std::uint64_t seed);

  absl::Duration Next();
  void Reset() { attempt_ = 0; }
  // How many delays were handed out since the start or the last Reset.
  std::size_t attempt() const { return attempt_; }

 private:
  std::vector<absl::Duration> delays_;
  double jitter_;
  std::mt19937_64 random_;
  std::size_t attempt_ = 0;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_BACKOFF_H_
