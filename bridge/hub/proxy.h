#ifndef ATOMEMO_BRIDGE_HUB_PROXY_H_
#define ATOMEMO_BRIDGE_HUB_PROXY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/hub/hub_url.h"

namespace atomemo::hub {

// An HTTP proxy that makes tunnels (CONNECT).
struct Proxy {
  // In lower case; an IPv6 address without its brackets.
  std::string host;
  std::uint16_t port = 0;
  // Decoded; both empty if the URL has none. Secret.
  std::string user;
  std::string password;
};

// "http://user:password@proxy.example:3128", where all but the host may be left away: then the port
// is
// 80. INVALID_ARGUMENT says what is wrong and quotes nothing of the text, which may hold a
// password.
absl::StatusOr<Proxy> ParseProxy(absl::string_view text);

// "proxy.example:3128", for logs and errors.
std::string FormatProxy(const Proxy& proxy);

// The value of an environment variable; empty if it is not set.
using Environment = std::function<std::string(const char* name)>;
Environment ProcessEnvironment();

// The proxy that the environment names for the hub, if any: HTTPS_PROXY for wss, HTTP_PROXY for ws,
// else ALL_PROXY, unless NO_PROXY has the hub or the hub is on this machine. Each name may be in
// lower case, which wins. INVALID_ARGUMENT names the variable.
absl::StatusOr<std::optional<Proxy>> ProxyFromEnvironment(const HubUrl& hub,
                                                          const Environment& environment);

// Whether a NO_PROXY list has this host: "example.com" and ".example.com" stand for the domain and
// all below it, "10.0.0.0/8" for a network, "*" for everything; each but the last may end with
// ":port". `host` is a name or an address without brackets.
bool NoProxyHas(absl::string_view no_proxy, absl::string_view host, std::uint16_t port);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PROXY_H_
