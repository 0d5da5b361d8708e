// What a plugin that is called 100 times a second notices of its neighbours on the same bridge: one
// that never answers, one that is flooded with calls, and one that floods the hub with its own.
// Hub, bridge and plugins are processes of their own.
//
// Every phase prints the healthy plugin's answer times and what each process used of a processor.
// The machine sets limits of its own. The phase "busy processors" has as many processes that only
// compute as there are processors, and "late" is how much later than planned the hub's own timer
// ran. A flood is measured twice: on the healthy plugin's bridge, and "apart", on a bridge of its
// own beside it. What is no worse than apart is the machine's and the hub's, not the bridge's.
//
// Usage: isolation_benchmark [seconds a phase] [bytes of a flood call] [flood calls/s...]

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/base/log.h"
#include "tests/benchmark/call_load.h"
#include "tests/benchmark/load_hub.h"
#include "tests/benchmark/process_usage.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/child_process.h"

namespace atomemo::benchmark {
namespace {

using integration::ChildProcess;

constexpr double kHealthyPerSecond = 100;
constexpr double kHungPerSecond = 100;
// More than a plugin's queue takes (--max-queued-calls).
constexpr int kHungCalls = 1100;
constexpr int kShoutingCalls = 16;
constexpr int kFloodAtOnce[] = {500, 3000};
constexpr absl::Duration kSettle = absl::Seconds(1);

std::string TopicOf(const std::string& plugin) { return "debug_plugin:" + plugin; }

std::string WorkMembers(std::size_t bytes) {
  return absl::StrCat(R"("tool_name":"do-work","parameters":{"text":")", std::string(bytes, 'x'),
                      R"("})");
}

struct Flood {
  double per_second = 0;
  int at_once = 0;
  // On a bridge of its own.
  bool apart = false;
};

std::string NameOf(const Flood& flood) {
  const std::string load = flood.at_once > 0 ? absl::StrCat(flood.at_once, " at once")
                                             : absl::StrCat(flood.per_second, "/s");
  return absl::StrCat("and a flood, ", load, flood.apart ? ", apart" : "");
}

// Processes and the hub, for all phases.
class Isolation {
 public:
  Isolation(absl::Duration phase, std::size_t flood_bytes)
      : phase_(phase), flood_bytes_(flood_bytes) {}

  // False, with a message, if something does not come up.
  bool Start() {
    const absl::StatusOr<std::uint16_t> port = hub_.Start();
    if (!port.ok()) return Fail(port.status());
    const std::string socket = folder_.path() + "/bridge.sock";
    const std::string socket_apart = folder_.path() + "/apart.sock";
    StartBridge("bridge", *port, socket);
    StartBridge("bridge-apart", *port, socket_apart);
    Start("healthy", {ATOMEMO_LOAD_PLUGIN, socket, "healthy", "echo"});
    Start("hanging", {ATOMEMO_LOAD_PLUGIN, socket, "hanging", "hang"});
    Start("flooded", {ATOMEMO_LOAD_PLUGIN, socket, "flooded", "echo"});
    Start("shouting", {ATOMEMO_LOAD_PLUGIN, socket, "shouting", "shout"});
    Start("flooded-apart", {ATOMEMO_LOAD_PLUGIN, socket_apart, "flooded-apart", "echo"});
    Start("shouting-apart", {ATOMEMO_LOAD_PLUGIN, socket_apart, "shouting-apart", "shout"});
    if (processes_.size() == 8 && hub_.WaitRegistered(6, absl::Seconds(30))) return true;
    return Fail(absl::UnavailableError("the bridge or a plugin does not come up"));
  }

  void Alone(const char* name) { Measure(name, {}); }

  void BesideBusyProcessors() {
    std::vector<std::unique_ptr<ChildProcess>> spinning;
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      auto process = ChildProcess::Start({"/bin/sh", "-c", "while :; do :; done"});
      if (process.ok()) spinning.push_back(*std::move(process));
    }
    Measure("busy processors", {});
  }

  // From here on there is one that never answers.
  void BesideHung() {
    hub_.Run([this] {
      for (int i = 0; i < kHungCalls; ++i) {
        hub_.Call(TopicOf("hanging"), "invoke_tool", WorkMembers(10), [](const std::string&) {});
      }
    });
    CallLoad::Options options;
    options.topic = TopicOf("hanging");
    options.members = WorkMembers(10);
    options.per_second = kHungPerSecond;
    hung_.emplace(hub_, options);
    Measure("one that never answers", {});
  }

  void BesideFlood(Flood flood) {
    for (const bool apart : {false, true}) {
      flood.apart = apart;
      Measure(NameOf(flood), flood);
    }
  }

  void BesideShouting() {
    for (const char* name : {"shouting", "shouting-apart"}) {
      hub_.Run([this, name] {
        for (int i = 0; i < kShoutingCalls; ++i) {
          hub_.Call(TopicOf(name), "invoke_tool", WorkMembers(10), [](const std::string&) {});
        }
      });
      Measure(absl::StrCat("and one that floods the hub",
                           absl::EndsWith(name, "-apart") ? ", apart" : ""),
              {});
      processes_.erase(name);
    }
  }

  void EndHung() {
    if (hung_) hung_->Stop();
    hung_.reset();
    processes_.erase("hanging");
  }

 private:
  static bool Fail(const absl::Status& status) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return false;
  }

  void StartBridge(const std::string& name, std::uint16_t port, const std::string& socket) {
    Start(name, {ATOMEMO_BRIDGE, "serve", "--hub-ws-url", absl::StrCat("ws://127.0.0.1:", port),
                 "--debug-api-key", "key", "--socket", socket});
  }

  void Start(const std::string& name, const std::vector<std::string>& command) {
    auto process = ChildProcess::Start(command, absl::StrCat(folder_.path(), "/", name, ".log"));
    if (process.ok()) processes_[name] = *std::move(process);
  }

  std::map<std::string, double> CpuSeconds() const {
    std::map<std::string, double> seconds;
    seconds["hub"] = absl::ToDoubleSeconds(ReadUsage(getpid()).cpu);
    for (const auto& [name, process] : processes_) {
      seconds[name] = absl::ToDoubleSeconds(ReadUsage(process->pid()).cpu);
    }
    return seconds;
  }

  void Measure(const std::string& name, const Flood& flood) {
    std::optional<CallLoad> flood_load;
    if (flood.at_once > 0 || flood.per_second > 0) {
      CallLoad::Options options;
      options.topic = TopicOf(flood.apart ? "flooded-apart" : "flooded");
      options.members = WorkMembers(flood_bytes_);
      options.per_second = flood.per_second;
      options.at_once = flood.at_once;
      flood_load.emplace(hub_, options);
    }
    CallLoad::Options options;
    options.topic = TopicOf("healthy");
    options.members = WorkMembers(100);
    options.per_second = kHealthyPerSecond;
    absl::SleepFor(kSettle);
    CallLoad load(hub_, options);
    const std::map<std::string, double> before = CpuSeconds();
    absl::SleepFor(phase_);
    const std::map<std::string, double> after = CpuSeconds();
    LoadResult healthy = load.Stop();
    LoadResult flooded;
    if (flood_load) flooded = flood_load->Stop();
    Print(name, healthy, flooded);
    for (const auto& [process, seconds] : after) {
      const auto earlier = before.find(process);
      if (earlier == before.end()) continue;
      const double percent = 100 * (seconds - earlier->second) / absl::ToDoubleSeconds(phase_);
      if (percent >= 1) std::printf(" %s %.0f%%", process.c_str(), percent);
    }
    std::printf("\n");
    std::fflush(stdout);
    absl::SleepFor(kSettle);
  }

  void Print(const std::string& name, LoadResult& healthy, const LoadResult& flooded) {
    const double p99 = Percentile(healthy.milliseconds, 99);
    if (alone_p99_ == 0) alone_p99_ = p99;
    const double seconds = absl::ToDoubleSeconds(phase_ + kSettle);
    std::printf("%-32s %6.2f %6.2f %6.2f  %5.2f  %6.2f %5zu  %7.0f %7.0f ", name.c_str(),
                Percentile(healthy.milliseconds, 50), p99, Percentile(healthy.milliseconds, 100),
                p99 / alone_p99_, Percentile(healthy.late_milliseconds, 99), healthy.failed,
                static_cast<double>(flooded.milliseconds.size()) / seconds,
                static_cast<double>(flooded.failed) / seconds);
  }

  const absl::Duration phase_;
  const std::size_t flood_bytes_;
  const fakes::TemporaryFolder folder_;
  LoadHub hub_;
  std::map<std::string, std::unique_ptr<ChildProcess>> processes_;
  std::optional<CallLoad> hung_;
  double alone_p99_ = 0;
};

int Main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
  const int flood_bytes = argc > 2 ? std::atoi(argv[2]) : 4000;
  std::vector<double> rates;
  for (int i = 3; i < argc; ++i) rates.push_back(std::atof(argv[i]));
  if (rates.empty()) rates = {500, 1000, 2000, 4000};
  base::InitLog(base::LogLevel::kWarning, base::LogFormat::kText);
  Isolation isolation(absl::Seconds(seconds), static_cast<std::size_t>(std::max(flood_bytes, 0)));
  if (!isolation.Start()) return 1;
  std::printf("%-32s %20s  %5s  %6s %5s  %15s\n", "", "healthy p50 p99 max", "p99/", "late", "",
              "flood calls/s");
  std::printf("%-32s %20s  %5s  %6s %5s  %7s %7s  %s\n", "beside", "milliseconds", "alone", "p99",
              "fail", "done", "refused", "processors");
  isolation.Alone("nobody");
  isolation.BesideBusyProcessors();
  isolation.BesideHung();
  for (const double rate : rates) isolation.BesideFlood({rate, 0, false});
  for (const int at_once : kFloodAtOnce) isolation.BesideFlood({0, at_once, false});
  isolation.BesideShouting();
  isolation.EndHung();
  isolation.Alone("nobody again");
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
