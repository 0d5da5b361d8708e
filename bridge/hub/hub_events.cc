#include "bridge/hub/hub_events.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/error_codes.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/payload/answers.h"
#include "bridge/payload/payload.h"
#include "bridge/payload/typed_values.h"
#include "bridge/router/ports.h"
#include "bridge/router/wire_format.h"

namespace atomemo::hub {
namespace {

namespace pb = ::atomemo::plugin::v1;
using base::DescribeJson;
using base::JsonMembers;
using base::UnquoteJson;
using router::AppendField;
using router::PayloadMember;

// Turns the members of a call's payload into its message, and remembers the first thing that is
// wrong.
class CallReader {
 public:
  CallReader(const router::HubEvent& event, const router::SharedText& payload, JsonMembers members)
      : text_(payload), members_(std::move(members)) {
    call_.event = &event;
  }

  absl::StatusOr<router::HubCall> Read() && {
    for (const PayloadMember& member : call_.event->members) Add(member);
    if (call_.event->step_field != 0) {
      AppendField(call_.body.fields, call_.event->step_field, std::move(step_));
    }
    AddInfo();
    if (!status_.ok()) return status_;
    if (text_.use_count() > 2) call_.body.kept = text_->size();
    return std::move(call_);
  }

 private:
  using Shape = PayloadMember::Shape;

  void Add(const PayloadMember& member) {
    absl::Cord& message = member.is_of_step ? step_ : call_.body.fields;
    switch (member.shape) {
      case Shape::kTarget:
      case Shape::kMethod: {
        std::string& name = member.shape == Shape::kTarget ? call_.target : call_.method;
        name = String(member.name);
        if (name.size() > kMaxNameBytes) {
          Fail(member.name,
               absl::StrCat("has ", name.size(), " bytes, and may have ", kMaxNameBytes));
        }
        return AppendField(message, member.field, absl::string_view(name));
      }
      case Shape::kText:
        return AppendField(message, member.field, absl::string_view(String(member.name)));
      case Shape::kOptionalText:
        if (auto text = OptionalString(member.name)) {
          AppendField(message, member.field, absl::string_view(*text));
        }
        return;
      case Shape::kObject:
      case Shape::kOptionalObject: {
        const std::optional<absl::string_view> value = members_.Take(member.name);
        if (!value && member.shape == Shape::kOptionalObject) return;
        AppendField(message, member.field, Object(member.name, value.value_or("{}")));
        if (member.name == "parameters" && value) AddTypedValues(*value);
        return;
      }
      case Shape::kCredentials:
        return AddCredentials(member);
    }
  }

  void AddCredentials(const PayloadMember& member) {
    const std::optional<absl::string_view> value = members_.Take(member.name);
    if (!value) return;
    const absl::StatusOr<JsonMembers> credentials = JsonMembers::Cut(*value);
    if (!credentials.ok()) return FailType(member.name, "an object", *value);
    if (credentials->rest().size() > kMaxCredentials) {
      return Fail(member.name, absl::StrCat("has ", credentials->rest().size(),
                                            " members, and may have ", kMaxCredentials));
    }
    for (const JsonMembers::Member& one : credentials->rest()) {
      if (one.value == "null") continue;
      absl::Cord entry;  // of a map
      AppendField(entry, 1, absl::string_view(one.name));
      AppendField(entry, 2, Object(absl::StrCat(member.name, ".", one.name), one.value));
      AppendField(call_.body.fields, member.field, std::move(entry));
    }
  }

  void AddTypedValues(absl::string_view parameters) {
    const int field = call_.event->typed_values_field;
    if (field == 0 || !status_.ok()) return;
    const auto values = payload::FindTypedValues(parameters);
    if (!values.ok()) {
      status_ = values.status();
      return;
    }
    for (const pb::TypedValue& value : *values) {
      AppendField(call_.body.fields, field, absl::Cord(value.SerializeAsString()));
    }
  }

  // What every call has; what is left then are members that the event does not define.
  void AddInfo() {
    absl::Cord& info = call_.body.info;
    call_.request_id = String("request_id");
    if (call_.request_id.empty()) Fail("request_id", "is empty");
    AppendField(info, pb::CallInfo::kRequestIdFieldNumber, absl::string_view(call_.request_id));
    AppendField(info, pb::CallInfo::kEventFieldNumber, call_.event->name);
    if (const std::optional<absl::string_view> context = members_.Take("context")) {
      AppendField(info, pb::CallInfo::kContextFieldNumber, Object("context", *context));
    }
    if (!members_.rest().empty()) {
      AppendField(info, pb::CallInfo::kExtraFieldsFieldNumber,
                  router::JsonObjectMessage(absl::Cord(members_.RestAsObject())));
    }
  }

  std::string String(absl::string_view name) {
    std::optional<std::string> text = OptionalString(name);
    if (!text) Fail(name, "is missing");
    return std::move(text).value_or("");
  }

  std::optional<std::string> OptionalString(absl::string_view name) {
    const std::optional<absl::string_view> value = members_.Take(name);
    if (!value) return std::nullopt;
    std::optional<std::string> text = UnquoteJson(*value);
    if (!text) FailType(name, "a string", *value);
    return text ? std::move(text) : "";
  }

  absl::Cord Object(absl::string_view name, absl::string_view value) {
    if (!absl::StartsWith(value, "{")) FailType(name, "an object", value);
    return router::JsonObjectMessage(router::PartOf(text_, value));
  }

  void Fail(absl::string_view name, absl::string_view what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat("`", name, "` ", what));
  }

  void FailType(absl::string_view name, absl::string_view expected, absl::string_view value) {
    Fail(name, absl::StrCat("must be ", expected, ", found ", DescribeJson(value)));
  }

  const router::SharedText text_;
  JsonMembers members_;
  router::HubCall call_;
  absl::Cord step_;
  absl::Status status_;
};

// ",name:value" for every member of an error's `details` that is not one of its own.
std::string DetailMembers(const pb::PluginError& error) {
  const absl::StatusOr<std::string> text = payload::JsonTextOf(error.details());
  if (!text.ok()) return "";
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(*text);
  if (!members.ok()) return "";
  for (const absl::string_view own : {"code", "name", "message", "stack"}) members->Take(own);
  if (error.has_cause()) members->Take("cause");
  std::string out;
  for (const JsonMembers::Member& member : members->rest()) {
    absl::StrAppend(&out, ",", base::QuoteJson(member.name), ":", member.value);
  }
  return out;
}

std::string StackMember(const pb::PluginError& error) {
  return error.stack().empty() ? "" : absl::StrCat(",\"stack\":", base::QuoteJson(error.stack()));
}

// The error that led to it has no code unless the plugin gave one. `causes`: how many to tell of.
std::string ErrorObject(const pb::PluginError& error, absl::string_view default_code,
                        int causes = payload::kMaxCauses) {
  const absl::string_view code = error.code().empty() ? default_code : error.code();
  std::string out = "{";
  if (!code.empty()) absl::StrAppend(&out, "\"code\":", base::QuoteJson(code), ",");
  if (!error.name().empty()) absl::StrAppend(&out, "\"name\":", base::QuoteJson(error.name()), ",");
  absl::StrAppend(&out, "\"message\":", base::QuoteJson(error.message()), StackMember(error),
                  DetailMembers(error));
  if (error.has_cause() && causes > 0) {
    absl::StrAppend(&out, ",\"cause\":", ErrorObject(error.cause(), "", causes - 1));
  }
  return out + "}";
}

// `request_id`: the text of a JSON value. `unsupported`: nobody knows the event.
HubMessage EncodeError(absl::string_view name, absl::string_view request_id, bool unsupported,
                       const pb::PluginError& error) {
  const std::string head = absl::StrCat("{\"request_id\":", request_id);
  if (unsupported) {
    return {"unsupported_event",
            absl::StrCat(head, ",\"event\":", base::QuoteJson(name),
                         ",\"error\":", ErrorObject(error, code::kMethodNotSupported)),
            "", "}"};
  }
  const router::HubEvent* const event = router::FindHubEvent(name);
  const std::string flat =
      event != nullptr && event->has_flat_errors
          ? absl::StrCat(",\"message\":", base::QuoteJson(error.message()), StackMember(error))
          : "";
  return {absl::StrCat(name, "_error"),
          absl::StrCat(head, ",\"error\":", ErrorObject(error, code::kException), flat), "", "}"};
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

// What stands as request_id where RequestIdOf finds none.
std::string OddRequestIdOf(absl::string_view payload) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(payload);
  return members.ok() ? std::string(members->Take("request_id").value_or("")) : "";
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

absl::StatusOr<router::HubCall> DecodeCall(absl::string_view name,
                                           const router::SharedText& payload,
                                           const std::vector<JsonMembers::Place>& places) {
  const router::HubEvent* const event = router::FindHubEvent(name);
  if (event == nullptr) {
    return absl::UnimplementedError(
        "the bridge knows no event of this name, and neither do plugins");
  }
  absl::StatusOr<JsonMembers> members =
      places.empty() ? JsonMembers::Cut(*payload) : JsonMembers::At(places, *payload);
  if (!members.ok()) return members.status();
  return CallReader(*event, payload, *std::move(members)).Read();
}

std::string RequestIdOf(absl::string_view payload) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(payload);
  if (!members.ok()) return "";
  const std::optional<absl::string_view> value = members->Take("request_id");
  return value ? UnquoteJson(*value).value_or("") : "";
}

EventContent ReadEvent(PhoenixFrame& frame) {
  if (frame.event == kHubCallResponse || frame.event == kHubCallError) return ReadHubReply(frame);
  const auto payload = std::make_shared<const std::string>(std::move(frame.payload));
  absl::StatusOr<router::HubCall> call = DecodeCall(frame.event, payload, frame.members);
  // Of a damaged call there is nothing to decode; only whether its event is known is of interest.
  if (!frame.damage.ok() && !absl::IsUnimplemented(call.status())) {
    call = absl::InvalidArgumentError(
        absl::StrCat("the call cannot be read: ", frame.damage.message()));
  }
  if (call.ok()) return *std::move(call);
  BadCall bad{RequestIdOf(*payload), call.status()};
  if (bad.request_id.empty()) bad.odd_request_id = OddRequestIdOf(*payload);
  return bad;
}

absl::StatusOr<ReceivedFrame> ReadInFull(absl::string_view text) {
  absl::StatusOr<PhoenixFrame> frame = ParsePhoenixFrame(text);
  if (!frame.ok()) return frame.status();
  ReceivedFrame received(*std::move(frame));
  if (received.event == "phx_reply") ShortenReply(received);
  if (absl::StartsWith(received.event, "phx_")) return received;
  received.read = std::make_unique<EventContent>(ReadEvent(received));
  std::string().swap(received.payload);
  return received;
}

HubMessage EncodeAnswer(const router::HubAnswer& answer) {
  if (!answer.ok()) {
    return EncodeError(answer.event, base::QuoteJson(answer.request_id), answer.unsupported,
                       std::get<pb::PluginError>(answer.outcome));
  }
  return {absl::StrCat(answer.event, "_response"),
          absl::StrCat("{\"request_id\":", base::QuoteJson(answer.request_id), ",\"data\":"),
          std::get<std::string>(answer.outcome), "}"};
}

HubMessage EncodeRefusal(absl::string_view event, const BadCall& bad) {
  pb::PluginError error;
  error.set_code(std::string(code::kInvalidRequestId));
  error.set_name("InvalidRequestId");
  error.set_message(absl::StrCat("the request_id must be a string that is not empty, found ",
                                 DescribeJson(bad.odd_request_id)));
  return EncodeError(event, bad.odd_request_id, absl::IsUnimplemented(bad.error), error);
}

HubMessage EncodeRequest(absl::string_view event, absl::string_view request_id,
                         absl::string_view data_json) {
  return {absl::StrCat("hub_call:", event),
          absl::StrCat("{\"request_id\":", base::QuoteJson(request_id), ",\"data\":"), data_json,
          "}"};
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
