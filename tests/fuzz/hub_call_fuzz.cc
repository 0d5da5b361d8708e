// A call from the hub: an event's number, then its payload. It is decoded, turned into the other
// encoding, and its parameters come back as an answer.
#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/json.h"
#include "bridge/hub/hub_events.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/payload/payload.h"
#include "bridge/payload/typed_values.h"
#include "tests/fuzz/fuzz_input.h"

namespace atomemo {
namespace {

using base::Json;

constexpr const char* kEvents[] = {"invoke_tool",
                                   "locator_list",
                                   "resource_mapping",
                                   "credential_auth_spec",
                                   "oauth2_build_authorize_url",
                                   "oauth2_get_token",
                                   "oauth2_refresh_token",
                                   "no_such_event"};

// Both numbers of any kind as doubles: a Struct knows nothing else.
bool SameValue(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() == b.get<double>();
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!SameValue(a[i], b[i])) return false;
    }
    return true;
  }
  if (!a.is_object()) return a == b;
  for (const auto& [name, member] : a.items()) {
    const auto other = b.find(name);
    if (other == b.end() || !SameValue(member, *other)) return false;
  }
  return true;
}

// The parameters come back with the same request_id, whichever encoding they took.
void Answer(const router::HubCall& call, const std::string& data) {
  ATOMEMO_FUZZ_EXPECT(base::CheckJson(data).ok(), data);
  const router::HubAnswer answer_to_call{std::string(call.event->name), call.request_id, data};
  const hub::HubMessage message = hub::EncodeAnswer(answer_to_call);
  // Its numbers may be beyond what a double can hold.
  const absl::Status answer = base::CheckJson(message.payload()).status();
  ATOMEMO_FUZZ_EXPECT(answer.ok(), absl::StrCat(answer.ToString(), "\n", message.payload()));
  ATOMEMO_FUZZ_EXPECT(hub::RequestIdOf(message.payload()) == call.request_id, message.payload());
}

void ThroughStruct(const payload::pb::JsonObject& parameters, const router::HubCall& call) {
  payload::pb::Invocation converted;
  *converted.mutable_parameters() = parameters;
  if (!payload::ConvertEncoding(payload::pb::PAYLOAD_ENCODING_STRUCT, converted).ok()) return;
  ATOMEMO_FUZZ_EXPECT(!converted.parameters().has_json(), parameters.json());
  const absl::StatusOr<std::string> text = payload::JsonTextOf(converted.parameters());
  ATOMEMO_FUZZ_EXPECT(text.ok(), text.status().ToString());
  const absl::StatusOr<Json> before = base::ParseJson(parameters.json());
  const absl::StatusOr<Json> after = base::ParseJson(*text);
  ATOMEMO_FUZZ_EXPECT(after.ok(), absl::StrCat(after.status().ToString(), "\n", *text));
  if (before.ok()) ATOMEMO_FUZZ_EXPECT(SameValue(*before, *after), *text);
  // It is sent to a plugin, whose protobuf must be able to read it.
  payload::pb::Invocation received;
  ATOMEMO_FUZZ_EXPECT(received.ParseFromString(converted.SerializeAsString()), *text);
  Answer(call, *text);
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  absl::string_view text = fuzz::ViewOf(data, size);
  const char* event = kEvents[fuzz::TakeChoice(text, std::size(kEvents))];
  payload::FindTypedValues(text).IgnoreError();
  // As the frame's codec hands it on.
  const absl::StatusOr<std::string> checked = base::CheckJson(text, hub::kMaxPayloadDepth);
  if (!checked.ok()) return 0;
  const std::string& payload = *checked;
  ATOMEMO_FUZZ_EXPECT(base::CheckJson(payload, hub::kMaxPayloadDepth) == checked, payload);
  const absl::StatusOr<router::HubCall> call =
      hub::DecodeCall(event, std::make_shared<const std::string>(payload));
  if (!call.ok()) {
    ATOMEMO_FUZZ_EXPECT(!call.status().message().empty(), event);
    return 0;
  }
  ATOMEMO_FUZZ_EXPECT(!call->request_id.empty(), payload);
  ATOMEMO_FUZZ_EXPECT(call->request_id == hub::RequestIdOf(payload), payload);
  // The plugin can read what it is sent.
  const std::unique_ptr<google::protobuf::Message> message(call->event->call->New());
  ATOMEMO_FUZZ_EXPECT(message->ParseFromString(std::string(call->body.fields)), payload);
  payload::pb::CallInfo info;
  ATOMEMO_FUZZ_EXPECT(info.ParseFromString(std::string(call->body.info)), payload);
  ATOMEMO_FUZZ_EXPECT(info.request_id() == call->request_id, payload);
  if (const auto* invocation = dynamic_cast<const payload::pb::Invocation*>(message.get())) {
    const absl::StatusOr<std::string> parameters = payload::JsonTextOf(invocation->parameters());
    ATOMEMO_FUZZ_EXPECT(parameters.ok(), parameters.status().ToString());
    Answer(*call, *parameters);
    ThroughStruct(invocation->parameters(), *call);
  }
  return 0;
}
