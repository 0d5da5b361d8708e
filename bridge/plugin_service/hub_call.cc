#include "bridge/plugin_service/hub_call.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bridge/payload/payload.h"

namespace atomemo::plugin_service {
namespace {

// Of a call to the hub, which is a name.
constexpr std::size_t kMaxEventBytes = 1024;

absl::StatusOr<std::optional<absl::Duration>> TimeoutOf(const plugin::v1::CallHubRequest& request) {
  if (!request.has_timeout()) return std::nullopt;
  const absl::Duration timeout =
      absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos());
  if (timeout <= absl::ZeroDuration() || timeout > absl::Hours(1)) {
    return absl::InvalidArgumentError("timeout must be more than 0 and at most 1 hour");
  }
  return timeout;
}

}  // namespace

absl::StatusOr<HubCallRequest> ReadHubCall(const plugin::v1::CallHubRequest& request) {
  const absl::StatusOr<std::optional<absl::Duration>> timeout = TimeoutOf(request);
  if (!timeout.ok()) return timeout.status();
  if (request.event().empty()) return absl::InvalidArgumentError("`event` is empty");
  if (request.event().size() > kMaxEventBytes) {
    return absl::InvalidArgumentError(absl::StrCat("`event` has ", request.event().size(),
                                                   " bytes, and may have ", kMaxEventBytes));
  }
  absl::StatusOr<std::string> data = payload::JsonTextOf(request.data());
  if (!data.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`data`: ", payload::MessageWithExcerpt(data.status())));
  }
  return HubCallRequest{request.event(), *std::move(data), *timeout};
}

}  // namespace atomemo::plugin_service
