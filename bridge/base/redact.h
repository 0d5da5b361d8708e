#ifndef ATOMEMO_BRIDGE_BASE_REDACT_H_
#define ATOMEMO_BRIDGE_BASE_REDACT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::base {

// `url` without what may be secret: user info, query and fragment. "ws://u:p@h/a?api_key=k" becomes
// "ws://h/a".
std::string RedactUrl(absl::string_view url);

// `text` with every URL in it passed through RedactUrl: for messages that come from libraries,
// plugins and the hub.
std::string RedactText(absl::string_view text);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_REDACT_H_
