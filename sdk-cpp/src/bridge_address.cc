#include "sdk-cpp/src/bridge_address.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace atomemo::internal {
namespace {

// `sun_path` holds the path and its terminating zero.
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

std::string Address(const std::string& configured, const Environment& env) {
  if (!configured.empty()) return configured;
  if (std::string socket = env("ATOMEMO_BRIDGE_SOCKET"); !socket.empty()) return socket;
  if (const std::string runtime = env("XDG_RUNTIME_DIR"); !runtime.empty()) {
    return absl::StrCat(runtime, "/atomemo/bridge.sock");
  }
  return absl::StrCat("/tmp/atomemo-", getuid(), "/bridge.sock");
}

// "host:port" and targets with a scheme; all others are paths.
bool IsNetworkTarget(absl::string_view address) {
  if (absl::StartsWith(address, "dns:") || absl::StartsWith(address, "ipv4:") ||
      absl::StartsWith(address, "ipv6:")) {
    return true;
  }
  const std::size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || absl::StrContains(address, '/')) return false;
  const absl::string_view port = address.substr(colon + 1);
  return !port.empty() && std::all_of(port.begin(), port.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

absl::StatusOr<std::string> BridgeTarget(const std::string& configured, const Environment& env) {
  const std::string address = Address(configured, env);
  if (IsNetworkTarget(address)) return address;
  absl::string_view path = address;
  absl::ConsumePrefix(&path, "unix:");
  // The form with an authority: unix:///run/bridge.sock.
  if (absl::StartsWith(path, "///")) path.remove_prefix(2);
  if (path.size() > kMaxSocketPath) {
    return absl::InvalidArgumentError(
        absl::StrCat("the bridge's socket path has ", path.size(), " bytes, but ", kMaxSocketPath,
                     " is the most that a Unix socket allows: ", path,
                     " (set ATOMEMO_BRIDGE_SOCKET to a shorter one)"));
  }
  return absl::StrCat("unix:", path);
}

}  // namespace atomemo::internal
