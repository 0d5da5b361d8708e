#include "bridge/base/memory_limit.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {
namespace {

// Version 1 says "no limit" with a number near the largest one.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

void TakeLimit(const std::string& file, std::optional<std::size_t>& least) {
  std::ifstream in(file);
  std::string text;
  std::uint64_t limit = 0;
  if (!(in >> text) || !absl::SimpleAtoi(text, &limit) || limit >= kNoLimit) return;  // or "max"
  least = std::min(least.value_or(std::numeric_limits<std::size_t>::max()),
                   static_cast<std::size_t>(limit));
}

// The limits of the group at `path`, such as "/user.slice/a.scope", and of those above it.
void TakeLimits(const std::string& mount, absl::string_view path, absl::string_view name,
                std::optional<std::size_t>& least) {
  while (true) {
    TakeLimit(absl::StrCat(mount, path == "/" ? "" : path, "/", name), least);
    const std::size_t slash = path.rfind('/');
    if (path.empty() || slash == absl::string_view::npos) return;
    path = path.substr(0, slash);
  }
}

}  // namespace

std::optional<std::size_t> CgroupMemoryLimit(const std::string& root) {
  std::optional<std::size_t> least;
  std::ifstream groups(absl::StrCat(root, "/proc/self/cgroup"));
  // In a container the paths may be those of the host: then its own group is the mount's root.
  TakeLimit(absl::StrCat(root, "/sys/fs/cgroup/memory.max"), least);
  TakeLimit(absl::StrCat(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes"), least);
  for (std::string line; std::getline(groups, line);) {
    // "0::/path" in version 2, "4:memory:/path" in version 1.
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    if (parts[0] == "0" && parts[1].empty()) {
      TakeLimits(absl::StrCat(root, "/sys/fs/cgroup"), parts[2], "memory.max", least);
    } else if (parts[1] == "memory") {
      TakeLimits(absl::StrCat(root, "/sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes",
                 least);
    }
  }
  return least;
}

}  // namespace atomemo::base
