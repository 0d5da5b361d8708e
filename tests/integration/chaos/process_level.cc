#include "tests/integration/chaos/process_level.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace atomemo::chaos {

std::optional<ProcessLevel> MeasureProcess(pid_t pid) {
  const std::string folder = absl::StrCat("/proc/", pid);
  ProcessLevel level;
  std::ifstream status(folder + "/status");
  std::string word;
  while (status >> word && word != "RssAnon:") {
  }
  if (!(status >> level.memory_kb)) return std::nullopt;
  std::error_code error;
  const std::filesystem::directory_iterator files(folder + "/fd", error);
  if (error) return std::nullopt;
  level.descriptors = static_cast<int>(std::distance(begin(files), end(files)));
  return level;
}

}  // namespace atomemo::chaos
