#include "bridge/definition/assemble.h"

#include <string>
#include <utility>

namespace atomemo::definition {
namespace {

using base::Json;

void Append(Json& definition, const char* name, std::vector<Json> parts) {
  if (!definition.contains(name)) definition[name] = Json::array();
  Json& list = definition[name];
  if (!list.is_array()) return;  // for the validator to tell
  for (Json& part : parts) list.push_back(std::move(part));
}

}  // namespace

Report Assemble(Parts parts) {
  Json definition = std::move(parts.plugin);
  if (definition.is_object()) {
    if (!definition.contains("lang")) definition["lang"] = "typescript";
    Append(definition, "credentials", std::move(parts.credentials));
    Append(definition, "models", std::move(parts.models));
    Append(definition, "tools", std::move(parts.tools));
  }
  return Validate(Schema::kDefinition, std::move(definition));
}

}  // namespace atomemo::definition
