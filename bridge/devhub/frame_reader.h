#ifndef ATOMEMO_BRIDGE_DEVHUB_FRAME_READER_H_
#define ATOMEMO_BRIDGE_DEVHUB_FRAME_READER_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/hub/phoenix_frame.h"

namespace atomemo::devhub {

// Reads a client's text as a stock hub does, whose JSON parser is Elixir's Jason: integers of up to
// 1024 characters and any number of levels are good; a float beyond double (1e400), an escaped
// surrogate without its other half, and whatever RFC 8259 forbids are not. Of an array's elements
// those behind the fifth are ignored. INVALID_ARGUMENT says why the hub's socket would end with
// 1011.
//
// On purpose not the bridge's own parser: what one of them takes and the other refuses shows only
// where they differ. `text` must be UTF-8. Takes linear time, and no stack for nested values.
absl::StatusOr<hub::PhoenixFrame> ReadHubFrame(absl::string_view text);

// The largest text whose frame, with the header that a client's frame has, fits into
// `max_frame_bytes`: a stock hub counts the header in, 14 bytes for a large frame.
std::size_t MaxTextBytes(std::size_t max_frame_bytes);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_FRAME_READER_H_
