#ifndef ATOMEMO_BRIDGE_HUB_FRAME_RESCUE_H_
#define ATOMEMO_BRIDGE_HUB_FRAME_RESCUE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bridge/hub/phoenix_frame.h"

namespace atomemo::hub {

// What can be told of a text that is no frame because of `damage`, so that a call in it is answered
// and a reply in it ends the wait for it: the first four elements of the array, and the payload's
// top-level `request_id` and `status`, if these are strings. Nothing if topic or event cannot be
// read, or nobody is concerned.
//
// Looks at nothing but quotes and brackets, so whatever else is wrong does not matter. Takes linear
// time and no recursion.
std::optional<PhoenixFrame> RescueFrame(absl::string_view text, const absl::Status& damage);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_FRAME_RESCUE_H_
