#ifndef ATOMEMO_BRIDGE_DEVHUB_JSON_MEMBERS_H_
#define ATOMEMO_BRIDGE_DEVHUB_JSON_MEMBERS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::devhub {

// Looks into the text of a JSON object without building it; of members with the same name the last
// counts. Anything but an object has no members.

// The string member `name`; nothing when it is missing or not a string.
std::optional<std::string> StringMember(absl::string_view text, absl::string_view name);

// The exact text of the object that is the member `name`; nothing otherwise.
std::optional<std::string> ObjectMember(absl::string_view text, absl::string_view name);

// `object` (the text of an object without such a member) with `"request_id"` put first.
std::string WithRequestId(absl::string_view object, absl::string_view request_id);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_JSON_MEMBERS_H_
