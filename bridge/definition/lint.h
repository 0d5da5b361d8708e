#ifndef ATOMEMO_BRIDGE_DEFINITION_LINT_H_
#define ATOMEMO_BRIDGE_DEFINITION_LINT_H_

#include "bridge/base/json.h"
#include "bridge/definition/validate.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// Warns of what the official schema accepts and its author hardly meant: a default that the
// parameter's own limits exclude, limits that exclude everything, names that name nothing, regular
// expressions that do not compile. `value` must be valid.
void Lint(Schema schema, const base::Json& value, ViolationSink& sink);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_LINT_H_
