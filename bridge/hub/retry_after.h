#ifndef ATOMEMO_BRIDGE_HUB_RETRY_AFTER_H_
#define ATOMEMO_BRIDGE_HUB_RETRY_AFTER_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::hub {

// How long a Retry-After header asks to wait: seconds, or until a date (RFC 9110, 10.2.3). At most
// five minutes, since nobody is won by a bridge that stays away for a day. Nothing if it says
// neither.
std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_RETRY_AFTER_H_
