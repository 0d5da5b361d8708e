// The bridge's `check --jsonl` and `schema` without the bridge, for the tests that drive them from
// outside. Usage: definition_tool check|files|schema SCHEMA [FILE...]

#include <iostream>
#include <string>

#include "bridge/cli/check_command.h"
#include "bridge/cli/schema_command.h"

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[1] : "";
  const auto schema = atomemo::definition::SchemaFromName(argc > 2 ? argv[2] : "");
  if (!schema.has_value()) {
    std::cerr << "usage: definition_tool check|files|schema SCHEMA [FILE...]\n";
    return 2;
  }
  std::ios::sync_with_stdio(false);
  if (command == "schema") return atomemo::cli::RunSchema({*schema}, std::cout);
  atomemo::cli::CheckOptions options;
  options.schema = *schema;
  options.jsonl = command == "check";
  options.files.assign(argv + 3, argv + argc);
  return RunCheck(options, std::cin, std::cout, std::cerr);
}
