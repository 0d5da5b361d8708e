#ifndef ATOMEMO_BRIDGE_DEFINITION_MESSAGES_H_
#define ATOMEMO_BRIDGE_DEFINITION_MESSAGES_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "bridge/base/json.h"

// How values are shown in messages: as JSON, and never at length, since a message may be repeated
// for a thousand violations.
namespace atomemo::definition {

inline constexpr std::size_t kMaxExcerpt = 60;

// At most the first `longest` bytes, cut between two characters.
absl::string_view CutText(absl::string_view text, std::size_t longest);

// The beginning of a text, in quotes.
std::string Excerpt(absl::string_view text);

// `the string "abc"`, `the number 5`, `a list`.
std::string Describe(const base::Json& value);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_MESSAGES_H_
