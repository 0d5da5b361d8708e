#ifndef ATOMEMO_BRIDGE_DEFINITION_PARAMETER_LINT_H_
#define ATOMEMO_BRIDGE_DEFINITION_PARAMETER_LINT_H_

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// The names that parameters may refer to. Null: not known, so nothing is said about them.
struct KnownNames {
  using Names = absl::flat_hash_set<absl::string_view>;

  const Names* credentials = nullptr;
  const Names* locator_methods = nullptr;
  const Names* mapping_methods = nullptr;
};

// Warns of what looks wrong in a list of valid parameters, at any depth. `sink` stands at the list.
void LintParameters(const base::Json& parameters, const KnownNames& known, ViolationSink& sink);

// The same of a parameter alone, of which nobody knows the siblings.
void LintParameter(const base::Json& parameter, ViolationSink& sink);

// Warns of a member, if it is there, that only one of the official SDKs knows.
void WarnOfDialect(const base::Json& object, const char* member, ViolationSink& sink);

// Warns, where `sink` stands, if `default` is beyond `minimum` or `maximum` of `object`, or these
// contradict each other.
void LintRange(const base::Json& object, ViolationSink& sink);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_PARAMETER_LINT_H_
