#ifndef ATOMEMO_BRIDGE_DEFINITION_JS_REGEX_H_
#define ATOMEMO_BRIDGE_DEFINITION_JS_REGEX_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::definition {

// Whether `new RegExp(pattern)` would accept `pattern` in JavaScript (ECMA-262 2025 with the web's
// extensions, no flags): why not, as the end of a sentence, or nothing. It does not run anything.
std::optional<std::string> CheckJsRegex(absl::string_view pattern);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_JS_REGEX_H_
