#include "bridge/plugin_service/plugin_reply.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bridge/definition/messages.h"
#include "bridge/payload/answers.h"
#include "bridge/payload/payload.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;

// What is wrong with it comes to light where it is used.
void WriteAsText(pb::JsonObject& object) {
  if (!object.has_fields()) return;
  absl::StatusOr<std::string> text = payload::JsonTextOf(object);
  if (text.ok()) object.set_json(*std::move(text));
}

// Of a field that many of the messages have; empty if this one has not.
std::string TextOf(const google::protobuf::Message& message, const std::string& field_name) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(field_name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

void Shorten(std::string& text) {
  const std::size_t bytes = text.size();
  if (bytes <= kMaxErrorBytes) return;
  text = absl::StrCat(definition::CutText(text, kMaxErrorBytes), "... (", bytes, " bytes)");
}

void Shorten(pb::PluginError& error, int causes = payload::kMaxCauses) {
  if (causes == 0) error.clear_cause();
  if (error.has_cause()) Shorten(*error.mutable_cause(), causes - 1);
  if (error.has_details()) WriteAsText(*error.mutable_details());
  const pb::JsonObject& object = error.details();
  const std::size_t details = object.has_json() ? object.json().size() : object.ByteSizeLong();
  for (std::string* text : {error.mutable_code(), error.mutable_name(), error.mutable_message(),
                            error.mutable_stack()}) {
    Shorten(*text);
  }
  if (details <= kMaxErrorBytes) return;
  error.clear_details();
  absl::StrAppend(error.mutable_message(), " (its details of ", details, " bytes are left out)");
}

}  // namespace

router::PluginReply ResultReply(router::CallKind kind,
                                std::unique_ptr<google::protobuf::Message> result) {
  router::PluginReply reply;
  reply.kind = kind;
  reply.request_id = TextOf(*result, "request_id");
  const router::HubEvent* const event =
      router::EventOfResult(kind, TextOf(*result, "event"), result.get());
  if (event != nullptr) reply.event = std::string(event->name);
  reply.size = result->ByteSizeLong();
  reply.outcome = [result = std::shared_ptr<google::protobuf::Message>(std::move(result))](
                      const router::HubEvent& asked) -> absl::StatusOr<router::CallOutcome> {
    if (asked.result->GetDescriptor() != result->GetDescriptor()) {
      return absl::InvalidArgumentError(absl::StrCat("it is no answer to a ", asked.name));
    }
    absl::StatusOr<std::string> json = asked.answer_json(*result);
    if (!json.ok()) return json.status();
    return *std::move(json);
  };
  return reply;
}

router::PluginReply FailureReply(pb::CallFailure failure) {
  if (failure.has_error()) Shorten(*failure.mutable_error());
  router::PluginReply reply = router::FailedReply(std::move(*failure.mutable_request_id()),
                                                  std::move(*failure.mutable_error()));
  reply.event = std::move(*failure.mutable_event());
  return reply;
}

router::PluginReply ReadInFull(router::PluginReply reply) {
  if (!reply.kind) return reply;
  // Which of the RPC's events it was is known to the router alone.
  using Outcomes = absl::flat_hash_map<absl::string_view, absl::StatusOr<router::CallOutcome>>;
  auto outcomes = std::make_shared<Outcomes>();
  for (const router::HubEvent& event : router::HubEvents()) {
    if (event.kind == *reply.kind) outcomes->emplace(event.name, reply.outcome(event));
  }
  reply.outcome = [outcomes = std::move(outcomes)](
                      const router::HubEvent& asked) -> absl::StatusOr<router::CallOutcome> {
    const auto outcome = outcomes->find(asked.name);
    if (outcome != outcomes->end()) return std::move(outcome->second);  // is asked for once
    return absl::InvalidArgumentError(absl::StrCat("it is no answer to a ", asked.name));
  };
  return reply;
}

}  // namespace atomemo::plugin_service
