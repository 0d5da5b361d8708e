#ifndef ATOMEMO_BRIDGE_DEFINITION_FACTS_H_
#define ATOMEMO_BRIDGE_DEFINITION_FACTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "bridge/base/json.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

struct ToolFacts {
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
  // By name.
  absl::flat_hash_map<std::string, ToolFacts> tools;
  absl::flat_hash_set<std::string> credentials;
};

// `tool` must be valid (Schema::kTool).
ToolFacts ExtractToolFacts(const base::Json& tool);

// A name that a tool mentions, and where.
struct Mention {
  Path path;
  std::string name;
};

// The credentials that a valid tool's list and its parameters name, each where it comes first; at
// most kMaxViolations.
std::vector<Mention> FindMentionedCredentials(const base::Json& tool);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_FACTS_H_
