#include "bridge/base/invariant.h"

#include <gtest/gtest.h>

namespace atomemo::base {
namespace {

TEST(InvariantTest, OneThatHoldsIsTrueAndEvaluatedOnce) {
  int evaluated = 0;
  EXPECT_TRUE(ATOMEMO_INVARIANT(++evaluated == 1));
  EXPECT_EQ(evaluated, 1);
}

#ifdef ATOMEMO_CHECKED
TEST(InvariantDeathTest, ABrokenOneAbortsAndSaysWhere) {
  const bool holds = false;
  EXPECT_DEATH((void)ATOMEMO_INVARIANT(holds), "invariant broken.*condition=holds.*invariant_test");
}
#else
TEST(InvariantTest, ABrokenOneIsFalse) {
  const bool holds = false;
  EXPECT_FALSE(ATOMEMO_INVARIANT(holds));
}
#endif

}  // namespace
}  // namespace atomemo::base
