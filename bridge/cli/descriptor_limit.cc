#include "bridge/cli/descriptor_limit.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "bridge/base/log.h"

namespace atomemo::cli {

void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    base::LogWarning("the limit on open files cannot be raised", {{"error", std::strerror(errno)}});
  }
}

}  // namespace atomemo::cli
