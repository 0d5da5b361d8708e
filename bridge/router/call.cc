#include "bridge/router/call.h"

#include "absl/strings/match.h"

namespace atomemo::router {

absl::string_view CallKindName(CallKind kind) {
  switch (kind) {
    case CallKind::kAuthenticate:
      return "Authenticate";
    case CallKind::kAuthorizeOAuth2:
      return "AuthorizeOAuth2";
    case CallKind::kInvoke:
      return "Invoke";
    case CallKind::kListResources:
      return "ListResources";
    case CallKind::kMapResource:
      return "MapResource";
  }
  return "?";
}

std::optional<CallKind> KindOfEvent(absl::string_view event) {
  if (event == "credential_auth_spec") return CallKind::kAuthenticate;
  if (absl::StartsWith(event, "oauth2_")) return CallKind::kAuthorizeOAuth2;
  if (event == "invoke_tool") return CallKind::kInvoke;
  if (event == "locator_list") return CallKind::kListResources;
  if (event == "resource_mapping") return CallKind::kMapResource;
  return std::nullopt;
}

const pb::CallInfo& HubCall::info() const {
  return std::visit([](const auto& call) -> const pb::CallInfo& { return call.info(); }, payload);
}

pb::CallInfo& HubCall::mutable_info() {
  return std::visit([](auto& call) -> pb::CallInfo& { return *call.mutable_info(); }, payload);
}

const std::string& ReplyRequestId(const ReplyPayload& reply) {
  return std::visit([](const auto& message) -> const std::string& { return message.request_id(); },
                    reply);
}

std::size_t HubAnswer::size() const {
  const std::size_t body = ok() ? std::get<std::string>(outcome).size()
                                : std::get<pb::PluginError>(outcome).ByteSizeLong();
  return body + event.size() + request_id.size() + sizeof(HubAnswer);
}

}  // namespace atomemo::router
