#ifndef ATOMEMO_BRIDGE_CLI_CHECK_COMMAND_H_
#define ATOMEMO_BRIDGE_CLI_CHECK_COMMAND_H_

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "bridge/definition/validate.h"

namespace atomemo::cli {

enum class CheckFormat {
  // `file:line:column: error: path: message`, one a line.
  kText,
  // `{"file":…,"valid":…,"errors":[{"path":[…],"message":…,"line":…,"column":…}],"warnings":[…]}`,
  // one a file.
  kJson,
};

// `atomemo-bridge check FILE...`.
struct CheckOptions {
  // "-" is the input.
  std::vector<std::string> files;
  // What each file, or line, is (--as).
  definition::Schema schema = definition::Schema::kDefinition;
  // Judge each line of the input, one JSON value, instead of files. The verdicts are JSON whatever
  // `format` says, without `file`, `line` and `column`, one a line.
  bool jsonl = false;
  CheckFormat format = CheckFormat::kText;
};

// Judges definitions for their authors. Verdicts go to `out`, and why there are none to `err`.
// Returns the exit code: 0 if all are valid, 1 if one is not (JSON or not), 2 if one cannot be read
// or the options make no sense.
int RunCheck(const CheckOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_CHECK_COMMAND_H_
