#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_PLAN_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::chaos {

enum class FaultKind {
  kHubKill,       // the hub dies, and is back after `lasting`
  kCut,           // the hub's connections end with FIN
  kReset,         // and with RST
  kStall,         // nothing passes for `lasting`
  kDelay,         // everything takes longer for `lasting`
  kWorkerKill,    // a worker dies, and is back after `lasting`
  kBridgeKill,    // the bridge dies, and is back after `lasting`
  kChannelCrash,  // the hub ends the channel with phx_error
  kChannelClose,  // and with phx_close
};
inline constexpr int kFaultKinds = 9;

absl::string_view FaultName(FaultKind kind);

struct Fault {
  absl::Duration at;  // from the beginning of the run
  FaultKind kind = FaultKind::kCut;
  absl::Duration lasting;
  // How long hub and bridge must have been connected before: some faults strike in the moment of
  // a rejoin, most a little later.
  absl::Duration after_join;
  // For kWorkerKill: which one.
  int worker = 0;
};

struct PlanOptions {
  absl::Duration length = absl::Minutes(10);
  int hub_kills = 0;
  int cuts = 0;
  int resets = 0;
  int worker_kills = 0;
  int bridge_kills = 0;
  int stalls = 0;
  absl::Duration stall = absl::Seconds(20);
  int delays = 0;
  // Half of them crashes, the others closes.
  int channel_faults = 0;
};

// The faults of a run in the order of time: the same for the same seed. Those of one kind are
// spread over the run and never overlap each other; none is in the first or last part of the run.
std::vector<Fault> MakePlan(std::uint64_t seed, const PlanOptions& options);

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_PLAN_H_
