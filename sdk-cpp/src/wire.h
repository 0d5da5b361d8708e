#ifndef ATOMEMO_SDK_CPP_SRC_WIRE_H_
#define ATOMEMO_SDK_CPP_SRC_WIRE_H_

// The contract's messages as the SDK's own values, and back. One traits class a call stream.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "sdk-cpp/src/call_data.h"
#include "sdk-cpp/src/call_table.h"

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

// What every traits class has:
//   Call, Reply    the stream's messages
//   kStream        which stream it is
//   Open           starts it
//   PayloadOf      the call in a message, or null if it is a cancel or a rejection
//   Decode         the call without its transport; INVALID_ARGUMENT if its JSON is broken
//   SetAnswer      puts a handler's answer into the reply's result
struct AuthenticateStream {
  using Call = pb::AuthenticateCall;
  using Reply = pb::AuthenticateReply;
  static constexpr StreamKind kStream = StreamKind::kAuthenticate;
  static constexpr auto kOpen = &pb::PluginService::Stub::PrepareAsyncAuthenticate;
  static const pb::Authentication* PayloadOf(const Call& call) {
    return call.has_authenticate() ? &call.authenticate() : nullptr;
  }
  static absl::StatusOr<CallRequest> Decode(const pb::Authentication& payload);
  static void SetAnswer(Answer answer, pb::AuthenticateResult& result);
};

struct OAuth2Stream {
  using Call = pb::AuthorizeOAuth2Call;
  using Reply = pb::AuthorizeOAuth2Reply;
  static constexpr StreamKind kStream = StreamKind::kOAuth2;
  static constexpr auto kOpen = &pb::PluginService::Stub::PrepareAsyncAuthorizeOAuth2;
  static const pb::OAuth2Step* PayloadOf(const Call& call) {
    return call.has_step() ? &call.step() : nullptr;
  }
  static absl::StatusOr<CallRequest> Decode(const pb::OAuth2Step& payload);
  static void SetAnswer(Answer answer, pb::OAuth2Result& result);
};

struct InvokeStream {
  using Call = pb::InvokeCall;
  using Reply = pb::InvokeReply;
  static constexpr StreamKind kStream = StreamKind::kInvoke;
  static constexpr auto kOpen = &pb::PluginService::Stub::PrepareAsyncInvoke;
  static const pb::Invocation* PayloadOf(const Call& call) {
    return call.has_invoke() ? &call.invoke() : nullptr;
  }
  static absl::StatusOr<CallRequest> Decode(const pb::Invocation& payload);
  static void SetAnswer(Answer answer, pb::InvokeResult& result);
};

struct ListResourcesStream {
  using Call = pb::ListResourcesCall;
  using Reply = pb::ListResourcesReply;
  static constexpr StreamKind kStream = StreamKind::kListResources;
  static constexpr auto kOpen = &pb::PluginService::Stub::PrepareAsyncListResources;
  static const pb::ResourceQuery* PayloadOf(const Call& call) {
    return call.has_list() ? &call.list() : nullptr;
  }
  static absl::StatusOr<CallRequest> Decode(const pb::ResourceQuery& payload);
  static void SetAnswer(Answer answer, pb::ListResourcesResult& result);
};

struct MapResourceStream {
  using Call = pb::MapResourceCall;
  using Reply = pb::MapResourceReply;
  static constexpr StreamKind kStream = StreamKind::kMapResource;
  static constexpr auto kOpen = &pb::PluginService::Stub::PrepareAsyncMapResource;
  static const pb::MappingQuery* PayloadOf(const Call& call) {
    return call.has_map() ? &call.map() : nullptr;
  }
  static absl::StatusOr<CallRequest> Decode(const pb::MappingQuery& payload);
  static void SetAnswer(Answer answer, pb::MapResourceResult& result);
};

// The failure that tells of `error`.
pb::CallFailure FailureOf(const std::string& request_id, const std::string& event,
                          const absl::Status& error);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_WIRE_H_
