#ifndef ATOMEMO_BRIDGE_DEFINITION_SOURCE_POSITIONS_H_
#define ATOMEMO_BRIDGE_DEFINITION_SOURCE_POSITIONS_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// A place in a text, as editors count: both from 1, columns in characters.
struct SourcePosition {
  std::size_t line = 1;
  std::size_t column = 1;
};

// Where the members and elements at `paths` start in `text`, a member at its name; what is not
// there (a missing member) is where the innermost thing around it starts. One pass over `text`,
// which must be valid JSON.
std::vector<SourcePosition> FindPositions(absl::string_view text, const std::vector<Path>& paths);

// The position of a byte.
SourcePosition PositionOf(absl::string_view text, std::size_t offset);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_SOURCE_POSITIONS_H_
