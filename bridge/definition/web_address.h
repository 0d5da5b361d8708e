#ifndef ATOMEMO_BRIDGE_DEFINITION_WEB_ADDRESS_H_
#define ATOMEMO_BRIDGE_DEFINITION_WEB_ADDRESS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::definition {

// `text` (UTF-8) without what JavaScript's trim() takes away.
absl::string_view TrimWhitespace(absl::string_view text);

// The official schema's rule for addresses: http or https, as browsers read it, on a host with a
// public domain name. Says what is wrong, as the end of a sentence, or nothing.
std::optional<std::string> CheckWebAddress(absl::string_view text);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_WEB_ADDRESS_H_
