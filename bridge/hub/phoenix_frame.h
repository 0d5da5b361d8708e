#ifndef ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_
#define ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bridge/base/json_members.h"
#include "bridge/base/json_reader.h"

namespace atomemo::hub {

// One message of the Phoenix V2 serialisation: [join_ref, ref, topic, event, payload].
struct PhoenixFrame {
  std::optional<std::string> join_ref;
  std::optional<std::string> ref;
  std::string topic;
  std::string event;
  // The text of one JSON value as it stood in the frame: numbers keep their digits, whatever their
  // length. Only an escaped surrogate without its other half has become \ufffd.
  std::string payload;
  // What is wrong with a frame that cannot be read in full. `payload` is then an object of what
  // was found in it nevertheless, `request_id` or `status`: whoever waits must not wait in vain.
  absl::Status damage = absl::OkStatus();
  // Of a payload that is an object, so that it need not be read once more. Empty for one that could
  // not be read in full, or that was changed.
  std::vector<base::JsonMembers::Place> members;
};

// How deep a payload may nest: as deep as JSON may elsewhere, inside an answer's `data`.
inline constexpr int kMaxPayloadDepth = base::kMaxJsonDepth + 1;

// Parses untrusted text: valid JSON (UTF-8, a payload of at most kMaxPayloadDepth levels) and an
// array of five elements of the right types. Anything else is returned with its `damage` if it
// shows a topic, an event and whom it concerns, and is INVALID_ARGUMENT otherwise. No message
// contains any of the text.
absl::StatusOr<PhoenixFrame> ParsePhoenixFrame(absl::string_view text);

// The inverse. The payload must be valid JSON: the frame's own, or `payload`, its parts, instead.
std::string EncodePhoenixFrame(const PhoenixFrame& frame);
std::string EncodePhoenixFrame(const PhoenixFrame& frame,
                               absl::Span<const absl::string_view> payload);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_
