#ifndef ATOMEMO_BRIDGE_CLI_SERVE_FLAGS_H_
#define ATOMEMO_BRIDGE_CLI_SERVE_FLAGS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bridge/app.h"
#include "bridge/base/log.h"
#include "bridge/cli/limit_flags.h"
#include "bridge/devhub/dev_hub.h"

namespace atomemo::cli {

// --log-level and --log-format.
struct LogFlags {
  std::string level = "info";
  std::string format = "text";
  void AddTo(CLI::App& app);
  // Sets up logging.
  void Apply() const;
};

// The flags of `serve`, and of the bridge in `dev`.
class ServeFlags {
 public:
  // `with_hub`: also the flags that say where the hub is.
  void AddTo(CLI::App& app, bool with_hub);

  // Checks all and fills in what the environment file says. The hub is taken from the flags.
  absl::StatusOr<AppOptions> Resolve();
  // The same with a hub on this machine.
  absl::StatusOr<AppOptions> ResolveFor(const std::string& hub_ws_url, const std::string& api_key);

  const std::string& socket() const { return options_.plugin_server.socket.path; }

 private:
  absl::Status ResolveCommon();
  absl::Status ResolveProxy();
  absl::Status ReadPluginTokens();

  AppOptions options_;
  LimitFlags limits_;
  std::string hub_ws_url_;
  std::string hub_mode_ = "debug";
  std::string hub_proxy_;
  std::string env_file_ = ".env";
  std::string plugin_tokens_file_;
  bool debugger_ = false;
  CLI::Option* hub_ws_url_option_ = nullptr;
  CLI::Option* hub_mode_option_ = nullptr;
  CLI::Option* hub_proxy_option_ = nullptr;
  CLI::Option* env_file_option_ = nullptr;
  CLI::Option* journal_option_ = nullptr;
};

// The flags of `hub`, and of the hub in `dev`.
class HubFlags {
 public:
  void AddTo(CLI::App& app);
  absl::StatusOr<devhub::DevHubOptions> Resolve();

 private:
  devhub::DevHubOptions options_;
  std::string listen_ = "127.0.0.1:4000";
};

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_SERVE_FLAGS_H_
