#include "bridge/definition/facts.h"

#include <algorithm>

#include "bridge/definition/parameters.h"

namespace atomemo::definition {
namespace {

using base::Json;

constexpr absl::Duration kLongestTimeout = absl::Minutes(30);

void CollectMethods(const Json& parameter, ViolationSink& sink, ToolFacts& facts) {
  const std::string type = StringMember(parameter, "type");
  if (type == "resource_mapper") {
    facts.mapping_methods.insert(StringMember(parameter, "mapping_method"));
  } else if (type == "resource_locator") {
    for (const Json& mode : parameter["modes"]) {
      if (FindMember(mode, "search_list_method") != nullptr) {
        facts.locator_methods.insert(StringMember(mode, "search_list_method"));
      }
    }
  }
  ForEachChild(parameter, sink, [&](const Json& child) { CollectMethods(child, sink, facts); });
}

std::vector<std::string> NamesIn(const Json& definition, const char* list) {
  std::vector<std::string> names;
  if (const Json* parts = FindMember(definition, list)) {
    for (const Json& part : *parts) names.push_back(StringMember(part, "name"));
  }
  return names;
}

}  // namespace

ToolFacts ExtractToolFacts(const Json& tool) {
  ToolFacts facts;
  facts.name = StringMember(tool, "name");
  if (const Json* timeout = FindMember(tool, "timeout")) {
    facts.timeout = std::min(absl::Milliseconds(timeout->get<double>()), kLongestTimeout);
  }
  ViolationSink unused;
  for (const Json& parameter : tool["parameters"]) CollectMethods(parameter, unused, facts);
  return facts;
}

DefinitionFacts ExtractFacts(const Json& definition) {
  DefinitionFacts facts;
  facts.name = StringMember(definition, "name");
  facts.version = StringMember(definition, "version");
  facts.credentials = NamesIn(definition, "credentials");
  facts.models = NamesIn(definition, "models");
  if (const Json* tools = FindMember(definition, "tools")) {
    for (const Json& tool : *tools) facts.tools.push_back(ExtractToolFacts(tool));
  }
  return facts;
}

}  // namespace atomemo::definition
