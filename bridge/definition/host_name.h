#ifndef ATOMEMO_BRIDGE_DEFINITION_HOST_NAME_H_
#define ATOMEMO_BRIDGE_DEFINITION_HOST_NAME_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::definition {

// The form of a host name that the DNS knows ("bücher.de" is "xn--bcher-kva.de"), as RFC 3490
// makes it, with unassigned code points allowed. ASCII is returned as it is, whatever it is.
// Nothing if a label cannot be said so.
std::optional<std::string> ToAsciiHostName(absl::string_view host);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_HOST_NAME_H_
