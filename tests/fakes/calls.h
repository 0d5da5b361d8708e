#ifndef ATOMEMO_TESTS_FAKES_CALLS_H_
#define ATOMEMO_TESTS_FAKES_CALLS_H_

// Calls and replies as the router has them, made of the contract's messages, and back.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/router/call.h"
#include "bridge/router/wire_format.h"
#include "google/protobuf/util/time_util.h"

namespace atomemo::fakes {

// A field of the message that not all kinds of calls have; empty if this one has not.
inline std::string TextOf(const google::protobuf::Message& message, const std::string& name) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// The call of the hub's that a plugin gets as `message`.
template <typename Message>
router::HubCall CallOf(absl::string_view event, Message message) {
  router::HubCall call;
  call.event = router::FindHubEvent(event);
  call.request_id = message.info().request_id();
  call.target = TextOf(message, call.event->is_for_credential ? "credential_name" : "tool_name");
  call.method = TextOf(message, "method");
  message.mutable_info()->set_event(std::string(event));
  call.body.info = absl::Cord(message.info().SerializeAsString());
  message.clear_info();
  call.body.fields = absl::Cord(message.SerializeAsString());
  return call;
}

// The same for a kind of call with one event.
template <typename Message>
router::HubCall CallOf(Message message) {
  for (const router::HubEvent& event : router::HubEvents()) {
    if (event.call->GetDescriptor() == Message::descriptor()) return CallOf(event.name, message);
  }
  return {};
}

inline router::CallForWorker ForWorker(const router::HubCall& call) {
  return {*call.event, call.request_id, call.body, absl::Seconds(5)};
}

// A call that a worker was sent.
struct SentCall {
  explicit SentCall(const router::CallForWorker& call)
      : info(call.body.info), fields(call.body.fields), time_left(call.time_left) {}

  template <typename Message>
  Message As() const {
    Message message;
    (void)message.ParseFromString(std::string(fields));
    (void)message.mutable_info()->ParseFromString(std::string(info));
    *message.mutable_info()->mutable_time_left() =
        google::protobuf::util::TimeUtil::NanosecondsToDuration(
            absl::ToInt64Nanoseconds(time_left));
    return message;
  }

  absl::Cord info;
  absl::Cord fields;
  absl::Duration time_left;
};

// What the router gets when a plugin sends this result.
template <typename Result>
router::PluginReply ReplyOf(const Result& result) {
  router::PluginReply reply;
  for (const router::HubEvent& event : router::HubEvents()) {
    if (event.result->GetDescriptor() == Result::descriptor()) reply.kind = event.kind;
  }
  const auto* const event = router::EventOfResult(*reply.kind, TextOf(result, "event"), &result);
  if (event != nullptr) reply.event = std::string(event->name);
  reply.request_id = result.request_id();
  reply.size = result.ByteSizeLong();
  reply.outcome = [result](const router::HubEvent& asked) -> absl::StatusOr<router::CallOutcome> {
    Result taken = result;
    absl::StatusOr<std::string> json = asked.answer_json(taken);
    if (!json.ok()) return json.status();
    return *std::move(json);
  };
  return reply;
}

// The same for a failure, which tells its kind only by the stream on which it comes.
inline router::PluginReply ReplyOf(const plugin::v1::CallFailure& failure,
                                   std::optional<router::CallKind> kind = std::nullopt) {
  router::PluginReply reply = router::FailedReply(failure.request_id(), failure.error());
  reply.kind = kind;
  reply.event = failure.event();
  return reply;
}

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_CALLS_H_
