#ifndef ATOMEMO_BRIDGE_PAYLOAD_PAYLOAD_H_
#define ATOMEMO_BRIDGE_PAYLOAD_PAYLOAD_H_

#include <google/protobuf/message.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/payload.pb.h"
#include "bridge/base/json_reader.h"

namespace atomemo::payload {

namespace pb = ::atomemo::plugin::v1;

// How many protobuf messages a Struct or Value may nest. Protobuf's own readers refuse 100, and the
// messages around it need some. One level of JSON costs three for an object, two for an array.
inline constexpr int kMaxStructDepth = 90;

// The JSON text of a payload of either encoding, at most `max_depth` levels deep. The `json`
// encoding is checked and returned as base::CheckJson does: numbers of any length keep their
// digits. In the other, integers up to 2^53 are printed as integers.
//
// INVALID_ARGUMENT for what is no JSON, such as NaN; the message tells where and what, and contains
// none of the values.
absl::StatusOr<std::string> JsonTextOf(const pb::JsonObject& object,
                                       int max_depth = base::kMaxJsonDepth);
absl::StatusOr<std::string> JsonTextOf(const pb::JsonValue& value,
                                       int max_depth = base::kMaxJsonDepth);
// Takes a text out of the value rather than copy it.
absl::StatusOr<std::string> JsonTextOf(pb::JsonValue&& value);

// The message of such an error with a few characters of the payload around the place. For those
// whose payload it is; never for a log.
std::string MessageWithExcerpt(const absl::Status& error);

// Turns every JsonObject and JsonValue inside `message`, at any depth, from the `json` encoding
// into the one that a session asked for; what is in that one already stays as it is.
// Numbers become the nearest doubles. INVALID_ARGUMENT if a text is not valid JSON, or a Struct
// cannot take it because it nests too deep or has a number that no double comes near (1e400):
// `message` is then half converted and must be dropped.
absl::Status ConvertEncoding(pb::PayloadEncoding encoding, google::protobuf::Message& message);

// The text of one JSON object or value as a payload, in the `json` encoding.
inline pb::JsonObject JsonObjectOf(std::string text) {
  pb::JsonObject object;
  object.set_json(std::move(text));
  return object;
}
inline pb::JsonValue JsonValueOf(std::string text) {
  pb::JsonValue value;
  value.set_json(std::move(text));
  return value;
}

}  // namespace atomemo::payload

#endif  // ATOMEMO_BRIDGE_PAYLOAD_PAYLOAD_H_
