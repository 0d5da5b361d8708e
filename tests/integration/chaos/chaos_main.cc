// The chaos bench as a program: see --help, and tests/README.md for what it is about.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "bridge/base/log.h"
#include "bridge/cli/flag_types.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/chaos/chaos_run.h"
#include "tests/integration/chaos/verdict.h"

namespace atomemo::chaos {
namespace {

// The run whose figures the README tells.
ChaosOptions DefaultOptions() {
  ChaosOptions options;
  options.plan.hub_kills = 30;
  options.plan.cuts = 30;
  options.plan.resets = 10;
  options.plan.worker_kills = 20;
  options.plan.bridge_kills = 5;
  options.plan.stalls = 10;
  options.plan.delays = 10;
  options.plan.channel_faults = 10;
  options.bridge = ATOMEMO_BRIDGE;
  options.worker = ATOMEMO_CHAOS_WORKER;
  return options;
}

absl::Status CopyFiles(const std::string& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::create_directories(to, error);
  for (const auto& file : std::filesystem::directory_iterator(from, error)) {
    if (error || !file.is_regular_file()) continue;
    std::filesystem::copy(file.path(), to / file.path().filename(),
                          std::filesystem::copy_options::overwrite_existing, error);
  }
  return error ? absl::UnknownError("the logs cannot be copied: " + error.message())
               : absl::OkStatus();
}

int Main(int argc, char** argv) {
  ChaosOptions options = DefaultOptions();
  PlanOptions& plan = options.plan;
  double seconds = absl::ToDoubleSeconds(plan.length);
  double stall_seconds = absl::ToDoubleSeconds(plan.stall);
  double timeout_seconds = absl::ToDoubleSeconds(options.timeout);
  std::string logs;

  CLI::App app(
      "Calls through a bridge whose surroundings fail: exit code 0 if every invariant held");
  app.add_option("--seconds", seconds, "How long calls are made")->capture_default_str();
  app.add_option("--rate", options.calls_per_second, "Calls a second")->capture_default_str();
  app.add_option("--seed", options.seed, "Of calls and faults")->capture_default_str();
  const auto faults = [&app](const char* name, int& count, const char* help) {
    app.add_option(name, count, help)->capture_default_str()->group("Faults");
  };
  faults("--hub-kills", plan.hub_kills, "The hub dies and comes back");
  faults("--cuts", plan.cuts, "The hub's connections end with FIN");
  faults("--resets", plan.resets, "The hub's connections end with RST");
  faults("--worker-kills", plan.worker_kills, "SIGKILL for one of the two workers");
  faults("--bridge-kills", plan.bridge_kills, "SIGKILL for the bridge");
  faults("--stalls", plan.stalls, "Nothing passes between hub and bridge");
  faults("--delays", plan.delays, "Everything takes 0.2 s longer, each way");
  faults("--channel-faults", plan.channel_faults, "The hub crashes or closes the channel");
  app.add_option("--stall-seconds", stall_seconds, "How long a stall lasts")
      ->capture_default_str()
      ->group("Faults");
  app.add_option("--tool-timeout", timeout_seconds, "Seconds that a call may take")
      ->capture_default_str();
  app.add_flag("--repeat-pending,!--no-repeat-pending", options.repeat_pending,
               "Whether the hub repeats unanswered calls whenever the plugin registers (default)");
  app.add_option("--bridge-flag", options.bridge_flags, "A further flag of `serve`; repeatable")
      ->allow_extra_args(false);
  app.add_option(
         "--keep-logs", logs,
         "Where to leave the logs and the record of the runs (kept anyhow if something is wrong)")
      ->type_name("DIR");
  CLI11_PARSE(app, argc, argv);
  plan.length = absl::Seconds(seconds);
  plan.stall = absl::Seconds(stall_seconds);
  options.timeout = absl::Seconds(timeout_seconds);

  base::InitLog(base::LogLevel::kError, base::LogFormat::kText);
  fakes::TemporaryFolder folder;
  options.folder = folder.path();
  const absl::StatusOr<Evidence> evidence = RunChaos(options);
  const Verdict verdict = evidence.ok() ? Judge(*evidence) : Verdict();
  if (!logs.empty()) {
    const absl::Status copied = CopyFiles(folder.path(), logs);
    if (!copied.ok()) std::cerr << "chaos: " << copied.message() << "\n";
  } else if (!evidence.ok() || !verdict.ok()) {
    folder.Keep();
    logs = folder.path();
  }
  if (!logs.empty()) std::cout << "logs in     " << logs << "\n";
  if (!evidence.ok()) {
    std::cerr << "chaos: " << evidence.status() << "\n";
    return 2;
  }
  std::cout << "seed        " << options.seed << "\n" << Report(*evidence, verdict);
  return verdict.ok() ? 0 : 1;
}

}  // namespace
}  // namespace atomemo::chaos

int main(int argc, char** argv) { return atomemo::chaos::Main(argc, argv); }
