#include "bridge/base/invariant.h"

#include <cstdlib>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/log.h"

namespace atomemo::base {

void InvariantBroken(const char* condition, const char* file, int line) {
  // The path below the project's root: where it was built is nobody's business.
  absl::string_view where(file);
  const std::size_t root = where.rfind("bridge/");
  if (root != absl::string_view::npos) where.remove_prefix(root);
  LogError("invariant broken: please report this",
           {{"condition", condition}, {"file", where}, {"line", line}});
#ifdef ATOMEMO_CHECKED
  FlushLog(absl::Seconds(1));
  std::abort();
#endif
}

}  // namespace atomemo::base
