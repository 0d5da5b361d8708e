#ifndef ATOMEMO_BRIDGE_ROUTER_WIRE_FORMAT_H_
#define ATOMEMO_BRIDGE_ROUTER_WIRE_FORMAT_H_

// Messages in protobuf's wire format, written without a copy of what is large in them.

#include <memory>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace atomemo::router {

// A text that several hold parts of.
using SharedText = std::shared_ptr<const std::string>;

// A part of `text`, which lives as long as it; what is short is copied.
absl::Cord PartOf(const SharedText& text, absl::string_view part);

// Appends a field that holds a string, bytes or a message.
void AppendField(absl::Cord& message, int field, absl::string_view value);
void AppendField(absl::Cord& message, int field, absl::Cord value);

// The JsonObject with this text.
absl::Cord JsonObjectMessage(absl::Cord json);

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_WIRE_FORMAT_H_
