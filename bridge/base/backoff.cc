#include "bridge/base/backoff.h"

#include <algorithm>
#include <utility>

namespace atomemo::base {
namespace {

constexpr double kJitter = 0.3;

std::vector<absl::Duration> Milliseconds(std::initializer_list<int> values) {
  std::vector<absl::Duration> delays;
  for (int value : values) delays.push_back(absl::Milliseconds(value));
  return delays;
}

}  // namespace

Backoff::Backoff(std::vector<absl::Duration> delays, double jitter, std::uint64_t seed)
    : delays_(std::move(delays)), jitter_(jitter), random_(seed) {}

Backoff Backoff::Reconnect(std::uint64_t seed) {
  return Backoff(Milliseconds({10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000}), kJitter, seed);
}

Backoff Backoff::Rejoin(std::uint64_t seed) {
  return Backoff(Milliseconds({1000, 2000, 5000, 10000}), kJitter, seed);
}

absl::Duration Backoff::Next() {
  const absl::Duration full = delays_[std::min(attempt_, delays_.size() - 1)];
  ++attempt_;
  return full * std::uniform_real_distribution<double>(1.0 - jitter_, 1.0)(random_);
}

}  // namespace atomemo::base
