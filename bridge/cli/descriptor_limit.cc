#include "bridge/cli/descriptor_limit.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"

namespace atomemo::cli {
namespace {

// About a hundred are not for plugins (plugin_service/unix_listener.cc): below this, one plugin or
// another would be turned away from the start.
constexpr rlim_t kLeast = 128;

}  // namespace

absl::Status RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      limit = raised;
    } else {
      base::LogWarning("the limit on open files cannot be raised",
                       {{"error", std::strerror(errno)}});
    }
  }
  if (limit.rlim_cur >= kLeast) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "this process may open ", limit.rlim_cur, " files, and needs at least ", kLeast,
      " and one for each plugin: raise the limit (ulimit -n, LimitNOFILE=, docker's --ulimit "
      "nofile=)"));
}

}  // namespace atomemo::cli
