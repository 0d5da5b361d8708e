// Whatever happens in whatever order, no call is lost and none runs twice: see router_life.h.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "absl/strings/str_join.h"
#include "tests/fakes/captured_log.h"
#include "tests/fuzz/router_life.h"

namespace atomemo::fuzz {
namespace {

TEST(RouterLifeTest, HoldsItsPromisesWhateverTheOrderOfEvents) {
  const fakes::CapturedLog log;  // of a hundred thousand steps
  std::size_t steps = 0;
  std::size_t calls = 0;
  std::size_t bridges = 0;
  for (std::uint32_t seed = 1; steps < 100'000; ++seed) {
    std::mt19937 chance(seed);
    std::string bytes(200 + chance() % 1'800, '\0');
    for (char& byte : bytes) byte = static_cast<char>(chance());
    const RouterLife life = LiveRouter(bytes);
    steps += life.steps;
    calls += life.calls;
    bridges += life.bridges;
    ASSERT_EQ(life.fault, "") << "seed " << seed << ":\n" << absl::StrJoin(life.story, "\n");
  }
  EXPECT_GT(calls, 1'000);
  EXPECT_GT(bridges, 1'000);
}

}  // namespace
}  // namespace atomemo::fuzz
