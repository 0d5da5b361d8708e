#ifndef ATOMEMO_BRIDGE_DEFINITION_LINT_H_
#define ATOMEMO_BRIDGE_DEFINITION_LINT_H_

#include <vector>

#include "bridge/base/json.h"
#include "bridge/definition/validate.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// Warns of what the official schema accepts and its author hardly meant: a default that the
// parameter's own limits exclude, limits that exclude everything, names that name nothing, regular
// expressions that do not compile. `value` must be valid.
void Lint(Schema schema, const base::Json& value, ViolationSink& sink);

// What a plugin's own texts, which are valid, lack although other SDKs see to it: author, e-mail
// address and version.
std::vector<Violation> LintOwnTexts(const base::Json& plugin);

// The same, and what else only one of the official SDKs has although it is common here: for those
// who move a definition. `value` must be valid.
std::vector<Violation> LintForOtherSdks(Schema schema, const base::Json& value);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_LINT_H_
