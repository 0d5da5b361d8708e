#ifndef ATOMEMO_BRIDGE_BASE_INVARIANT_H_
#define ATOMEMO_BRIDGE_BASE_INVARIANT_H_

#include "absl/base/optimization.h"

// True if `condition` holds, which only a mistake of ours could prevent, whatever a hub or a plugin
// sends. A broken invariant is logged. Where ATOMEMO_CHECKED is defined (builds with tests) the
// process then aborts; otherwise the expression is false, and the caller gives up the one call or
// session that is concerned:
//
//   if (!ATOMEMO_INVARIANT(stream.has_value())) return FailCall(call);
#define ATOMEMO_INVARIANT(condition) \
  (ABSL_PREDICT_TRUE(condition) ||   \
   (::atomemo::base::InvariantBroken(#condition, __FILE__, __LINE__), false))

namespace atomemo::base {

// Logs, and aborts where ATOMEMO_CHECKED is defined.
void InvariantBroken(const char* condition, const char* file, int line);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_INVARIANT_H_
