#ifndef ATOMEMO_BRIDGE_DEFINITION_PARAMETER_RULES_H_
#define ATOMEMO_BRIDGE_DEFINITION_PARAMETER_RULES_H_

#include "bridge/definition/rule_builder.h"

namespace atomemo::definition {

struct ParameterRules {
  const Rule* name;
  const Rule* parameter;              // a tool's, or a member of an object
  const Rule* parameters;             // a list of them
  const Rule* credential_parameters;  // a list of those that credentials take
};

// What the user stores or picks, as it stands in calls and in defaults.
struct ValueRules {
  const Rule* file_ref;
  const Rule* resource_locator;
  const Rule* resource_mapper;
};

ValueRules MakeValueRules(RuleBuilder& rules);
ParameterRules MakeParameterRules(RuleBuilder& rules, const ValueRules& values);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_PARAMETER_RULES_H_
