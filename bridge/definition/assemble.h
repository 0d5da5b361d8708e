#ifndef ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_
#define ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_

#include <vector>

#include "bridge/base/json.h"
#include "bridge/definition/validate.h"

namespace atomemo::definition {

// A definition in the making: what a plugin said of itself, and what it registered since.
struct Parts {
  // The plugin's texts; may have `credentials`, `tools` and `models` of its own, which come first.
  base::Json plugin;
  std::vector<base::Json> credentials;
  std::vector<base::Json> tools;
  std::vector<base::Json> models;
};

// The whole definition as the hub gets it, judged: all three lists are there, in the order of
// registration, and `lang` is "typescript" unless the plugin says otherwise (the hub knows no
// language of the bridge's plugins).
Report Assemble(Parts parts);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_
