#include "bridge/devhub/host_policy.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace atomemo::devhub {
namespace {

// `host` without its port and without the brackets of an IPv6 address, in lower case.
std::string BareHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::AsciiStrToLower(host.substr(0, host.find(']')));
  }
  return absl::AsciiStrToLower(host.substr(0, host.find(':')));
}

}  // namespace

HostPolicy::HostPolicy(const std::vector<std::string>& hosts)
    : hosts_{"localhost", "127.0.0.1", "::1"} {
  for (const std::string& host : hosts) hosts_.insert(absl::AsciiStrToLower(host));
}

bool HostPolicy::AllowsHost(absl::string_view host) const {
  return hosts_.count(BareHost(host)) != 0;
}

bool HostPolicy::AllowsOrigin(absl::string_view origin) const {
  if (origin.empty()) return true;
  return (absl::ConsumePrefix(&origin, "http://") || absl::ConsumePrefix(&origin, "https://")) &&
         AllowsHost(origin);
}

}  // namespace atomemo::devhub
