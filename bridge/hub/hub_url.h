#ifndef ATOMEMO_BRIDGE_HUB_HUB_URL_H_
#define ATOMEMO_BRIDGE_HUB_HUB_URL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

// Where the hub is, from HUB_WS_URL: checked and normalised.
struct HubUrl {
  bool secure = false;
  // In lower case; an IPv6 address in its brackets.
  std::string host;
  std::uint16_t port = 0;
  // Empty, or begins with '/' and does not end with one.
  std::string path;
};

// INVALID_ARGUMENT names HUB_WS_URL, says what is wrong with it and what to write instead, and
// quotes nothing of it that may be secret.
absl::StatusOr<HubUrl> ParseHubUrl(absl::string_view text);

// The host without the brackets of an IPv6 address.
std::string BareHost(const HubUrl& url);

// "wss://host:port/path", without what makes it a certain socket: for logs.
std::string FormatHubUrl(const HubUrl& url);

// The address of one of the hub's two sockets. In debug mode it contains the key: never log it.
std::string SocketUrl(const HubUrl& url, router::HubMode mode, absl::string_view api_key);

// What HUB_WS_URL would have to be for a socket at `location`, an http, https, ws or wss URL. Empty
// if that is none of the hub's sockets.
std::string HubUrlOfSocket(absl::string_view location);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HUB_URL_H_
