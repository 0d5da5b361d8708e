#ifndef ATOMEMO_BRIDGE_DEFINITION_JSON_SCHEMA_H_
#define ATOMEMO_BRIDGE_DEFINITION_JSON_SCHEMA_H_

#include "bridge/base/json.h"
#include "bridge/definition/validate.h"

namespace atomemo::definition {

// The rules as a JSON Schema (draft 2020-12), for editors. It accepts all that Validate accepts,
// and refuses what JSON Schema can refuse; rules across members (names that must differ, what
// OAuth2 needs, a union's discriminators) and those for addresses are beyond it. `strict`: it also
// refuses the members that Validate drops.
base::Json MakeJsonSchema(Schema schema, bool strict);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_JSON_SCHEMA_H_
