#ifndef ATOMEMO_BRIDGE_DEFINITION_RULE_BOOK_H_
#define ATOMEMO_BRIDGE_DEFINITION_RULE_BOOK_H_

#include "bridge/definition/rule.h"
#include "bridge/definition/validate.h"

namespace atomemo::definition {

// The rules of the official schema 0.6.7, with the plugin documentation's own members. They live as
// long as the process.
const Rule& RuleFor(Schema schema);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_RULE_BOOK_H_
