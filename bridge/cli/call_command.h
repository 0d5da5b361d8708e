#ifndef ATOMEMO_BRIDGE_CLI_CALL_COMMAND_H_
#define ATOMEMO_BRIDGE_CLI_CALL_COMMAND_H_

#include <iostream>
#include <optional>
#include <ostream>
#include <string>

#include "absl/time/time.h"

namespace atomemo::cli {

inline constexpr char kDefaultHubUrl[] = "http://127.0.0.1:4000";

// `atomemo-bridge call PLUGIN EVENT JSON`.
struct CallOptions {
  std::string plugin;
  std::string event;
  // The call's payload, a JSON object; `@file` reads it from there, and `-` from `input`.
  std::string json = "{}";
  // Where the development hub's HTTP API is (--hub, ATOMEMO_HUB_URL).
  std::string hub_url = kDefaultHubUrl;
  // A release of the plugin; empty: the one in development, or else the latest release.
  std::string version;
  // How long the hub waits for the plugin; nothing: what the event usually takes.
  std::optional<absl::Duration> timeout;
  // Print the answer's payload as the plugin sent it, digit by digit, instead of indented.
  bool raw = false;
  std::istream* input = &std::cin;
};

// Makes one call through the development hub and prints the answer's payload to `out`, and what
// went wrong to `err`. Returns the exit code: 0 for a `_response`, 1 for an `_error` (or an event
// that the plugin does not know), 2 when no answer came: unusable input, no hub, no such plugin, or
// a timeout.
int RunCall(const CallOptions& options, std::ostream& out, std::ostream& err);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_CALL_COMMAND_H_
