#ifndef ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_
#define ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_

#include <cstddef>

#include "bridge/base/json.h"
#include "bridge/definition/rule.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// Longer lists are refused: a bound on what a hostile definition costs.
inline constexpr std::size_t kMaxListLength = 10'000;

// Reports everything in `value` that breaks `rule`, and drops from it, with a warning, the members
// that no rule knows. Recursive: `value` must not be deeper than kMaxDefinitionDepth.
void ApplyRule(const Rule& rule, base::Json& value, ViolationSink& sink);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_
