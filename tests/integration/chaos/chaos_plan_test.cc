#include "tests/integration/chaos/chaos_plan.h"

#include <gtest/gtest.h>

namespace atomemo::chaos {
namespace {

PlanOptions SomeFaults() {
  PlanOptions options;
  options.length = absl::Seconds(100);
  options.hub_kills = 5;
  options.cuts = 7;
  options.stalls = 3;
  options.stall = absl::Seconds(10);
  options.channel_faults = 3;
  return options;
}

TEST(ChaosPlanTest, TheSameSeedGivesTheSameFaultsAndAnotherSeedGivesOthers) {
  const auto first = MakePlan(1, SomeFaults());
  const auto again = MakePlan(1, SomeFaults());
  const auto other = MakePlan(2, SomeFaults());
  ASSERT_EQ(first.size(), 18);
  ASSERT_EQ(again.size(), first.size());
  ASSERT_EQ(other.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].at, again[i].at);
    EXPECT_EQ(first[i].kind, again[i].kind);
  }
  EXPECT_NE(first[0].at, other[0].at);
}

TEST(ChaosPlanTest, FaultsOfAKindDoNotOverlapAndTheEndIsQuiet) {
  absl::Duration stalled_until;
  absl::Duration last;
  for (const Fault& fault : MakePlan(3, SomeFaults())) {
    EXPECT_GE(fault.at, last);  // in the order of time
    last = fault.at;
    EXPECT_LE(fault.at + fault.lasting, absl::Seconds(85));
    if (fault.kind != FaultKind::kStall) continue;
    EXPECT_EQ(fault.lasting, absl::Seconds(10));
    EXPECT_GE(fault.at, stalled_until);
    stalled_until = fault.at + fault.lasting;
  }
}

}  // namespace
}  // namespace atomemo::chaos
