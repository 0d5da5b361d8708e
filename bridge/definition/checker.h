#ifndef ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_
#define ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_

#include "bridge/base/json.h"
#include "bridge/definition/rule.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// Reports everything in `value` that breaks `rule`, and drops from it, with a warning, the members
// that no rule knows. Recursive: `value` must not be deeper than kMaxDefinitionDepth.
void ApplyRule(const Rule& rule, base::Json& value, ViolationSink& sink);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_CHECKER_H_
