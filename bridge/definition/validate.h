#ifndef ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_
#define ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "bridge/base/json.h"

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

// A member's name, or an element's index.
using PathSegment = std::variant<std::string, std::size_t>;
using Path = std::vector<PathSegment>;

// `tools[0].parameters[2].ui.component`; members that are not identifiers are quoted:
// `display_name["x y"]`.
std::string FormatPath(const Path& path);

// One thing that is wrong (or looks wrong), said so that it can be understood alone: what is
// expected, what was found.
struct Violation {
  Path path;
  std::string message;
};

struct Report {
  std::vector<Violation> errors;
  std::vector<Violation> warnings;
  // What goes to the hub: the input without unknown members, normalised as the official schema
  // does. Only if ok().
  base::Json value;

  bool ok() const { return errors.empty(); }
};

// Judges `value` exactly as the official schema does, and reports every violation. Pure; never
// throws.
Report Validate(Schema schema, const base::Json& value);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_VALIDATE_H_
