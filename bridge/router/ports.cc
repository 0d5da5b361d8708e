#include "bridge/router/ports.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace atomemo::router {
namespace {

constexpr absl::string_view kHubErrorUrl = "type.googleapis.com/atomemo.plugin.v1.HubError";
constexpr absl::string_view kViolationsUrl =
    "type.googleapis.com/atomemo.plugin.v1.DefinitionViolations";

template <typename Message>
std::optional<Message> GetPayload(const absl::Status& status, absl::string_view url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  Message message;
  if (!payload || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

}  // namespace

std::string TopicOf(HubMode mode, absl::string_view name, absl::string_view version) {
  if (mode == HubMode::kDebug) return absl::StrCat("debug_plugin:", name);
  return absl::StrCat("release_plugin:", name, "__release__", version);
}

void SetHubError(absl::Status& status, const pb::HubError& error) {
  status.SetPayload(kHubErrorUrl, absl::Cord(error.SerializeAsString()));
}

std::optional<pb::HubError> GetHubError(const absl::Status& status) {
  return GetPayload<pb::HubError>(status, kHubErrorUrl);
}

void SetViolations(absl::Status& status, const pb::DefinitionViolations& violations) {
  status.SetPayload(kViolationsUrl, absl::Cord(violations.SerializeAsString()));
}

std::optional<pb::DefinitionViolations> GetViolations(const absl::Status& status) {
  return GetPayload<pb::DefinitionViolations>(status, kViolationsUrl);
}

}  // namespace atomemo::router
