#ifndef ATOMEMO_BRIDGE_DEFINITION_FACTS_H_
#define ATOMEMO_BRIDGE_DEFINITION_FACTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "bridge/base/json.h"

namespace atomemo::definition {

struct ToolFacts {
  std::string name;
  // The tool's own; at most 30 minutes.
  std::optional<absl::Duration> timeout;
  // The methods that its parameters name, at any depth.
  absl::flat_hash_set<std::string> locator_methods;
  absl::flat_hash_set<std::string> mapping_methods;
};

// What routing needs to know of a definition.
struct DefinitionFacts {
  std::string name;
  // Empty if the definition has none.
  std::string version;
  std::vector<ToolFacts> tools;
  std::vector<std::string> credentials;
  std::vector<std::string> models;
};

// `definition` must be valid (Schema::kDefinition, or kPlugin).
DefinitionFacts ExtractFacts(const base::Json& definition);

// The same of one tool (Schema::kTool).
ToolFacts ExtractToolFacts(const base::Json& tool);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_FACTS_H_
