#ifndef ATOMEMO_TESTS_FUZZ_ROUTER_LIFE_H_
#define ATOMEMO_TESTS_FUZZ_ROUTER_LIFE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace atomemo::fuzz {

// What became of a router.
struct RouterLife {
  // What must not be, and was; empty if nothing.
  std::string fault;
  std::size_t steps = 0;
  std::size_t calls = 0;
  std::size_t bridges = 0;
  // What happened, a line a step.
  std::vector<std::string> story;
};

// Lets a router live between a hub and plugin workers whatever the bytes tell: calls and repeats,
// workers that come, answer, err and go, lost topics, proofs, timers, definitions that change, a
// bridge that drains or is killed between any two of its deeds and starts again from its journal.
// In the end hub and workers are well. What must hold all the time, and then:
//
// - The hub takes one answer to each call, and the same one again. No answer comes to what was
//   never called, and none is forgotten that the hub does not have.
// - A call runs once; again, in another stream, only if that is safe.
// - What a worker has answered in time is the answer.
// - Every call ends by its deadline, and in the end every call has its answer and nothing is left.
// - RouterAudit finds nothing.
RouterLife LiveRouter(absl::string_view bytes);

}  // namespace atomemo::fuzz

#endif  // ATOMEMO_TESTS_FUZZ_ROUTER_LIFE_H_
