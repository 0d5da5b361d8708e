#ifndef ATOMEMO_BRIDGE_CLI_DEFINITION_FLAGS_H_
#define ATOMEMO_BRIDGE_CLI_DEFINITION_FLAGS_H_

#include <CLI/CLI.hpp>

namespace atomemo::cli {

// Adds `check` and `schema` to the program. Their exit code goes to `exit_code`, which outlives
// `app`.
void AddDefinitionCommands(CLI::App& app, int& exit_code);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_DEFINITION_FLAGS_H_
