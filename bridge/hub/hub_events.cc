#include "bridge/hub/hub_events.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/definition/payload.h"
#include "bridge/definition/typed_values.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {
namespace {

namespace pb = ::atomemo::plugin::v1;
using base::DescribeJson;
using base::JsonMembers;
using base::UnquoteJson;
using CredentialMap = google::protobuf::Map<std::string, pb::JsonObject>;

// Reads the members of a call's payload and remembers the first thing that is wrong.
class CallReader {
 public:
  explicit CallReader(JsonMembers members) : members_(std::move(members)) {}

  std::string String(absl::string_view name) {
    std::optional<std::string> text = OptionalString(name);
    if (!text) Fail(name, "is missing");
    return std::move(text).value_or("");
  }

  std::string Name(absl::string_view name) {
    std::string text = String(name);
    if (text.size() > kMaxNameBytes) {
      Fail(name, absl::StrCat("has ", text.size(), " bytes, and may have ", kMaxNameBytes));
    }
    return text;
  }

  std::optional<std::string> OptionalString(absl::string_view name) {
    const std::optional<absl::string_view> value = members_.Take(name);
    if (!value) return std::nullopt;
    std::optional<std::string> text = UnquoteJson(*value);
    if (!text) FailType(name, "a string", *value);
    return text ? std::move(text) : "";
  }

  // One that is missing is empty, as at the hub's own Elixir plugins.
  void Object(absl::string_view name, pb::JsonObject* out) {
    if (!OptionalObject(name, [out] { return out; })) out->set_json("{}");
  }

  // `make_out` is called only if there is an object.
  template <typename MakeOut>
  bool OptionalObject(absl::string_view name, MakeOut make_out) {
    const std::optional<absl::string_view> value = members_.Take(name);
    if (!value) return false;
    SetObject(name, *value, make_out());
    return true;
  }

  void Credentials(CredentialMap* out) {
    const std::optional<absl::string_view> value = members_.Take("credentials");
    if (!value) return;
    const absl::StatusOr<JsonMembers> credentials = JsonMembers::Cut(*value);
    if (!credentials.ok()) return FailType("credentials", "an object", *value);
    if (credentials->rest().size() > kMaxCredentials) {
      return Fail("credentials", absl::StrCat("has ", credentials->rest().size(),
                                              " members, and may have ", kMaxCredentials));
    }
    for (const JsonMembers::Member& one : credentials->rest()) {
      if (one.value == "null") continue;
      SetObject(absl::StrCat("credentials.", one.name), one.value, &(*out)[one.name]);
    }
  }

  // Reads what every call has; what is left then are members that the event does not define.
  pb::CallInfo Info(absl::string_view event) {
    pb::CallInfo info;
    info.set_event(std::string(event));
    info.set_request_id(String("request_id"));
    if (info.request_id().empty()) Fail("request_id", "is empty");
    OptionalObject("context", [&] { return info.mutable_context(); });
    if (!members_.rest().empty()) {
      info.mutable_extra_fields()->set_json(members_.RestAsObject());
    }
    return info;
  }

  const absl::Status& status() const { return status_; }

 private:
  void Fail(absl::string_view name, absl::string_view what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat("`", name, "` ", what));
  }

  void FailType(absl::string_view name, absl::string_view expected, absl::string_view value) {
    Fail(name, absl::StrCat("must be ", expected, ", found ", DescribeJson(value)));
  }

  void SetObject(absl::string_view name, absl::string_view value, pb::JsonObject* out) {
    if (!absl::StartsWith(value, "{")) return FailType(name, "an object", value);
    out->set_json(std::string(value));
  }

  JsonMembers members_;
  absl::Status status_;
};

pb::Authentication ReadAuthentication(CallReader& reader) {
  pb::Authentication call;
  call.set_credential_name(reader.Name("credential_name"));
  reader.Object("credential", call.mutable_credential());
  reader.OptionalObject("extra", [&] { return call.mutable_extra(); });
  return call;
}

pb::OAuth2Step ReadBuildAuthorizeUrl(CallReader& reader) {
  pb::OAuth2Step call;
  call.set_credential_name(reader.Name("credential_name"));
  reader.Object("credential", call.mutable_credential());
  call.mutable_build_authorize_url()->set_redirect_uri(reader.String("redirect_uri"));
  call.mutable_build_authorize_url()->set_state(reader.String("state"));
  return call;
}

pb::OAuth2Step ReadGetToken(CallReader& reader) {
  pb::OAuth2Step call;
  call.set_credential_name(reader.Name("credential_name"));
  reader.OptionalObject("credential", [&] { return call.mutable_credential(); });
  // The grant client_credentials has none.
  call.mutable_get_token()->set_code(reader.OptionalString("code").value_or(""));
  call.mutable_get_token()->set_redirect_uri(reader.String("redirect_uri"));
  return call;
}

pb::OAuth2Step ReadRefreshToken(CallReader& reader) {
  pb::OAuth2Step call;
  call.set_credential_name(reader.Name("credential_name"));
  reader.Object("credential", call.mutable_credential());
  call.mutable_refresh_token();
  return call;
}

pb::Invocation ReadInvocation(CallReader& reader) {
  pb::Invocation call;
  call.set_tool_name(reader.Name("tool_name"));
  reader.Object("parameters", call.mutable_parameters());
  reader.Credentials(call.mutable_credentials());
  if (auto text = reader.OptionalString("plugin_identifier")) {
    call.set_plugin_identifier(*std::move(text));
  }
  return call;
}

pb::ResourceQuery ReadResourceQuery(CallReader& reader) {
  pb::ResourceQuery call;
  call.set_tool_name(reader.Name("tool_name"));
  call.set_method(reader.Name("method"));
  if (auto text = reader.OptionalString("filter")) call.set_filter(*std::move(text));
  if (auto text = reader.OptionalString("pagination_token")) {
    call.set_pagination_token(*std::move(text));
  }
  reader.Object("parameters", call.mutable_parameters());
  reader.Credentials(call.mutable_credentials());
  return call;
}

pb::MappingQuery ReadMappingQuery(CallReader& reader) {
  pb::MappingQuery call;
  call.set_tool_name(reader.Name("tool_name"));
  call.set_method(reader.Name("method"));
  reader.Object("parameters", call.mutable_parameters());
  reader.Credentials(call.mutable_credentials());
  return call;
}

using ReadPayload = router::CallPayload (*)(CallReader&);

void FillTypedValues(router::CallPayload& payload) {
  const auto fill = [](auto& call) {
    *call.mutable_typed_values() = definition::FindTypedValues(call.parameters().json());
  };
  if (auto* invocation = std::get_if<pb::Invocation>(&payload)) fill(*invocation);
  if (auto* query = std::get_if<pb::ResourceQuery>(&payload)) fill(*query);
  if (auto* query = std::get_if<pb::MappingQuery>(&payload)) fill(*query);
}

// Null for an event that nobody knows.
ReadPayload ReaderOf(absl::string_view event) {
  if (event == "invoke_tool") return [](auto& r) { return router::CallPayload(ReadInvocation(r)); };
  if (event == "locator_list") {
    return [](auto& r) { return router::CallPayload(ReadResourceQuery(r)); };
  }
  if (event == "resource_mapping") {
    return [](auto& r) { return router::CallPayload(ReadMappingQuery(r)); };
  }
  if (event == "credential_auth_spec") {
    return [](auto& r) { return router::CallPayload(ReadAuthentication(r)); };
  }
  if (event == "oauth2_build_authorize_url") {
    return [](auto& r) { return router::CallPayload(ReadBuildAuthorizeUrl(r)); };
  }
  if (event == "oauth2_get_token") {
    return [](auto& r) { return router::CallPayload(ReadGetToken(r)); };
  }
  if (event == "oauth2_refresh_token") {
    return [](auto& r) { return router::CallPayload(ReadRefreshToken(r)); };
  }
  return nullptr;
}

// ",name:value" for every member of `details` that is not one of the error's own.
std::string DetailMembers(const pb::JsonObject& details) {
  const absl::StatusOr<std::string> text = definition::JsonTextOf(details);
  if (!text.ok()) return "";
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(*text);
  if (!members.ok()) return "";
  for (const absl::string_view own : {"code", "name", "message", "stack"}) members->Take(own);
  std::string out;
  for (const JsonMembers::Member& member : members->rest()) {
    absl::StrAppend(&out, ",", base::QuoteJson(member.name), ":", member.value);
  }
  return out;
}

std::string StackMember(const pb::PluginError& error) {
  return error.stack().empty() ? "" : absl::StrCat(",\"stack\":", base::QuoteJson(error.stack()));
}

std::string ErrorObject(const pb::PluginError& error, absl::string_view default_code) {
  const absl::string_view code = error.code().empty() ? default_code : error.code();
  std::string out = absl::StrCat("{\"code\":", base::QuoteJson(code));
  if (!error.name().empty()) absl::StrAppend(&out, ",\"name\":", base::QuoteJson(error.name()));
  absl::StrAppend(&out, ",\"message\":", base::QuoteJson(error.message()), StackMember(error),
                  DetailMembers(error.details()), "}");
  return out;
}

// The plugin documentation shows the errors of these events without the `error` object.
bool WantsFlatError(absl::string_view event) {
  return event == "credential_auth_spec" || absl::StartsWith(event, "oauth2_");
}

HubMessage EncodeError(const router::HubAnswer& answer, const pb::PluginError& error) {
  const std::string head = absl::StrCat("{\"request_id\":", base::QuoteJson(answer.request_id));
  if (answer.unsupported) {
    return {"unsupported_event",
            absl::StrCat(head, ",\"event\":", base::QuoteJson(answer.event),
                         ",\"error\":", ErrorObject(error, "sdk:method_not_supported"), "}")};
  }
  const std::string flat =
      WantsFlatError(answer.event)
          ? absl::StrCat(",\"message\":", base::QuoteJson(error.message()), StackMember(error))
          : "";
  return {absl::StrCat(answer.event, "_error"),
          absl::StrCat(head, ",\"error\":", ErrorObject(error, "sdk:exception"), flat, "}")};
}

constexpr absl::string_view kHubCallResponse = "hub_call_response";
constexpr absl::string_view kHubCallError = "hub_call_error";

// Of a reply of Phoenix's nothing is of use that has so many bytes.
constexpr std::size_t kMaxReplyBytes = std::size_t{1} << 20;

void ShortenReply(PhoenixFrame& reply) {
  if (reply.payload.size() <= kMaxReplyBytes) return;
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(reply.payload);
  const absl::string_view status = members.ok() ? members->Take("status").value_or("null") : "null";
  const std::string reason =
      absl::StrCat("the hub's reply has ", reply.payload.size(), " bytes: it is not read");
  reply.payload = absl::StrCat("{\"status\":", status,
                               ",\"response\":{\"reason\":", base::QuoteJson(reason), "}}");
}

HubReply ReadHubReply(const PhoenixFrame& frame) {
  const std::string request_id = RequestIdOf(frame.payload);
  if (!frame.damage.ok()) {
    return {request_id, absl::InternalError(absl::StrCat("the hub's answer cannot be read: ",
                                                         frame.damage.message()))};
  }
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(frame.payload);
  if (!members.ok()) return {request_id, members.status()};
  if (frame.event == kHubCallResponse) {
    return {request_id, std::string(members->Take("data").value_or("null"))};
  }
  return {request_id, HubErrorStatus(members->Take("error").value_or(frame.payload))};
}

}  // namespace

absl::StatusOr<router::HubCall> DecodeCall(absl::string_view event, absl::string_view payload) {
  const ReadPayload read = ReaderOf(event);
  if (read == nullptr) {
    return absl::UnimplementedError(
        "the bridge knows no event of this name, and neither do plugins");
  }
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(payload);
  if (!members.ok()) return members.status();
  CallReader reader(*std::move(members));
  router::HubCall call{std::string(event), read(reader)};
  call.mutable_info() = reader.Info(event);
  if (!reader.status().ok()) return reader.status();
  FillTypedValues(call.payload);
  return call;
}

std::string RequestIdOf(absl::string_view payload) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(payload);
  if (!members.ok()) return "";
  const std::optional<absl::string_view> value = members->Take("request_id");
  return value ? UnquoteJson(*value).value_or("") : "";
}

HubEvent ReadEvent(const PhoenixFrame& frame) {
  if (frame.event == kHubCallResponse || frame.event == kHubCallError) return ReadHubReply(frame);
  absl::StatusOr<router::HubCall> call = DecodeCall(frame.event, frame.payload);
  // Of a damaged call there is nothing to decode; only whether its event is known is of interest.
  if (!frame.damage.ok() && !absl::IsUnimplemented(call.status())) {
    call = absl::InvalidArgumentError(
        absl::StrCat("the call cannot be read: ", frame.damage.message()));
  }
  if (call.ok()) return *std::move(call);
  return BadCall{RequestIdOf(frame.payload), call.status()};
}

absl::StatusOr<ReceivedFrame> ReadInFull(absl::string_view text) {
  absl::StatusOr<PhoenixFrame> frame = ParsePhoenixFrame(text);
  if (!frame.ok()) return frame.status();
  ReceivedFrame received(*std::move(frame));
  if (received.event == "phx_reply") ShortenReply(received);
  if (absl::StartsWith(received.event, "phx_")) return received;
  received.read = std::make_unique<HubEvent>(ReadEvent(received));
  std::string().swap(received.payload);
  return received;
}

HubMessage EncodeAnswer(const router::HubAnswer& answer) {
  if (!answer.ok()) return EncodeError(answer, std::get<pb::PluginError>(answer.outcome));
  return {absl::StrCat(answer.event, "_response"),
          absl::StrCat("{\"request_id\":", base::QuoteJson(answer.request_id),
                       ",\"data\":", std::get<std::string>(answer.outcome), "}")};
}

HubMessage EncodeRequest(absl::string_view event, absl::string_view request_id,
                         absl::string_view data_json) {
  return {
      absl::StrCat("hub_call:", event),
      absl::StrCat("{\"request_id\":", base::QuoteJson(request_id), ",\"data\":", data_json, "}")};
}

absl::Status HubErrorStatus(absl::string_view error) {
  pb::HubError hub_error;
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(error);
  if (members.ok()) {
    hub_error.mutable_error()->set_json(std::string(error));
    const auto text = [&](absl::string_view name) {
      const std::optional<absl::string_view> value = members->Take(name);
      return value ? UnquoteJson(*value).value_or("") : "";
    };
    hub_error.set_code(text("code"));
    hub_error.set_message(text("message"));
    if (hub_error.message().empty()) hub_error.set_message(text("reason"));
  } else {
    hub_error.set_message(UnquoteJson(error).value_or(""));
  }
  if (hub_error.message().empty()) {
    hub_error.set_message(hub_error.code().empty() ? "the hub gave no reason" : hub_error.code());
  }
  absl::Status status = absl::AbortedError(hub_error.message());
  router::SetHubError(status, hub_error);
  return status;
}

}  // namespace atomemo::hub
