#include "bridge/cli/schema_command.h"

#include "bridge/definition/json_schema.h"

namespace atomemo::cli {

int RunSchema(const SchemaOptions& options, std::ostream& out) {
  constexpr int kIndent = 2;
  out << MakeJsonSchema(options.schema, options.strict).dump(kIndent) << "\n";
  return out.flush() ? 0 : 2;
}

}  // namespace atomemo::cli
