#ifndef ATOMEMO_BRIDGE_CLI_SCHEMA_COMMAND_H_
#define ATOMEMO_BRIDGE_CLI_SCHEMA_COMMAND_H_

#include <ostream>

#include "bridge/definition/validate.h"

namespace atomemo::cli {

// `atomemo-bridge schema`.
struct SchemaOptions {
  // What the schema describes (--as).
  definition::Schema schema = definition::Schema::kDefinition;
  // Refuse members that are dropped otherwise, so that editors mark misspelt ones (--strict).
  bool strict = false;
};

// Prints a JSON Schema (draft 2020-12) of definitions to `out`. Returns the exit code: 0, or 2 if
// `out` cannot be written.
int RunSchema(const SchemaOptions& options, std::ostream& out);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_SCHEMA_COMMAND_H_
