#ifndef ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_
#define ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::hub {

// One message of the Phoenix V2 serialisation: [join_ref, ref, topic, event, payload].
struct PhoenixFrame {
  std::optional<std::string> join_ref;
  std::optional<std::string> ref;
  std::string topic;
  std::string event;
  // The text of one JSON value, exactly as it stood in the frame: numbers keep their digits.
  std::string payload;
};

// Parses untrusted text. INVALID_ARGUMENT unless it is valid JSON (UTF-8, at most
// base::kMaxJsonDepth levels) and an array of five elements of the right types.
absl::StatusOr<PhoenixFrame> ParsePhoenixFrame(absl::string_view text);

// The inverse. `payload` must be valid JSON.
std::string EncodePhoenixFrame(const PhoenixFrame& frame);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PHOENIX_FRAME_H_
