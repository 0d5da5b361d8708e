#include "bridge/cli/flag_types.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace atomemo::cli {

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
      ->check(CLI::PositiveNumber)
      ->type_name("BYTES")
      ->capture_default_str();
}

CLI::Option* AddCount(CLI::App& app, const std::string& name, std::size_t& value,
                      const std::string& help) {
  return app.add_option(name, value, help)
      ->check(CLI::PositiveNumber)
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

std::string DefaultSocketPath() {
  const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  if (runtime_dir != nullptr && *runtime_dir != '\0')
    return absl::StrCat(runtime_dir, "/atomemo/bridge.sock");
  return absl::StrCat("/tmp/atomemo-", getuid(), "/bridge.sock");
}

}  // namespace atomemo::cli
