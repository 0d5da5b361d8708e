#ifndef ATOMEMO_BRIDGE_BASE_JSON_H_
#define ATOMEMO_BRIDGE_BASE_JSON_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace atomemo::base {

// Member order is kept, so that a definition reaches the hub as its author wrote it.
using Json = nlohmann::ordered_json;

// Deeper JSON is refused wherever it comes from: recursive readers must not be overflowed by input.
inline constexpr int kMaxJsonDepth = 100;

// Parses untrusted text in linear time. Of members with the same name the last wins; an escaped
// surrogate without its other half, which UTF-8 cannot say, becomes U+FFFD. INVALID_ARGUMENT with
// position and reason when the text is not one JSON value, is not UTF-8, has a number beyond the
// range of double, or is nested deeper than `max_depth`. Never throws. The message contains nothing
// of the text but the position and a character.
absl::StatusOr<Json> ParseJson(absl::string_view text, int max_depth = kMaxJsonDepth);

// Where in the text ParseJson gave up, in bytes, if `status` is its error and tells.
std::optional<std::size_t> JsonErrorOffset(const absl::Status& status);

// Checks that `text` is one JSON value (UTF-8, at most kMaxJsonDepth deep) without building it.
// Fast: for what is spliced into frames.
absl::Status ValidateJson(absl::string_view text);

// The same, and the value is an object.
absl::Status ValidateJsonObject(absl::string_view text);

// Compact text; invalid UTF-8 inside strings is replaced. Never throws.
std::string DumpJson(const Json& value);

// `text` as a JSON string literal, with its quotes; invalid UTF-8 is replaced.
std::string QuoteJson(absl::string_view text);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_H_
