#ifndef ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_
#define ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// What a JSON value is judged as.
enum class Schema {
  kDefinition,  // a plugin's texts with its `credentials`, `tools` and `models`: what the hub gets
  kPlugin,      // a plugin's own texts
  kCredential,
  kTool,
  kModel,
  kProperty,
  kI18n,
  kFileRef,
  kResourceLocator,
  kResourceMapper,
  kName,
  kStrictName,
};

// "definition", "plugin", "credential", ...: the names that `atomemo-bridge check --as` takes.
std::optional<Schema> SchemaFromName(absl::string_view name);
absl::string_view NameOf(Schema schema);

// Definitions may nest deeper than what calls carry. The checks recurse: this depth fits a 6 MiB
// stack even with AddressSanitizer's large frames.
inline constexpr int kMaxDefinitionDepth = 500;
// The hub closes the connection on larger frames.
inline constexpr std::size_t kMaxDefinitionBytes = 8'000'000;

// The text of a definition or a part of one as JSON; see base::ParseJson. INVALID_ARGUMENT also
// when it is larger than kMaxDefinitionBytes or deeper than kMaxDefinitionDepth.
absl::StatusOr<base::Json> ParseDefinition(absl::string_view text);

struct Report {
  std::vector<Violation> errors;
  std::vector<Violation> warnings;
  // What goes to the hub: the input without unknown members, normalised as the official schema
  // does. Only if ok().
  base::Json value;

  bool ok() const { return errors.empty(); }
};

// Judges `value` exactly as the official schema does, and reports every violation, up to
// kMaxViolations. What is merely doubtful is a warning: members that are dropped, and, if there are
// no errors, what lint.h finds. Pure; never throws. Moving a large value in saves copying it.
Report Validate(Schema schema, base::Json value);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_
