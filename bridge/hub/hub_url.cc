#include "bridge/hub/hub_url.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace atomemo::hub {
namespace {

// DNS allows no longer name.
constexpr std::size_t kMaxHostBytes = 253;
constexpr std::uint16_t kPlainPort = 80;
constexpr std::uint16_t kSecurePort = 443;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("HUB_WS_URL ", what));
}

// Consumes the scheme.
absl::StatusOr<bool> TakeSecure(absl::string_view& text) {
  const std::size_t mark = text.find("://");
  if (mark == absl::string_view::npos) {
    return Bad("has no scheme: it must begin with ws:// or wss://, for instance wss://hub.example");
  }
  const std::string scheme = absl::AsciiStrToLower(text.substr(0, mark));
  text.remove_prefix(mark + 3);
  // The official CLI writes http and https.
  if (scheme == "ws" || scheme == "http") return false;
  if (scheme == "wss" || scheme == "https") return true;
  return Bad("must begin with ws:// or wss://");
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}

bool IsIpv6Character(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.';
}

// Consumes the host, up to the port's ':'.
absl::StatusOr<std::string> TakeHost(absl::string_view& authority) {
  std::size_t end = authority.find(':');
  if (absl::StartsWith(authority, "[")) {
    const std::size_t bracket = authority.find(']');
    if (bracket == absl::string_view::npos) return Bad("has a '[' without its ']'");
    const absl::string_view address = authority.substr(1, bracket - 1);
    if (address.empty() || !std::all_of(address.begin(), address.end(), IsIpv6Character)) {
      return Bad("has something in its [ ] that is not an IPv6 address");
    }
    end = bracket + 1;
  }
  const absl::string_view host = authority.substr(0, end);
  authority.remove_prefix(host.size());
  if (host.empty()) return Bad("has no host after its scheme");
  if (host.size() > kMaxHostBytes) return Bad("has a host name longer than 253 characters");
  if (host[0] != '[' && !std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return Bad("has a host name with a character that no host name may have");
  }
  return absl::AsciiStrToLower(host);
}

// What follows the host: nothing, or ':' and a number.
absl::StatusOr<std::uint16_t> ReadPort(absl::string_view text, bool secure) {
  if (text.empty()) return secure ? kSecurePort : kPlainPort;
  int port = 0;
  const bool digits =
      text.size() > 1 && text[0] == ':' && std::all_of(text.begin() + 1, text.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      });
  if (!digits || !absl::SimpleAtoi(text.substr(1), &port) || port < 1 || port > 65535) {
    return Bad("has a bad port: it must be a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

absl::StatusOr<std::string> ReadPath(absl::string_view path) {
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  for (const char c : path) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return Bad("has a space or another character in its path that must be percent-encoded");
    }
  }
  for (const absl::string_view added : {"/debug_socket", "/release_socket"}) {
    if (absl::EndsWith(path, added) || absl::EndsWith(path, absl::StrCat(added, "/websocket"))) {
      return Bad(absl::StrCat("ends with ", added, ": leave that away, it is added by itself"));
    }
  }
  return std::string(path);
}

std::string PercentEncode(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", c)) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%",
                      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(byte, absl::kZeroPad2))));
    }
  }
  return out;
}

// Without what editors, shells and compose files put around it.
absl::string_view Bare(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  text = absl::StripAsciiWhitespace(text);
  const bool quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? absl::StripAsciiWhitespace(text.substr(1, text.size() - 2)) : text;
}

}  // namespace

absl::StatusOr<HubUrl> ParseHubUrl(absl::string_view text) {
  text = Bare(text);
  if (text.empty())
    return Bad("is empty: set it to the hub's address, for instance wss://hub.example");
  const absl::StatusOr<bool> secure = TakeSecure(text);
  if (!secure.ok()) return secure.status();
  if (absl::StrContains(text, '?')) return Bad("has a query (?...): leave it away");
  if (absl::StrContains(text, '#')) return Bad("has a fragment (#...): leave it away");
  absl::string_view authority = text.substr(0, text.find('/'));
  const absl::string_view rest = text.substr(authority.size());
  if (absl::StrContains(authority, '@')) {
    return Bad(
        "has a user name or password (...@): leave it away; the key goes into HUB_DEBUG_API_KEY");
  }
  absl::StatusOr<std::string> host = TakeHost(authority);
  if (!host.ok()) return host.status();
  const absl::StatusOr<std::uint16_t> port = ReadPort(authority, *secure);
  if (!port.ok()) return port.status();
  absl::StatusOr<std::string> path = ReadPath(rest);
  if (!path.ok()) return path.status();
  return HubUrl{*secure, *std::move(host), *port, *std::move(path)};
}

std::string BareHost(const HubUrl& url) {
  absl::string_view host = url.host;
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return std::string(host);
}

std::string FormatHubUrl(const HubUrl& url) {
  return absl::StrCat(url.secure ? "wss" : "ws", "://", url.host, ":", url.port, url.path);
}

std::string SocketUrl(const HubUrl& url, router::HubMode mode, absl::string_view api_key) {
  // vsn asks for the array format; without it Phoenix speaks objects.
  if (mode == router::HubMode::kRelease) {
    return absl::StrCat(FormatHubUrl(url), "/release_socket/websocket?vsn=2.0.0");
  }
  return absl::StrCat(FormatHubUrl(url), "/debug_socket/websocket?api_key=", PercentEncode(api_key),
                      "&vsn=2.0.0");
}

std::string HubUrlOfSocket(absl::string_view location) {
  location = location.substr(0, location.find_first_of("?#"));
  if (!absl::ConsumeSuffix(&location, "/debug_socket/websocket") &&
      !absl::ConsumeSuffix(&location, "/release_socket/websocket")) {
    return "";
  }
  const absl::StatusOr<HubUrl> url = ParseHubUrl(location);
  return url.ok() ? FormatHubUrl(*url) : "";
}

}  // namespace atomemo::hub
