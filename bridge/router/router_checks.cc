#include "bridge/router/router_checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bridge/router/errors.h"
#include "google/protobuf/util/time_util.h"

namespace atomemo::router {
std::optional<pb::PluginError> CheckCall(const Plugin& plugin, const HubCall& call) {
  if (call.event->is_for_credential) {
    if (plugin.credentials().contains(call.target)) return std::nullopt;
    return BridgeError(
        code::kCredentialNotFound, "CredentialNotFound",
        absl::StrCat("the plugin \"", plugin.name, "\" has no credential \"", call.target, "\""));
  }
  const auto tool = plugin.tools().find(call.target);
  if (tool == plugin.tools().end()) {
    return BridgeError(
        code::kToolNotFound, "ToolNotFound",
        absl::StrCat("the plugin \"", plugin.name, "\" has no tool \"", call.target, "\""));
  }
  if (call.event->methods == nullptr) return std::nullopt;
  if ((tool->second.*call.event->methods).contains(call.method)) return std::nullopt;
  return BridgeError(code::kMethodNotSupported, "MethodNotSupported",
                     absl::StrCat("no parameter of the tool \"", call.target, "\" has the ",
                                  call.event->method_word, " \"", call.method, "\""));
}

absl::Duration TimeoutOf(const Plugin& plugin, const HubCall& call, const Timeouts& timeouts) {
  if (!call.event->obeys_tool_policy) return timeouts.*call.event->timeout;
  const auto policy = plugin.tool_policies.find(call.target);
  if (policy != plugin.tool_policies.end() && policy->second.has_timeout()) {
    const auto own = absl::Nanoseconds(
        google::protobuf::util::TimeUtil::DurationToNanoseconds(policy->second.timeout()));
    return std::clamp(own, absl::Milliseconds(1), kMaxInvokeTimeout);
  }
  const auto facts = plugin.tools().find(call.target);
  if (facts != plugin.tools().end() && facts->second.timeout) {
    return std::max<absl::Duration>(*facts->second.timeout, absl::Milliseconds(1));
  }
  return timeouts.*call.event->timeout;
}

}  // namespace atomemo::router
