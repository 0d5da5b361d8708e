#ifndef ATOMEMO_TESTS_BENCHMARK_PROCESS_USAGE_H_
#define ATOMEMO_TESTS_BENCHMARK_PROCESS_USAGE_H_

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace atomemo::benchmark {

// What a process has used so far, from /proc. Zeros if there is no such process.
struct ProcessUsage {
  absl::Duration cpu;
  std::size_t resident_bytes = 0;
  int descriptors = 0;
  int threads = 0;
};

inline ProcessUsage ReadUsage(pid_t pid) {
  ProcessUsage usage;
  const std::string folder = absl::StrCat("/proc/", pid);
  std::ifstream file(folder + "/stat");
  std::string stat(std::istreambuf_iterator<char>(file), {});
  // The second field, the name in parentheses, may contain anything.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  long user = 0, system = 0, pages = 0;
  fields >> user >> system >> skipped >> skipped >> skipped >> skipped >> usage.threads;
  for (int i = 21; i < 24; ++i) fields >> skipped;
  fields >> pages;
  usage.cpu = absl::Seconds(user + system) / sysconf(_SC_CLK_TCK);
  usage.resident_bytes = static_cast<std::size_t>(pages * sysconf(_SC_PAGESIZE));
  std::error_code error;
  using Entries = std::filesystem::directory_iterator;
  for (Entries entry(folder + "/fd", error); !error && entry != Entries(); entry.increment(error)) {
    ++usage.descriptors;
  }
  return usage;
}

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_PROCESS_USAGE_H_
