#include "tests/integration/chaos/chaos_plan.h"

#include <algorithm>
#include <random>

namespace atomemo::chaos {
namespace {

constexpr absl::Duration kQuietBeginning = absl::Seconds(2);
constexpr absl::Duration kLongestQuietEnd = absl::Seconds(30);
constexpr double kQuietEnd = 0.15;  // of the run
constexpr absl::Duration kLongestAfterJoin = absl::Milliseconds(500);
constexpr int kWorkers = 2;

class Planner {
 public:
  Planner(std::uint64_t seed, absl::Duration length)
      : random_(seed),
        end_(std::max(kQuietBeginning, length - std::min(kLongestQuietEnd, length * kQuietEnd))) {}

  // One fault in each of `count` equal parts of the time, over before the next part begins if the
  // part is long enough.
  void Spread(FaultKind kind, int count, absl::Duration shortest, absl::Duration longest) {
    if (count <= 0) return;
    const absl::Duration part = (end_ - kQuietBeginning) / count;
    for (int i = 0; i < count; ++i) {
      const absl::Duration lasting = std::min(Between(shortest, longest), part / 2);
      const absl::Duration begin = kQuietBeginning + part * i;
      Fault& fault = faults_.emplace_back();
      fault.at = begin + Between(absl::ZeroDuration(), part - lasting);
      fault.kind = kind;
      fault.lasting = lasting;
      fault.after_join = Between(absl::ZeroDuration(), kLongestAfterJoin);
      fault.worker = static_cast<int>(random_() % kWorkers);
    }
  }

  std::vector<Fault> Take() {
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const Fault& a, const Fault& b) { return a.at < b.at; });
    return std::move(faults_);
  }

 private:
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    constexpr std::uint64_t kSteps = 10'000;
    return low + (high - low) * (static_cast<double>(random_() % kSteps) / kSteps);
  }

  std::mt19937_64 random_;
  const absl::Duration end_;
  std::vector<Fault> faults_;
};

}  // namespace

absl::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kHubKill:
      return "hub kills";
    case FaultKind::kCut:
      return "cuts";
    case FaultKind::kReset:
      return "resets";
    case FaultKind::kStall:
      return "stalls";
    case FaultKind::kDelay:
      return "delays";
    case FaultKind::kWorkerKill:
      return "worker kills";
    case FaultKind::kBridgeKill:
      return "bridge kills";
    case FaultKind::kChannelCrash:
      return "channel crashes";
    case FaultKind::kChannelClose:
      return "channel closes";
  }
  return "";
}

std::vector<Fault> MakePlan(std::uint64_t seed, const PlanOptions& options) {
  constexpr auto kNoTime = absl::ZeroDuration();
  Planner planner(seed, options.length);
  planner.Spread(FaultKind::kHubKill, options.hub_kills, absl::Milliseconds(200), absl::Seconds(2));
  planner.Spread(FaultKind::kCut, options.cuts, kNoTime, kNoTime);
  planner.Spread(FaultKind::kReset, options.resets, kNoTime, kNoTime);
  planner.Spread(FaultKind::kStall, options.stalls, options.stall, options.stall);
  planner.Spread(FaultKind::kDelay, options.delays, absl::Seconds(1), absl::Seconds(3));
  planner.Spread(FaultKind::kWorkerKill, options.worker_kills, absl::Milliseconds(50),
                 absl::Milliseconds(500));
  planner.Spread(FaultKind::kBridgeKill, options.bridge_kills, absl::Milliseconds(100),
                 absl::Seconds(1));
  planner.Spread(FaultKind::kChannelCrash, options.channel_faults - options.channel_faults / 2,
                 kNoTime, kNoTime);
  planner.Spread(FaultKind::kChannelClose, options.channel_faults / 2, kNoTime, kNoTime);
  return planner.Take();
}

}  // namespace atomemo::chaos
