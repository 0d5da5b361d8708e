#ifndef ATOMEMO_BRIDGE_CLI_FLAG_TYPES_H_
#define ATOMEMO_BRIDGE_CLI_FLAG_TYPES_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::cli {

// A flag that takes a positive duration such as 500ms, 30s or 5m; `value` holds the default.
CLI::Option* AddDuration(CLI::App& app, const std::string& name, absl::Duration& value,
                         const std::string& help);

// A flag that takes a positive size such as 4096, 64KB or 16MB (powers of 1024); `value` holds the
// default.
CLI::Option* AddSize(CLI::App& app, const std::string& name, std::size_t& value,
                     const std::string& help);

// A flag that takes a positive count.
CLI::Option* AddCount(CLI::App& app, const std::string& name, std::size_t& value,
                      const std::string& help);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

// "127.0.0.1:4000", "[::1]:4000" or "localhost:0".
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// The path that --socket or ATOMEMO_BRIDGE_SOCKET means: a path, or the form in which gRPC clients
// take it, unix:/path or unix:///path. INVALID_ARGUMENT for what names no Unix socket.
absl::StatusOr<std::string> ParseSocketPath(absl::string_view text);

// --socket, which may stand in ATOMEMO_BRIDGE_SOCKET; `value` holds the default.
CLI::Option* AddSocket(CLI::App& app, std::string& value, const std::string& help);

// Where plugins look for the bridge when nobody says otherwise:
// $XDG_RUNTIME_DIR/atomemo/bridge.sock, else /tmp/atomemo-<uid>/bridge.sock. The SDKs follow the
// same rule.
std::string DefaultSocketPath();

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_FLAG_TYPES_H_
