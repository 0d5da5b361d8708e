#include "bridge/cli/serve_flags.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bridge/base/small_file.h"
#include "bridge/cli/flag_types.h"
#include "bridge/definition/text_rules.h"
#include "bridge/hub/hub_url.h"
#include "bridge/hub/proxy.h"
#include "bridge/plugin_service/library_log.h"
#include "bridge/version.h"

namespace atomemo::cli {
namespace {

// "/run/atomemo/bridge.sock" -> "/run/atomemo/bridge.journal"
std::string JournalBeside(absl::string_view socket) {
  return socket.empty() ? "" : absl::StrCat(absl::StripSuffix(socket, ".sock"), ".journal");
}

}  // namespace

void LogFlags::AddTo(CLI::App& app) {
  app.add_option("--log-level", level, "What is logged on stderr")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->envname("ATOMEMO_LOG_LEVEL")
      ->capture_default_str()
      ->group("Logging");
  app.add_option("--log-format", format, "Lines for people, or one JSON object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->envname("ATOMEMO_LOG_FORMAT")
      ->capture_default_str()
      ->group("Logging");
}

void LogFlags::Apply() const {
  const base::LogLevel parsed = level == "debug"     ? base::LogLevel::kDebug
                                : level == "warning" ? base::LogLevel::kWarning
                                : level == "error"   ? base::LogLevel::kError
                                                     : base::LogLevel::kInfo;
  base::InitLog(parsed, format == "json" ? base::LogFormat::kJson : base::LogFormat::kText);
  plugin_service::LogForLibraries();
}

void ServeFlags::AddTo(CLI::App& app, bool with_hub) {
  if (with_hub) {
    hub_ws_url_option_ = app.add_option("--hub-ws-url", hub_ws_url_,
                                        "The hub, such as wss://hub.example.com (required)")
                             ->envname("HUB_WS_URL")
                             ->type_name("URL")
                             ->group("Hub");
    hub_mode_option_ =
        app.add_option("--hub-mode", hub_mode_,
                       "debug: definitions are sent to the hub; release: it knows them")
            ->check(CLI::IsMember({"debug", "release"}))
            ->envname("HUB_MODE")
            ->capture_default_str()
            ->group("Hub");
    app.add_option("--debug-api-key", options_.hub.api_key.key,
                   "The key for debug mode; better in a file")
        ->envname("HUB_DEBUG_API_KEY")
        ->type_name("KEY")
        ->group("Hub");
    app.add_option("--debug-api-key-file", options_.hub.api_key.key_file,
                   "A file that holds the key; read again whenever the bridge connects")
        ->envname("HUB_DEBUG_API_KEY_FILE")
        ->type_name("FILE")
        ->group("Hub");
    env_file_option_ =
        app.add_option(
               "--env-file", env_file_,
               "NAME=value lines for the three above; the key is read again on every connect")
            ->type_name("FILE")
            ->capture_default_str()
            ->group("Hub");
    hub_proxy_option_ =
        app.add_option(
               "--hub-proxy", hub_proxy_,
               "The HTTP proxy to reach the hub through, http://[USER:PASSWORD@]HOST:PORT, or "
               "none (default: what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say)")
            ->type_name("URL")
            ->group("Hub");
    app.add_option("--ca-file", options_.websocket.extra_ca_file,
                   "PEM certificates to trust beside the system's, for wss")
        ->type_name("FILE")
        ->group("Hub");
    AddSize(app, "--max-frame-bytes", options_.hub.socket.max_frame_bytes,
            "The hub's limit for one message, with its header of 14 bytes")
        ->group("Hub");
    AddCount(app, "--hub-sockets", options_.hub.pool.spread,
             "Connections that plugins are spread over before they share one")
        ->group("Hub");
  }
  plugin_service::PluginServerOptions& server = options_.plugin_server;
  server.socket.path = DefaultSocketPath();
  AddSocket(app, server.socket.path, "The Unix socket for plugins: a path, or unix:/path")
      ->group("Plugins");
  journal_option_ =
      app.add_option(
             "--journal", options_.journal_path,
             "Where calls in flight are noted, so that none is forgotten or run again should "
             "the bridge be killed; it survives the process, not the machine; \"\" for nowhere "
             "(default: beside the socket)")
          ->envname("ATOMEMO_BRIDGE_JOURNAL")
          ->type_name("FILE")
          ->group("Plugins");
  app.add_flag("--journal-sync", options_.journal_sync,
               "Have the disk store the journal's notes at once, so that it survives the machine "
               "too, but for the last moments: calls do not wait for the disk")
      ->group("Plugins");
  app.add_option("--socket-group", server.socket.group, "A group whose members may connect")
      ->type_name("GROUP")
      ->group("Plugins");
  app.add_option("--tcp", server.tcp_address,
                 "Also listen on HOST:PORT; whoever reaches it may connect")
      ->type_name("HOST:PORT")
      ->group("Plugins");
  app.add_option("--tls-cert", server.tls_cert_file, "PEM certificate for --tcp")
      ->type_name("FILE")
      ->group("Plugins");
  app.add_option("--tls-key", server.tls_key_file, "PEM key for --tcp")
      ->type_name("FILE")
      ->group("Plugins");
  app.add_option("--plugin-tokens-file", plugin_tokens_file_,
                 "NAME=TOKEN lines: a plugin named here must present its token")
      ->type_name("FILE")
      ->group("Plugins");
  app.add_option("--author", server.default_texts.author,
                 "Who wrote the plugins that do not say; official SDKs always tell the hub")
      ->envname("ATOMEMO_AUTHOR")
      ->type_name("NAME")
      ->group("Plugins");
  app.add_option("--email", server.default_texts.email,
                 "The e-mail address of the author of plugins that have none")
      ->envname("ATOMEMO_EMAIL")
      ->type_name("ADDRESS")
      ->group("Plugins");
  AddDuration(app, "--keepalive", server.keepalive_time, "How often a silent plugin is pinged")
      ->group("Plugins");
  AddDuration(app, "--keepalive-timeout", server.keepalive_timeout,
              "A plugin that does not answer a ping for so long is taken for dead")
      ->group("Plugins");
  app.add_flag("--debugger", debugger_,
               "Do not take a plugin that stands still (in a debugger) for dead")
      ->group("Plugins");

  router::Timeouts& timeouts = options_.router.timeouts;
  const char* const kDeadlines = "Deadlines";
  AddDuration(app, "--authenticate-timeout", timeouts.authenticate, "credential_auth_spec")
      ->group(kDeadlines);
  AddDuration(app, "--oauth2-timeout", timeouts.oauth2, "The three oauth2_* calls")
      ->group(kDeadlines);
  AddDuration(app, "--invoke-timeout", timeouts.invoke,
              "invoke_tool, for tools without a timeout of their own")
      ->group(kDeadlines);
  AddDuration(app, "--list-timeout", timeouts.list_resources, "locator_list")->group(kDeadlines);
  AddDuration(app, "--map-timeout", timeouts.map_resource, "resource_mapping")->group(kDeadlines);
  AddDuration(app, "--worker-grace", options_.router.worker_grace,
              "How long a call waits when no worker is connected")
      ->group(kDeadlines);
  AddDuration(app, "--drain-timeout", options_.drain_timeout,
              "How long calls in flight may take after SIGTERM, SIGINT or SIGHUP")
      ->group(kDeadlines);

  limits_.AddTo(app, options_);
}

absl::StatusOr<AppOptions> ServeFlags::Resolve() {
  const absl::StatusOr<std::string> env_text = base::ReadSmallFile(env_file_);
  if (env_text.ok()) {
    const auto fill = [&](const CLI::Option* option, absl::string_view name, std::string& value) {
      if (option->count() > 0) return;
      absl::StatusOr<std::string> found = base::FindInEnvText(*env_text, name);
      if (found.ok()) value = *std::move(found);
    };
    fill(hub_ws_url_option_, "HUB_WS_URL", hub_ws_url_);
    fill(hub_mode_option_, "HUB_MODE", hub_mode_);
  } else if (env_file_option_->count() > 0) {
    return env_text.status();
  }
  if (hub_ws_url_.empty()) {
    return absl::InvalidArgumentError(
        "no hub: set HUB_WS_URL or --hub-ws-url, such as wss://hub.example.com (`atomemo-bridge "
        "dev` needs none)");
  }
  absl::StatusOr<hub::HubUrl> url = hub::ParseHubUrl(hub_ws_url_);
  if (!url.ok()) return url.status();
  options_.hub.url = *std::move(url);
  if (hub_mode_ != "debug" && hub_mode_ != "release") {
    return absl::InvalidArgumentError(
        absl::StrCat("HUB_MODE is \"", hub_mode_, "\", and must be debug or release"));
  }
  options_.router.default_mode =
      hub_mode_ == "debug" ? router::HubMode::kDebug : router::HubMode::kRelease;
  options_.hub.api_key.env_file = env_file_;
  if (hub_mode_ == "debug") {
    const absl::StatusOr<std::string> key = base::ApiKeySource(options_.hub.api_key).Read();
    if (!key.ok()) return key.status();
  }
  if (absl::Status status = ResolveProxy(); !status.ok()) return status;
  if (absl::Status status = ResolveCommon(); !status.ok()) return status;
  return options_;
}

absl::Status ServeFlags::ResolveProxy() {
  if (hub_proxy_option_->count() == 0) {
    absl::StatusOr<std::optional<hub::Proxy>> found =
        hub::ProxyFromEnvironment(options_.hub.url, hub::ProcessEnvironment());
    if (!found.ok()) return found.status();
    options_.websocket.proxy = *std::move(found);
    return absl::OkStatus();
  }
  if (hub_proxy_.empty() || hub_proxy_ == "none") return absl::OkStatus();
  absl::StatusOr<hub::Proxy> proxy = hub::ParseProxy(hub_proxy_);
  if (!proxy.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--hub-proxy ", proxy.status().message()));
  }
  options_.websocket.proxy = *std::move(proxy);
  return absl::OkStatus();
}

absl::StatusOr<AppOptions> ServeFlags::ResolveFor(const std::string& hub_ws_url,
                                                  const std::string& api_key) {
  absl::StatusOr<hub::HubUrl> url = hub::ParseHubUrl(hub_ws_url);
  if (!url.ok()) return url.status();
  options_.hub.url = *std::move(url);
  options_.hub.api_key.key = api_key;
  if (absl::Status status = ResolveCommon(); !status.ok()) return status;
  return options_;
}

absl::Status ServeFlags::ResolveCommon() {
  options_.websocket.user_agent = absl::StrCat("atomemo-bridge/", kVersion);
  options_.plugin_server.bridge_version = kVersion;
  if (journal_option_->count() == 0) options_.journal_path = JournalBeside(socket());
  if (debugger_) options_.plugin_server.keepalive_time = absl::InfiniteDuration();
  if (options_.router.timeouts.invoke > router::kMaxInvokeTimeout) {
    return absl::InvalidArgumentError(
        "--invoke-timeout is more than 30m, which is as long as the hub waits");
  }
  const std::string& email = options_.plugin_server.default_texts.email;
  if (const auto complaint = email.empty() ? std::nullopt : definition::CheckEmail(email)) {
    return absl::InvalidArgumentError(absl::StrCat("--email: ", *complaint));
  }
  if (absl::Status status = limits_.Derive(); !status.ok()) return status;
  return ReadPluginTokens();
}

absl::Status ServeFlags::ReadPluginTokens() {
  if (plugin_tokens_file_.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> text = base::ReadSmallFile(plugin_tokens_file_);
  if (!text.ok()) return text.status();
  int number = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::pair<absl::string_view, absl::string_view> entry =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (entry.first.empty() || entry.second.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plugin_tokens_file_, " line ", number, " is not NAME=TOKEN"));
    }
    const absl::string_view name = absl::StripTrailingAsciiWhitespace(entry.first);
    const absl::string_view token = absl::StripLeadingAsciiWhitespace(entry.second);
    options_.router.plugin_tokens[std::string(name)] = std::string(token);
  }
  return absl::OkStatus();
}

void HubFlags::AddTo(CLI::App& app) {
  app.add_option("--listen", listen_, "Where the hub listens; port 0 takes any free one")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->group("Development hub");
  app.add_option("--api-key", options_.api_key, "The key that it asks for")
      ->type_name("KEY")
      ->capture_default_str()
      ->group("Development hub");
  app.add_option("--files-dir", options_.files_folder,
                 "Where uploaded files are kept (default: until it stops)")
      ->type_name("FOLDER")
      ->group("Development hub");
  app.add_option("--allowed-host", options_.allowed_hosts,
                 "A further name by which the HTTP API may be reached")
      ->type_name("HOST")
      ->group("Development hub");
  AddSize(app, "--hub-max-frame-bytes", options_.max_frame_bytes,
          "The largest frame that the hub takes, its header of up to 14 bytes counted in")
      ->group("Development hub");
  AddDuration(app, "--hub-channel-lag", options_.channel_lag,
              "How far channels are behind their socket, as at a busy hub")
      ->group("Development hub");
}

absl::StatusOr<devhub::DevHubOptions> HubFlags::Resolve() {
  absl::StatusOr<HostPort> address = ParseHostPort(listen_);
  if (!address.ok())
    return absl::InvalidArgumentError(absl::StrCat("--listen: ", address.status().message()));
  if (options_.api_key.empty()) return absl::InvalidArgumentError("--api-key must not be empty");
  options_.host = address->host;
  options_.port = address->port;
  return options_;
}

}  // namespace atomemo::cli
