#include "bridge/router/call.h"

#include <utility>

namespace atomemo::router {

PluginReply FailedReply(std::string request_id, pb::PluginError error) {
  PluginReply reply;
  reply.request_id = std::move(request_id);
  reply.size = error.ByteSizeLong();
  reply.outcome = [error = std::move(error)](const HubEvent&) {
    return absl::StatusOr<CallOutcome>(error);
  };
  return reply;
}

std::size_t HubAnswer::size() const {
  const std::size_t body = ok() ? std::get<std::string>(outcome).size()
                                : std::get<pb::PluginError>(outcome).ByteSizeLong();
  return body + event.size() + request_id.size() + sizeof(HubAnswer);
}

}  // namespace atomemo::router
