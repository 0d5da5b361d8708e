#ifndef ATOMEMO_TESTS_BRIDGE_DEFINITION_DEFINITION_SAMPLES_H_
#define ATOMEMO_TESTS_BRIDGE_DEFINITION_DEFINITION_SAMPLES_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/definition/validate.h"

// Small valid definitions to break, and short ways to judge them.
namespace atomemo::definition {

inline base::Json J(absl::string_view text) {
  return base::ParseJson(text, kMaxDefinitionDepth).value();
}

inline base::Json Texts(const std::string& name) {
  base::Json texts =
      J(R"({"display_name": {"en_US": "x"}, "description": {"en_US": "x"}, "icon": "x"})");
  texts["name"] = name;
  return texts;
}

inline base::Json ToolWith(base::Json parameters) {
  base::Json tool = Texts("my-tool");
  tool["parameters"] = std::move(parameters);
  return tool;
}

inline base::Json CredentialWith(base::Json parameters) {
  base::Json credential = Texts("my-credential");
  credential["parameters"] = std::move(parameters);
  return credential;
}

inline base::Json DefinitionWith(base::Json credentials, base::Json tools) {
  base::Json definition = Texts("my-plugin");
  definition["locales"] = {"en_US"};
  definition["lang"] = "typescript";
  definition["credentials"] = std::move(credentials);
  definition["tools"] = std::move(tools);
  return definition;
}

// "path: message", one a line.
inline std::string Lines(const std::vector<Violation>& violations) {
  std::string lines;
  for (const Violation& violation : violations) {
    absl::StrAppend(&lines, FormatPath(violation.path), ": ", violation.message, "\n");
  }
  return lines;
}

inline std::string ErrorsOf(Schema schema, base::Json value) {
  return Lines(Validate(schema, std::move(value)).errors);
}
inline std::string WarningsOf(Schema schema, base::Json value) {
  const Report report = Validate(schema, std::move(value));
  return report.ok() ? Lines(report.warnings) : absl::StrCat("NOT VALID: ", Lines(report.errors));
}

}  // namespace atomemo::definition

#endif  // ATOMEMO_TESTS_BRIDGE_DEFINITION_DEFINITION_SAMPLES_H_
