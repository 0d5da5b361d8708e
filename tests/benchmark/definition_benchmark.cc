// What it costs to judge a large definition. Times are compared with parsing the same text with
// nlohmann::json in the same run, so that they mean something on any machine.
// Usage: definition_benchmark FILE

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>

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
  const double copying = BestOf([&] { const Json copy = value; });
  const double judging =
      BestOf([&] { (void)Validate(atomemo::definition::Schema::kDefinition, value); });
  Print("Validate, without the copy", judging - copying, baseline);
  Print("the whole command", BestOf([&] { RunCheck(options, std::cin, out, std::cerr); }),
        baseline);
  return exit_code;
}
