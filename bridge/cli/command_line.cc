#include "bridge/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/app.h"
#include "bridge/base/log.h"
#include "bridge/cli/call_command.h"
#include "bridge/cli/definition_flags.h"
#include "bridge/cli/descriptor_limit.h"
#include "bridge/cli/flag_types.h"
#include "bridge/cli/health_command.h"
#include "bridge/cli/serve_flags.h"
#include "bridge/cli/stop_signal.h"
#include "bridge/devhub/dev_hub.h"
#include "bridge/hub/hub_url.h"
#include "bridge/hub/proxy.h"
#include "bridge/version.h"

namespace atomemo::cli {
namespace {

int UsageError(const absl::Status& status) {
  base::FlushLog(absl::Seconds(1));  // What led to it comes first.
  std::cerr << "atomemo-bridge: " << status.message() << "\n";
  return kExitUsage;
}

int RunUntilStopped(App& app, StopSignal& stop) {
  stop.Wait();
  const absl::Status stopped = app.Stop();
  if (stopped.ok()) {
    base::LogInfo("stopped");
    return kExitOk;
  }
  base::LogError("stopped", {{"error", stopped.message()}});
  return kExitFailed;
}

int Serve(ServeFlags& flags) {
  absl::StatusOr<AppOptions> options = flags.Resolve();
  if (!options.ok()) return UsageError(options.status());
  StopSignal stop;
  if (absl::Status limit = RaiseDescriptorLimit(); !limit.ok()) return UsageError(limit);
  base::LogInfo(
      "starting",
      {{"version", kVersion},
       {"hub", hub::FormatHubUrl(options->hub.url)},
       {"proxy", options->websocket.proxy ? hub::FormatProxy(*options->websocket.proxy) : "none"},
       {"mode", options->router.default_mode == router::HubMode::kDebug ? "debug" : "release"},
       {"socket", flags.socket()}});
  App app(*std::move(options));
  if (absl::Status started = app.Start(); !started.ok()) return UsageError(started);
  return RunUntilStopped(app, stop);
}

std::string Authority(const devhub::DevHubOptions& options, std::uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", options.host, v6 ? "]" : "", ":", port);
}

int Hub(HubFlags& flags) {
  absl::StatusOr<devhub::DevHubOptions> options = flags.Resolve();
  if (!options.ok()) return UsageError(options.status());
  StopSignal stop;
  if (absl::Status limit = RaiseDescriptorLimit(); !limit.ok()) return UsageError(limit);
  devhub::DevHub hub(*options);
  const absl::StatusOr<std::uint16_t> port = hub.Start();
  if (!port.ok()) return UsageError(port.status());
  std::cout << "development hub on http://" << Authority(*options, *port) << "\n"
            << "  HUB_WS_URL=ws://" << Authority(*options, *port)
            << " HUB_DEBUG_API_KEY=" << options->api_key << "\n"
            << std::flush;
  stop.Wait();
  hub.Stop();
  return kExitOk;
}

int Dev(HubFlags& hub_flags, ServeFlags& serve_flags) {
  absl::StatusOr<devhub::DevHubOptions> hub_options = hub_flags.Resolve();
  if (!hub_options.ok()) return UsageError(hub_options.status());
  StopSignal stop;
  if (absl::Status limit = RaiseDescriptorLimit(); !limit.ok()) return UsageError(limit);
  devhub::DevHub hub(*hub_options);
  const absl::StatusOr<std::uint16_t> port = hub.Start();
  if (!port.ok()) return UsageError(port.status());
  const std::string authority = Authority(*hub_options, *port);
  absl::StatusOr<AppOptions> options =
      serve_flags.ResolveFor(absl::StrCat("ws://", authority), hub_options->api_key);
  if (!options.ok()) return UsageError(options.status());
  App app(*std::move(options));
  if (absl::Status started = app.Start(); !started.ok()) return UsageError(started);
  std::cout << "development hub and bridge\n"
            << "  plugins connect to   " << serve_flags.socket() << "\n"
            << "  make a call with     atomemo-bridge call --hub http://" << authority
            << " PLUGIN invoke_tool '{\"tool_name\": \"...\", \"parameters\": {}}'\n"
            << "  look at it on        http://" << authority << "\n"
            << std::flush;
  const int exit_code = RunUntilStopped(app, stop);
  hub.Stop();
  return exit_code;
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app{
      "Connects plugin processes (any language with gRPC) to the Atomemo plugin hub.\n"
      "Start with `atomemo-bridge dev`: a hub to develop against and the bridge in one process, no "
      "account needed.",
      "atomemo-bridge"};
  app.require_subcommand(1);
  app.fallthrough(false);
  app.option_defaults()->always_capture_default(false);

  int exit_code = kExitOk;
  LogFlags log;
  ServeFlags serve_flags;
  CLI::App* serve = app.add_subcommand("serve", "Run the bridge between a hub and plugins");
  serve_flags.AddTo(*serve, /*with_hub=*/true);
  log.AddTo(*serve);
  serve->callback([&] { log.Apply(), exit_code = Serve(serve_flags); });

  HubFlags hub_flags;
  CLI::App* hub = app.add_subcommand("hub", "Run a hub to develop against");
  hub_flags.AddTo(*hub);
  log.AddTo(*hub);
  hub->callback([&] { log.Apply(), exit_code = Hub(hub_flags); });

  HubFlags dev_hub_flags;
  ServeFlags dev_serve_flags;
  CLI::App* dev =
      app.add_subcommand("dev", "Run a hub to develop against and the bridge in one process");
  dev_hub_flags.AddTo(*dev);
  dev_serve_flags.AddTo(*dev, /*with_hub=*/false);
  log.AddTo(*dev);
  dev->callback([&] { log.Apply(), exit_code = Dev(dev_hub_flags, dev_serve_flags); });

  CallOptions call_options;
  absl::Duration call_timeout = absl::ZeroDuration();
  CLI::App* call = app.add_subcommand("call",
                                      "Make one call through a development hub and print the "
                                      "answer; exit code 0 only for a response");
  call->add_option("PLUGIN", call_options.plugin, "The plugin's name")->required();
  call->add_option("EVENT", call_options.event, "The hub's event, such as invoke_tool")->required();
  call->add_option("JSON", call_options.json, "The payload; @FILE reads a file, - standard input")
      ->capture_default_str();
  call->add_option("--hub", call_options.hub_url, "The development hub")
      ->envname("ATOMEMO_HUB_URL")
      ->type_name("URL")
      ->capture_default_str();
  call->add_option("--plugin-version", call_options.version,
                   "A release of the plugin (default: the one in development)");
  AddDuration(*call, "--timeout", call_timeout,
              "How long to wait (default: what the event usually takes)")
      ->default_str("");
  call->add_flag("--raw", call_options.raw, "Print the answer as it came");
  call->callback([&] {
    if (call_timeout > absl::ZeroDuration()) call_options.timeout = call_timeout;
    exit_code = RunCall(call_options, std::cout, std::cerr);
  });

  AddDefinitionCommands(app, exit_code);

  HealthOptions health_options;
  health_options.socket = DefaultSocketPath();
  CLI::App* health = app.add_subcommand(
      "health",
      "Ask a running bridge whether calls get through to its plugins and answers to the hub; exit "
      "code 0 if they do");
  AddSocket(*health, health_options.socket, "The bridge's socket");
  CLI::Option* live =
      health->add_flag("--live", health_options.live,
                       "Ask only whether the process is alive: what a liveness probe should ask");
  health
      ->add_option("--plugin", health_options.plugins,
                   "Ask only about this plugin, which must be there; may be repeated")
      ->type_name("NAME")
      ->excludes(live);
  std::string health_format = "text";
  health->add_option("--format", health_format, "A table for people, or everything as JSON")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->excludes(live);
  AddDuration(*health, "--timeout", health_options.timeout, "How long to wait for the answer");
  health->callback([&] {
    health_options.json = health_format == "json";
    exit_code = RunHealth(health_options, std::cout, std::cerr);
  });

  app.add_subcommand("version", "Print the version")->callback([] {
    std::cout << "atomemo-bridge " << kVersion << "\n";
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  } catch (const std::exception& error) {
    std::cerr << "atomemo-bridge: " << error.what() << "\n";
    return kExitFailed;
  }
  return exit_code;
}

}  // namespace atomemo::cli
