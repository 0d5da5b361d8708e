#include "bridge/cli/flag_types.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace atomemo::cli {
namespace {

// CLI11's own names the range of a double.
CLI::Validator Positive() {
  return CLI::Validator(
      [](std::string& text) {
        std::size_t value = 0;
        return absl::SimpleAtoi(text, &value) && value > 0 ? std::string()
                                                           : text + " is not a number above 0";
      },
      "POSITIVE");
}

}  // namespace

CLI::Option* AddDuration(CLI::App& app, const std::string& name, absl::Duration& value,
                         const std::string& help) {
  const auto parse = [&value, name](const std::string& text) {
    absl::Duration parsed;
    if (!absl::ParseDuration(text, &parsed) || parsed <= absl::ZeroDuration()) {
      throw CLI::ValidationError(
          name, "\"" + text + "\" is not a positive duration such as 500ms, 30s or 5m");
    }
    value = parsed;
  };
  return app.add_option_function<std::string>(name, parse, help)
      ->type_name("DURATION")
      ->default_str(absl::FormatDuration(value));
}

CLI::Option* AddSize(CLI::App& app, const std::string& name, std::size_t& value,
                     const std::string& help) {
  return app.add_option(name, value, help)
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(Positive())
      ->type_name("BYTES")
      ->capture_default_str();
}

CLI::Option* AddCount(CLI::App& app, const std::string& name, std::size_t& value,
                      const std::string& help) {
  return app.add_option(name, value, help)
      ->check(Positive())
      ->type_name("N")
      ->capture_default_str();
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const auto bad = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not HOST:PORT, such as 127.0.0.1:4000 or [::1]:4000"));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return bad();
  absl::string_view host = text.substr(0, colon);
  unsigned port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) return bad();
  if (host.front() == '[') {
    if (host.back() != ']') return bad();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return bad();
  }
  if (host.empty()) return bad();
  return HostPort{std::string(host), static_cast<std::uint16_t>(port)};
}

absl::StatusOr<std::string> ParseSocketPath(absl::string_view text) {
  const auto bad = [text](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" ", what));
  };
  absl::string_view path = text;
  if (absl::ConsumePrefix(&path, "unix:")) {
    // With an authority, which is empty: unix:///run/bridge.sock.
    const bool has_authority = absl::ConsumePrefix(&path, "//");
    if (path.empty() || (has_authority && path[0] != '/')) {
      return bad("is not unix:/PATH or unix:///PATH");
    }
    return std::string(path);
  }
  const std::size_t colon = path.rfind(':');
  const absl::string_view port = colon == absl::string_view::npos ? "" : path.substr(colon + 1);
  const bool host_and_port = !port.empty() && !absl::StrContains(path, '/') &&
                             std::all_of(port.begin(), port.end(), [](char c) {
                               return absl::ascii_isdigit(static_cast<unsigned char>(c));
                             });
  const bool other_target = absl::StrContains(path, "://") || absl::StartsWith(path, "dns:") ||
                            absl::StartsWith(path, "ipv4:") || absl::StartsWith(path, "ipv6:") ||
                            absl::StartsWith(path, "unix-abstract:");
  if (host_and_port || other_target) {
    return bad("is no path of a Unix socket (the bridge takes HOST:PORT with --tcp)");
  }
  return std::string(path);
}

CLI::Option* AddSocket(CLI::App& app, std::string& value, const std::string& help) {
  const auto normalize = [](std::string& text) -> std::string {
    absl::StatusOr<std::string> path = ParseSocketPath(text);
    if (!path.ok()) return std::string(path.status().message());
    text = *std::move(path);
    return "";
  };
  return app.add_option("--socket", value, help)
      ->transform(CLI::Validator(normalize, ""))
      ->envname("ATOMEMO_BRIDGE_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
}

std::string DefaultSocketPath() {
  const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  if (runtime_dir != nullptr && *runtime_dir != '\0')
    return absl::StrCat(runtime_dir, "/atomemo/bridge.sock");
  return absl::StrCat("/tmp/atomemo-", getuid(), "/bridge.sock");
}

}  // namespace atomemo::cli
