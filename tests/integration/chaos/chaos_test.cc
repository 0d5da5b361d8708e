// A short run of the chaos bench. The long one is the program `chaos` (see tests/README.md).

#include <gtest/gtest.h>

#include <string>

#include "bridge/base/log.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/chaos/chaos_run.h"
#include "tests/integration/chaos/verdict.h"

namespace atomemo::chaos {
namespace {

TEST(ChaosTest, EveryCallIsAnsweredOnceAndRunOnceThroughEveryFault) {
  base::InitLog(base::LogLevel::kError, base::LogFormat::kText);
  fakes::TemporaryFolder folder;
  ChaosOptions options;
  options.calls_per_second = 200;
  options.timeout = absl::Seconds(15);
  // Few enough that the bridge's backoff does not take up the time.
  options.plan.length = absl::Seconds(22);
  options.plan.hub_kills = 2;
  options.plan.cuts = 2;
  options.plan.resets = 1;
  options.plan.worker_kills = 3;
  options.plan.bridge_kills = 2;
  options.plan.stalls = 1;
  options.plan.stall = absl::Milliseconds(1500);
  options.plan.delays = 1;
  options.plan.channel_faults = 2;
  options.bridge = ATOMEMO_BRIDGE;
  options.worker = ATOMEMO_CHAOS_WORKER;
  options.folder = folder.path();

  const absl::StatusOr<Evidence> evidence = RunChaos(options);
  const Verdict verdict = evidence.ok() ? Judge(*evidence) : Verdict();
  EXPECT_TRUE(evidence.ok()) << evidence.status();
  EXPECT_TRUE(verdict.ok()) << "seed " << options.seed << "\n" << Report(*evidence, verdict);
  if (!HasFailure()) return;
  folder.Keep();
  ADD_FAILURE() << "logs in " << folder.path();
}

}  // namespace
}  // namespace atomemo::chaos
