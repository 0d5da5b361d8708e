#ifndef ATOMEMO_SDK_CPP_SRC_WIRE_H_
#define ATOMEMO_SDK_CPP_SRC_WIRE_H_

// The contract's messages as the SDK's own values, and back.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "sdk-cpp/src/call_data.h"

namespace atomemo::internal {

namespace pb = ::atomemo::plugin::v1;

// A JSON text in its message; throws when `json` is not valid UTF-8.
void SetJson(const Json& json, std::string* text);

// INVALID_ARGUMENT if the text is no JSON, or no object.
absl::StatusOr<Json> FromProto(const pb::JsonObject& object);
absl::StatusOr<Json> FromProto(const pb::JsonValue& value);
FileRef FromProto(const pb::FileRef& file);
pb::FileRef ToProto(const FileRef& file);
absl::Duration FromProto(const google::protobuf::Duration& duration);
void SetDuration(absl::Duration duration, google::protobuf::Duration* proto);

// One kind of call, as it is in a message and in the one that answers it. A new kind is a row of
// RowOf's table.
struct CallRow {
  pb::BridgeMessage::MessageCase message;
  const pb::CallInfo& (*info)(const pb::BridgeMessage& call);
  // The call without its transport; INVALID_ARGUMENT if its JSON is broken.
  absl::StatusOr<CallRequest> (*decode)(const pb::BridgeMessage& call);
  // Puts a handler's answer into the reply; throws Json::exception if it is not valid UTF-8.
  void (*set_answer)(const pb::CallInfo& info, Answer answer, pb::PluginMessage& reply);
};
// Null if the message is no call.
const CallRow* RowOf(const pb::BridgeMessage& message);

// The failure that tells of `error`.
pb::CallFailure FailureOf(const pb::CallInfo& info, const absl::Status& error);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_WIRE_H_
