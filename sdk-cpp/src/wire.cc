#include "sdk-cpp/src/wire.h"

#include <google/protobuf/util/json_util.h>

#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

absl::StatusOr<Json> Parse(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("the bridge sent broken JSON");
  return json;
}

// A Struct or a Value: not what the SDK asks for, but allowed.
absl::StatusOr<Json> ParseMessage(const google::protobuf::Message& message) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text).ok()) {
    return absl::InvalidArgumentError("the bridge sent a Struct that is no JSON");
  }
  return Parse(text);
}

template <typename Map>
absl::StatusOr<Json> CredentialsFromProto(const Map& credentials) {
  Json json = Json::object();
  for (const auto& [id, fields] : credentials) {
    absl::StatusOr<Json> object = FromProto(fields);
    if (!object.ok()) return object.status();
    json[id] = *std::move(object);
  }
  return json;
}

// Reads the objects of a call one after the other, and keeps the first error.
class Decoder {
 public:
  Decoder(const pb::CallInfo& info, CallKind kind) {
    request_.kind = kind;
    request_.request_id = info.request_id();
    Take(FromProto(info.context()), &CallRequest::context);
    Take(FromProto(info.extra_fields()), &CallRequest::extra_fields);
  }

  CallRequest& request() { return request_; }

  void Take(absl::StatusOr<Json> json, Json CallRequest::*member) {
    if (json.ok()) {
      request_.*member = *std::move(json);
    } else if (status_.ok()) {
      status_ = json.status();
    }
  }

  // What the calls of tools have in common.
  template <typename Payload>
  void TakeToolCall(const Payload& payload) {
    request_.name = payload.tool_name();
    Take(FromProto(payload.parameters()), &CallRequest::parameters);
    Take(CredentialsFromProto(payload.credentials()), &CallRequest::credentials);
  }

  absl::StatusOr<CallRequest> Result() && {
    if (!status_.ok()) return status_;
    return std::move(request_);
  }

 private:
  CallRequest request_;
  absl::Status status_;
};

CallKind KindOf(const pb::OAuth2Step& step) {
  switch (step.step_case()) {
    case pb::OAuth2Step::kGetToken:
      return CallKind::kGetToken;
    case pb::OAuth2Step::kRefreshToken:
      return CallKind::kRefreshToken;
    default:
      return CallKind::kBuildAuthorizeUrl;
  }
}

// `text` with invalid UTF-8 replaced: a proto string with any in it would break the whole stream.
std::string ToUtf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

template <typename Set>
void SetIf(const std::optional<std::string>& value, Set set) {
  if (value) set(ToUtf8(*value));
}

// All but the causes.
void FillError(const ErrorAnswer& answer, pb::PluginError& proto) {
  proto.set_code(ToUtf8(answer.code));
  proto.set_name(ToUtf8(answer.name));
  proto.set_message(ToUtf8(answer.message));
  proto.set_stack(ToUtf8(answer.stack));
  if (answer.details.empty()) return;
  *proto.mutable_details()->mutable_json() =
      answer.details.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void SetTexts(const I18n& texts, google::protobuf::Map<std::string, std::string>& proto) {
  for (const auto& [locale, text] : texts.ToJson().items()) {
    proto[ToUtf8(locale)] = ToUtf8(text.get<std::string>());
  }
}

}  // namespace

void SetJson(const Json& json, std::string* text) { *text = json.dump(); }

absl::StatusOr<Json> FromProto(const pb::JsonObject& object) {
  absl::StatusOr<Json> json = Json::object();
  if (object.has_json()) {
    json = Parse(object.json());
  } else if (object.has_fields()) {
    json = ParseMessage(object.fields());
  }
  if (json.ok() && !json->is_object()) {
    return absl::InvalidArgumentError("the bridge sent something that is no JSON object");
  }
  return json;
}

absl::StatusOr<Json> FromProto(const pb::JsonValue& value) {
  if (value.has_json()) return Parse(value.json());
  if (value.has_value()) return ParseMessage(value.value());
  return Json(nullptr);
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void SetDuration(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(duration)));
}

FileRef FromProto(const pb::FileRef& proto) {
  FileRef file;
  file.source =
      proto.source() == pb::FileRef::SOURCE_MEM ? FileRef::Source::kMem : FileRef::Source::kOss;
  if (proto.has_filename()) file.filename = proto.filename();
  if (proto.has_file_extension()) file.extension = proto.file_extension();
  if (proto.has_mime_type()) file.mime_type = proto.mime_type();
  if (proto.has_size()) file.size = proto.size();
  if (proto.has_res_key()) file.res_key = proto.res_key();
  if (proto.has_remote_url()) file.remote_url = proto.remote_url();
  if (proto.has_content()) file.content = proto.content();
  return file;
}

pb::FileRef ToProto(const FileRef& file) {
  pb::FileRef proto;
  proto.set_source(file.source == FileRef::Source::kMem ? pb::FileRef::SOURCE_MEM
                                                        : pb::FileRef::SOURCE_OSS);
  SetIf(file.filename, [&proto](const std::string& value) { proto.set_filename(value); });
  SetIf(file.extension, [&proto](const std::string& value) { proto.set_file_extension(value); });
  SetIf(file.mime_type, [&proto](const std::string& value) { proto.set_mime_type(value); });
  if (file.size) proto.set_size(*file.size);
  SetIf(file.res_key, [&proto](const std::string& value) { proto.set_res_key(value); });
  SetIf(file.remote_url, [&proto](const std::string& value) { proto.set_remote_url(value); });
  SetIf(file.content, [&proto](const std::string& value) { proto.set_content(value); });
  return proto;
}

namespace {

absl::StatusOr<CallRequest> Decode(const pb::Authentication& payload) {
  Decoder decoder(payload.info(), CallKind::kAuthenticate);
  decoder.request().name = payload.credential_name();
  decoder.Take(FromProto(payload.credential()), &CallRequest::parameters);
  decoder.Take(FromProto(payload.extra()), &CallRequest::extra);
  return std::move(decoder).Result();
}

void SetAnswer(Answer answer, pb::AuthenticateResult& result) {
  SetJson(std::get<Json>(answer), result.mutable_data()->mutable_json());
}

absl::StatusOr<CallRequest> Decode(const pb::OAuth2Step& payload) {
  Decoder decoder(payload.info(), KindOf(payload));
  decoder.request().name = payload.credential_name();
  decoder.Take(FromProto(payload.credential()), &CallRequest::parameters);
  decoder.request().state = payload.build_authorize_url().state();
  decoder.request().code = payload.get_token().code();
  decoder.request().redirect_uri = payload.has_get_token()
                                       ? payload.get_token().redirect_uri()
                                       : payload.build_authorize_url().redirect_uri();
  return std::move(decoder).Result();
}

void SetAnswer(Answer answer, pb::OAuth2Result& result) {
  if (auto* url = std::get_if<std::string>(&answer)) {
    result.set_url(ToUtf8(*url));
    return;
  }
  const auto& tokens = std::get<OAuth2Tokens>(answer);
  pb::OAuth2Tokens& proto = *result.mutable_tokens();
  SetIf(tokens.access_token, [&proto](const std::string& t) { proto.set_access_token(t); });
  SetIf(tokens.refresh_token, [&proto](const std::string& t) { proto.set_refresh_token(t); });
  if (tokens.expires_at) proto.set_expires_at(absl::ToUnixSeconds(*tokens.expires_at));
  for (const std::string& name : tokens.null_fields) proto.add_null_fields(ToUtf8(name));
  if (!tokens.extra_fields.empty()) {
    SetJson(tokens.extra_fields, proto.mutable_extra_fields()->mutable_json());
  }
}

absl::StatusOr<CallRequest> Decode(const pb::Invocation& payload) {
  Decoder decoder(payload.info(), CallKind::kInvoke);
  decoder.TakeToolCall(payload);
  return std::move(decoder).Result();
}

void SetAnswer(Answer answer, pb::InvokeResult& result) {
  SetJson(std::get<Json>(answer), result.mutable_data()->mutable_json());
}

absl::StatusOr<CallRequest> Decode(const pb::ResourceQuery& payload) {
  Decoder decoder(payload.info(), CallKind::kListResources);
  decoder.TakeToolCall(payload);
  decoder.request().method = payload.method();
  if (payload.has_filter()) decoder.request().filter = payload.filter();
  if (payload.has_pagination_token()) {
    decoder.request().pagination_token = payload.pagination_token();
  }
  return std::move(decoder).Result();
}

void SetAnswer(Answer answer, pb::ListResourcesResult& result) {
  const auto& list = std::get<ResourceList>(answer);
  if (!list.data.is_null()) SetJson(list.data, result.mutable_data()->mutable_json());
  for (const Resource& resource : list.results) {
    pb::Resource& proto = *result.add_results();
    proto.set_label(ToUtf8(resource.label));
    proto.set_value(ToUtf8(resource.value));
    SetIf(resource.url, [&proto](const std::string& url) { proto.set_url(url); });
  }
  SetIf(list.pagination_token,
        [&result](const std::string& token) { result.set_pagination_token(token); });
}

absl::StatusOr<CallRequest> Decode(const pb::MappingQuery& payload) {
  Decoder decoder(payload.info(), CallKind::kMapResource);
  decoder.TakeToolCall(payload);
  decoder.request().method = payload.method();
  return std::move(decoder).Result();
}

void SetAnswer(Answer answer, pb::MapResourceResult& result) {
  const auto& mapping = std::get<ResourceMapping>(answer);
  if (!mapping.data.is_null()) SetJson(mapping.data, result.mutable_data()->mutable_json());
  for (const MappedField& field : mapping.fields) {
    pb::MappedField& proto = *result.add_fields();
    proto.set_id(ToUtf8(field.id));
    proto.set_value_type(ToUtf8(field.type));
    if (field.display_name) SetTexts(*field.display_name, *proto.mutable_display_name());
    if (field.required) proto.set_required(*field.required);
    if (field.hint) SetTexts(*field.hint, *proto.mutable_ui()->mutable_hint());
  }
  if (mapping.empty_fields_notice) {
    SetTexts(*mapping.empty_fields_notice, *result.mutable_empty_fields_notice());
  }
}

template <auto kCall, auto kResult>
constexpr CallRow Row(pb::BridgeMessage::MessageCase message) {
  return {
      message,
      [](const pb::BridgeMessage& call) -> const pb::CallInfo& { return (call.*kCall)().info(); },
      [](const pb::BridgeMessage& call) { return Decode((call.*kCall)()); },
      [](const pb::CallInfo& info, Answer answer, pb::PluginMessage& reply) {
        auto& result = *(reply.*kResult)();
        result.set_request_id(info.request_id());
        if constexpr (std::is_same_v<decltype(result), pb::OAuth2Result&>) {
          result.set_event(info.event());
        }
        SetAnswer(std::move(answer), result);
      }};
}

}  // namespace

const CallRow* RowOf(const pb::BridgeMessage& message) {
  using Call = pb::BridgeMessage;
  using Reply = pb::PluginMessage;
  static constexpr CallRow kRows[] = {
      Row<&Call::invoke, &Reply::mutable_invoked>(Call::kInvoke),
      Row<&Call::authenticate, &Reply::mutable_authenticated>(Call::kAuthenticate),
      Row<&Call::authorize, &Reply::mutable_authorized>(Call::kAuthorize),
      Row<&Call::list, &Reply::mutable_listed>(Call::kList),
      Row<&Call::map, &Reply::mutable_mapped>(Call::kMap)};
  for (const CallRow& row : kRows) {
    if (row.message == message.message_case()) return &row;
  }
  return nullptr;
}

pb::CallFailure FailureOf(const pb::CallInfo& info, const absl::Status& error) {
  const ErrorAnswer answer = DescribeError(error);
  pb::CallFailure failure;
  failure.set_request_id(info.request_id());
  failure.set_event(info.event());
  pb::PluginError* proto = failure.mutable_error();
  FillError(answer, *proto);
  for (const ErrorAnswer& cause : answer.causes) {
    proto = proto->mutable_cause();
    FillError(cause, *proto);
  }
  return failure;
}

}  // namespace atomemo::internal
