#ifndef ATOMEMO_BRIDGE_BASE_JSON_H_
#define ATOMEMO_BRIDGE_BASE_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json_reader.h"
#include "nlohmann/json.hpp"

namespace atomemo::base {

// Member order is kept, so that a definition reaches the hub as its author wrote it.
using Json = nlohmann::ordered_json;

// Builds untrusted text, in linear time. Of members with the same name the last wins; an escaped
// surrogate without its other half, which UTF-8 cannot say, becomes U+FFFD; integers beyond 64 bits
// become the nearest double. INVALID_ARGUMENT with position and reason (see json_error.h) when the
// text is not one JSON value, is not UTF-8, has a number beyond the range of double, or is nested
// deeper than `max_depth`, which is at most JsonReader::kMaxDepth. Never throws. The message
// contains nothing of the text.
absl::StatusOr<Json> ParseJson(absl::string_view text, int max_depth = kMaxJsonDepth);

// Checks that `text` is one JSON value (UTF-8, at most `max_depth` deep) without building it, and
// returns it as it may be passed on: byte for byte, except that escaped surrogates without their
// other half, at which other parsers stumble, have become \ufffd.
absl::StatusOr<std::string> CheckJson(absl::string_view text, int max_depth = kMaxJsonDepth);

// The same, and the value is an object.
absl::StatusOr<std::string> CheckJsonObject(absl::string_view text, int max_depth = kMaxJsonDepth);

// The double that is nearest to `number`, the text of a JSON number. OUT_OF_RANGE if there is none:
// 1e400 is beyond all of them. (What is too small for any is zero.)
absl::StatusOr<double> NearestDouble(absl::string_view number);

// `json` with its members and elements on lines of their own, `step` spaces further in for every
// level. Numbers keep their digits; escapes that need not be are gone. Text that is not JSON is
// returned as it is.
std::string IndentJson(absl::string_view json, int step);

// Compact text; invalid UTF-8 inside strings is replaced. Never throws.
std::string DumpJson(const Json& value);

// `text` as a JSON string literal, with its quotes; invalid UTF-8 is replaced.
std::string QuoteJson(absl::string_view text);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_H_
