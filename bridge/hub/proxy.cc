#include "bridge/hub/proxy.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <asio/ip/network_v4.hpp>
#include <asio/ip/network_v6.hpp>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace atomemo::hub {
namespace {

constexpr std::uint16_t kDefaultPort = 80;
constexpr std::size_t kMaxHostBytes = 253;

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A lone '%' stands for itself.
std::string PercentDecode(absl::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                         HexDigit(text[i + 2]) >= 0;
    if (encoded) {
      out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

bool IsHostCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_';
}

struct HostAndPort {
  std::string host;
  absl::string_view port;  // with its ':', or empty
};

// Splits "host", "host:1", "[::1]" and "[::1]:1". A bare IPv6 address has no port.
absl::StatusOr<HostAndPort> SplitAuthority(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "[")) {
    const std::size_t end = text.find(']');
    if (end == absl::string_view::npos) return Bad("has a '[' without its ']'");
    return HostAndPort{absl::AsciiStrToLower(text.substr(0, end)), text.substr(end + 1)};
  }
  std::size_t colon = text.find(':');
  if (colon != text.rfind(':')) colon = absl::string_view::npos;
  return HostAndPort{absl::AsciiStrToLower(text.substr(0, colon)),
                     colon == absl::string_view::npos ? "" : text.substr(colon)};
}

bool IsAddress(const std::string& host) {
  asio::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

absl::Status CheckScheme(absl::string_view scheme) {
  const std::string lower = absl::AsciiStrToLower(scheme);
  if (lower == "http") return absl::OkStatus();
  if (lower == "https") {
    return Bad(
        "begins with https://: the bridge speaks to proxies without TLS only; write http://");
  }
  if (absl::StartsWith(lower, "socks")) {
    return Bad("names a SOCKS proxy: the bridge can use HTTP proxies only (http://)");
  }
  return Bad("must begin with http://");
}

// What `entry` of a NO_PROXY list says about an address.
bool NetworkHas(absl::string_view entry, const asio::ip::address& address) {
  asio::error_code error;
  const std::string text(entry);
  if (address.is_v4()) {
    const auto network = asio::ip::make_network_v4(text, error);
    return !error && network.canonical() ==
                         asio::ip::network_v4(address.to_v4(), network.prefix_length()).canonical();
  }
  const auto network = asio::ip::make_network_v6(text, error);
  return !error && network.canonical() ==
                       asio::ip::network_v6(address.to_v6(), network.prefix_length()).canonical();
}

bool EntryHas(absl::string_view entry, const std::string& host, std::uint16_t port) {
  if (entry == "*") return true;
  asio::error_code no_address;
  const asio::ip::address address = asio::ip::make_address(host, no_address);
  if (!no_address && NetworkHas(entry, address)) return true;
  const absl::StatusOr<HostAndPort> parts = SplitAuthority(entry);
  if (!parts.ok()) return false;
  if (!parts->port.empty() && parts->port != absl::StrCat(":", port)) return false;
  if (!no_address) {
    const asio::ip::address named = asio::ip::make_address(parts->host, no_address);
    return !no_address && named == address;
  }
  absl::string_view domain = parts->host;
  absl::ConsumePrefix(&domain, "*");
  absl::ConsumePrefix(&domain, ".");
  absl::ConsumeSuffix(&domain, ".");
  if (domain.empty()) return false;
  return host == domain || absl::EndsWith(host, absl::StrCat(".", domain));
}

bool IsThisMachine(const std::string& host) {
  asio::error_code no_address;
  const asio::ip::address address = asio::ip::make_address(host, no_address);
  return no_address ? host == "localhost" || absl::EndsWith(host, ".localhost")
                    : address.is_loopback();
}

// A variable by its name in capital letters, and what it is called where it was found.
struct Variable {
  std::string name;
  std::string value;
};

Variable Find(const std::string& name, const Environment& environment) {
  std::string lower = absl::AsciiStrToLower(name);
  std::string value = environment(lower.c_str());
  if (!value.empty()) return {std::move(lower), std::move(value)};
  // A CGI program gets a request's "Proxy:" header as HTTP_PROXY.
  if (name == "HTTP_PROXY" && !environment("REQUEST_METHOD").empty()) return {name, ""};
  return {name, environment(name.c_str())};
}

}  // namespace

absl::StatusOr<Proxy> ParseProxy(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const std::size_t mark = text.find("://");
  if (mark != absl::string_view::npos) {
    if (absl::Status status = CheckScheme(text.substr(0, mark)); !status.ok()) return status;
    text.remove_prefix(mark + 3);
  }
  // A password may hold a '/' that should have been encoded; a host may not.
  Proxy proxy;
  const std::size_t at = text.rfind('@');
  if (at != absl::string_view::npos) {
    const std::pair<absl::string_view, absl::string_view> credentials =
        absl::StrSplit(text.substr(0, at), absl::MaxSplits(':', 1));
    proxy.user = PercentDecode(credentials.first);
    proxy.password = PercentDecode(credentials.second);
    if (absl::StrContains(proxy.user, ':')) return Bad("has a user name with a ':'");
    text.remove_prefix(at + 1);
  }
  const std::size_t path = text.find_first_of("/?#");
  if (path != absl::string_view::npos && text.substr(path) != "/") {
    return Bad("has something behind its host and port");
  }
  const absl::StatusOr<HostAndPort> parts = SplitAuthority(text.substr(0, path));
  if (!parts.ok()) return parts.status();
  const bool valid_host = !parts->host.empty() && parts->host.size() <= kMaxHostBytes &&
                          (IsAddress(parts->host) ||
                           std::all_of(parts->host.begin(), parts->host.end(), IsHostCharacter));
  if (!valid_host) return Bad("has no valid host");
  proxy.host = parts->host;
  proxy.port = kDefaultPort;
  if (!parts->port.empty()) {
    unsigned port = 0;
    if (!absl::SimpleAtoi(parts->port.substr(1), &port) || port < 1 || port > 65535) {
      return Bad("has a bad port: it must be a number from 1 to 65535");
    }
    proxy.port = static_cast<std::uint16_t>(port);
  }
  return proxy;
}

std::string FormatProxy(const Proxy& proxy) {
  const bool v6 = absl::StrContains(proxy.host, ':');
  return absl::StrCat(v6 ? "[" : "", proxy.host, v6 ? "]" : "", ":", proxy.port);
}

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

absl::StatusOr<std::optional<Proxy>> ProxyFromEnvironment(const HubUrl& hub,
                                                          const Environment& environment) {
  Variable variable = Find(hub.secure ? "HTTPS_PROXY" : "HTTP_PROXY", environment);
  if (variable.value.empty()) variable = Find("ALL_PROXY", environment);
  if (variable.value.empty()) return std::nullopt;
  const std::string host = BareHost(hub);
  if (IsThisMachine(host)) return std::nullopt;
  if (NoProxyHas(Find("NO_PROXY", environment).value, host, hub.port)) return std::nullopt;
  absl::StatusOr<Proxy> proxy = ParseProxy(variable.value);
  if (!proxy.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the proxy in ", variable.name, " ", proxy.status().message(),
                     " (--hub-proxy names another one for the hub, --hub-proxy none uses none)"));
  }
  return *std::move(proxy);
}

bool NoProxyHas(absl::string_view no_proxy, absl::string_view host, std::uint16_t port) {
  std::string bare = absl::AsciiStrToLower(host);
  if (absl::EndsWith(bare, ".")) bare.pop_back();
  for (const absl::string_view entry :
       absl::StrSplit(no_proxy, absl::ByAnyChar(", \t"), absl::SkipEmpty())) {
    if (EntryHas(entry, bare, port)) return true;
  }
  return false;
}

}  // namespace atomemo::hub
