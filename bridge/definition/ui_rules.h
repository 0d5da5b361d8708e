#ifndef ATOMEMO_BRIDGE_DEFINITION_UI_RULES_H_
#define ATOMEMO_BRIDGE_DEFINITION_UI_RULES_H_

#include <map>
#include <vector>

#include "bridge/definition/rule_builder.h"

namespace atomemo::definition {

// How parameters are asked for.
class UiRules {
 public:
  explicit UiRules(RuleBuilder& rules);

  // A `ui` that names one of these components.
  const Rule* With(const std::vector<absl::string_view>& components) const;
  // A `ui` that names none.
  const Rule* WithoutComponent() const { return without_component_; }

 private:
  RuleBuilder& rules_;
  std::map<absl::string_view, const Rule*> by_component_;
  const Rule* without_component_;
};

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_UI_RULES_H_
