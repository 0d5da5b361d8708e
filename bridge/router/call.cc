#include "bridge/router/call.h"

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
