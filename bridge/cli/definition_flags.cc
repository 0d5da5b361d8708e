#include "bridge/cli/definition_flags.h"

#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "bridge/cli/check_command.h"
#include "bridge/cli/schema_command.h"

namespace atomemo::cli {
namespace {

using definition::Schema;

void AddAs(CLI::App& command, Schema& schema, const std::string& help) {
  const auto parse = [&schema](const std::string& name) {
    const std::optional<Schema> parsed = definition::SchemaFromName(name);
    if (!parsed) {
      throw CLI::ValidationError(
          "--as", "\"" + name +
                      "\" is none of definition, plugin, credential, tool, model, property, i18n, "
                      "file_ref, resource_locator, resource_mapper, name, strict_name");
    }
    schema = *parsed;
  };
  command.add_option_function<std::string>("--as", parse, help)
      ->type_name("WHAT")
      ->default_str("definition");
}

}  // namespace

void AddDefinitionCommands(CLI::App& app, int& exit_code) {
  CLI::App* check = app.add_subcommand(
      "check", "Judge definitions as the hub does; exit code 0 valid, 1 invalid, 2 unusable");
  auto check_options = std::make_shared<CheckOptions>();
  check->add_option("FILE", check_options->files, "Definitions in JSON; - reads standard input")
      ->type_name("");
  AddAs(*check, check_options->schema,
        "What a file is: definition, plugin, credential, tool, model, property, i18n, file_ref, "
        "resource_locator, "
        "resource_mapper, name or strict_name");
  check->add_flag("--jsonl", check_options->jsonl,
                  "Judge every line of standard input, one verdict a line");
  check
      ->add_option("--format", check_options->format,
                   "text: file:line:column: error: path: message; json: one object a file")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CheckFormat>{
          {"text", CheckFormat::kText}, {"json", CheckFormat::kJson}}))
      ->default_str("text");
  check->callback([check_options, &exit_code] {
    exit_code = RunCheck(*check_options, std::cin, std::cout, std::cerr);
  });

  CLI::App* schema = app.add_subcommand(
      "schema", "Print a JSON Schema of definitions, with which editors check and complete them");
  auto schema_options = std::make_shared<SchemaOptions>();
  AddAs(*schema, schema_options->schema, "What the schema describes: as for check");
  schema->add_flag("--strict", schema_options->strict, "Refuse unknown members too");
  schema->callback(
      [schema_options, &exit_code] { exit_code = RunSchema(*schema_options, std::cout); });
}

}  // namespace atomemo::cli
