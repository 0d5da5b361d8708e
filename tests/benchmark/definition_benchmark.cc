// What it costs to judge a large definition. Times are compared with parsing the same text with
// nlohmann::json in the same run, so that they mean something on any machine.
// Usage: definition_benchmark FILE

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bridge/cli/check_command.h"
#include "bridge/definition/validate.h"

namespace {

using atomemo::base::Json;

constexpr int kRuns = 50;

double CpuMilliseconds() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The processor's time of the fastest of many runs, in milliseconds: what the others took longer,
// the machine did.
template <typename Work>
double BestOf(const Work& work) {
  double best = std::numeric_limits<double>::max();
  for (int i = 0; i < kRuns; ++i) {
    const double start = CpuMilliseconds();
    work();
    best = std::min(best, CpuMilliseconds() - start);
  }
  return best;
}

double PeakMegabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double Milliseconds(const timeval& time) {
  return 1000.0 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1000.0;
}

struct ProcessCost {
  double cpu_milliseconds = 0;
  double peak_megabytes = 0;
};

// What `atomemo-bridge ARGUMENTS...` costs as a process of its own, loading included: the least
// time and the greatest memory of many runs.
ProcessCost CostOfCommand(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ATOMEMO_BRIDGE);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ProcessCost cost{std::numeric_limits<double>::max(), 0};
  for (int i = 0; i < kRuns; ++i) {
    pid_t pid = 0;
    int status = 0;
    rusage usage{};
    if (posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0 ||
        wait4(pid, &status, 0, &usage) != pid) {
      std::perror(argv[0]);
      std::exit(2);
    }
    cost.cpu_milliseconds = std::min(cost.cpu_milliseconds,
                                     Milliseconds(usage.ru_utime) + Milliseconds(usage.ru_stime));
    cost.peak_megabytes =
        std::max(cost.peak_megabytes, static_cast<double>(usage.ru_maxrss) / 1024);
  }
  posix_spawn_file_actions_destroy(&quiet);
  return cost;
}

void Print(const char* what, double milliseconds, double baseline) {
  std::printf("%-28s %7.2f ms  %5.2f of nlohmann's parsing\n", what, milliseconds,
              milliseconds / baseline);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: definition_benchmark FILE\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) {
    std::cerr << "cannot read " << argv[1] << "\n";
    return 2;
  }
  // First, while nothing else has used memory: what the command does, once.
  atomemo::cli::CheckOptions options;
  options.files = {argv[1]};
  std::ostringstream out;
  const int exit_code = RunCheck(options, std::cin, out, std::cerr);
  std::printf("%s%zu bytes, exit code %d, peak %.1f MB\n", out.str().c_str(), text.size(),
              exit_code, PeakMegabytes());

  const double baseline = BestOf([&] { const Json parsed = Json::parse(text); });
  Print("nlohmann's parsing", baseline, baseline);
  Print("ParseDefinition", BestOf([&] { (void)atomemo::definition::ParseDefinition(text); }),
        baseline);
  const Json value = atomemo::definition::ParseDefinition(text).value();
  const double copying = BestOf([&] { (void)std::make_unique<Json>(value); });
  const double judging =
      BestOf([&] { (void)Validate(atomemo::definition::Schema::kDefinition, value); });
  Print("Validate, without the copy", judging - copying, baseline);
  Print("`check` in this process", BestOf([&] { RunCheck(options, std::cin, out, std::cerr); }),
        baseline);
  const ProcessCost nothing = CostOfCommand({"version"});
  const ProcessCost check = CostOfCommand({"check", argv[1]});
  Print("a process for `version`", nothing.cpu_milliseconds, baseline);
  Print("a process for `check`", check.cpu_milliseconds, baseline);
  std::printf("peak memory of the process for `check`: %.1f MB\n", check.peak_megabytes);
  return exit_code;
}
