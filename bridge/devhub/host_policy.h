#ifndef ATOMEMO_BRIDGE_DEVHUB_HOST_POLICY_H_
#define ATOMEMO_BRIDGE_DEVHUB_HOST_POLICY_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace atomemo::devhub {

// Which Host and Origin headers are the developer's own: the loopback names and those given. A web
// page elsewhere can make a browser call a local port, by its own origin or by a name that it lets
// point to this machine; neither passes. Immutable.
class HostPolicy {
 public:
  // `hosts`: names or addresses without port.
  explicit HostPolicy(const std::vector<std::string>& hosts);

  // `host` is a Host header: a name or address with or without port.
  bool AllowsHost(absl::string_view host) const;

  // No origin at all is fine: only browsers send one.
  bool AllowsOrigin(absl::string_view origin) const;

 private:
  std::set<std::string> hosts_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_HOST_POLICY_H_
