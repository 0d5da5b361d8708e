#include "bridge/devhub/plugin_channels.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/json_members.h"
#include "bridge/base/log.h"
#include "bridge/definition/validate.h"

namespace atomemo::devhub {
namespace {

using base::Json;

}  // namespace

std::optional<Json> CheckDefinition(Json definition) {
  const definition::Report report =
      definition::Validate(definition::Schema::kDefinition, std::move(definition));
  if (report.ok()) return std::nullopt;
  Json suberrors = Json::array();
  for (const definition::Violation& violation : report.errors) {
    suberrors.push_back(
        {{"path", definition::FormatPath(violation.path)}, {"message", violation.message}});
  }
  return Json{{"code", "invalid_definition"},
              {"message", "the plugin's definition is not valid"},
              {"suberrors", std::move(suberrors)}};
}

PluginChannels::PluginChannels(TopicDirectory& directory, CallBroker& broker,
                               const HubCallService& hub_calls, WallClock wall_clock)
    : directory_(directory),
      broker_(broker),
      hub_calls_(hub_calls),
      wall_clock_(std::move(wall_clock)) {}

void PluginChannels::OnJoined(ServerSocket& socket, const std::string& topic,
                              const base::PluginTopic& plugin) {
  directory_.Join(topic, plugin, socket, wall_clock_());
  base::LogInfo("plugin joined", {{"topic", topic}});
}

void PluginChannels::OnLeft(ServerSocket& socket, const std::string& topic) {
  directory_.Leave(topic, socket);
  base::LogInfo("plugin left", {{"topic", topic}});
}

bool PluginChannels::CanRead(const hub::PhoenixFrame& frame) {
  if (!broker_.digests_badly() || !IsAnswerEvent(frame.event)) return true;
  const std::string request_id = base::StringMember(frame.payload, "request_id").value_or("");
  if (broker_.DigestionOf(frame.event, request_id) != Digestion::kClose) return true;
  broker_.OnUndigested(request_id);
  return false;
}

ChannelOutcome PluginChannels::OnEvent(ServerSocket& socket, const hub::PhoenixFrame& frame) {
  if (frame.event == "register_plugin" && socket.options().mode == base::HubMode::kDebug) {
    return Register(frame);
  }
  if (IsAnswerEvent(frame.event)) return TakeAnswer(frame);
  absl::string_view hub_call = frame.event;
  if (absl::ConsumePrefix(&hub_call, "hub_call:")) {
    return AnswerHubCall(socket, std::string(hub_call), frame);
  }
  base::LogWarning("channel crashed on an event it does not know",
                   {{"topic", frame.topic}, {"event", frame.event}});
  return ChannelOutcome::Crash();
}

ChannelOutcome PluginChannels::Register(const hub::PhoenixFrame& frame) {
  absl::StatusOr<Json> definition = definition::ParseDefinition(frame.payload);
  if (!definition.ok()) return ChannelOutcome::Crash();
  if (const std::optional<Json> error = CheckDefinition(*std::move(definition))) {
    base::LogWarning("definition refused", {{"topic", frame.topic}});
    return ChannelOutcome::Error(base::DumpJson(*error));
  }
  directory_.Find(frame.topic)->definition = frame.payload;
  base::LogInfo("plugin registered", {{"topic", frame.topic}});
  return ChannelOutcome::Ok(R"({"success":true})");
}

ChannelOutcome PluginChannels::TakeAnswer(const hub::PhoenixFrame& frame) {
  const std::optional<std::string> request_id = base::StringMember(frame.payload, "request_id");
  if (!request_id) {
    base::LogWarning("answer without request_id", {{"topic", frame.topic}, {"event", frame.event}});
    return ChannelOutcome::NoReply();
  }
  if (broker_.DigestionOf(frame.event, *request_id) == Digestion::kCrash) {
    broker_.OnUndigested(*request_id);
    base::LogWarning("channel crashed on an answer, as this hub was told",
                     {{"topic", frame.topic}, {"event", frame.event}});
    return ChannelOutcome::Crash();
  }
  broker_.OnAnswer(frame.topic, frame.event, *request_id, frame.payload);
  return ChannelOutcome::NoReply();
}

ChannelOutcome PluginChannels::AnswerHubCall(ServerSocket& socket, const std::string& event,
                                             const hub::PhoenixFrame& frame) {
  const std::optional<std::string> request_id = base::StringMember(frame.payload, "request_id");
  if (!request_id) return ChannelOutcome::Error(R"({"reason":"a hub call needs a request_id"})");
  const absl::StatusOr<Json> call = base::ParseJson(frame.payload, base::JsonReader::kMaxDepth);
  if (!call.ok()) {
    const std::string reason = absl::StrCat("the call cannot be read: ", call.status().message());
    return ChannelOutcome::Error(absl::StrCat(R"({"reason":)", base::QuoteJson(reason), "}"));
  }
  const Json data = call->contains("data") ? (*call)["data"] : Json();
  HubCallAnswer answer = hub_calls_.Answer(event, data, socket.options().base_url, wall_clock_());
  const Json payload = {{"request_id", *request_id},
                        {answer.ok ? "data" : "error", std::move(answer.value)}};
  socket.Push(frame.topic, answer.ok ? "hub_call_response" : "hub_call_error",
              base::DumpJson(payload));
  return ChannelOutcome::NoReply();
}

}  // namespace atomemo::devhub
