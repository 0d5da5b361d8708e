#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_LARGE_REPLY_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_LARGE_REPLY_H_

#include <cstddef>

#include "bridge/router/call.h"

namespace atomemo::plugin_service {

// Does with a reply what would otherwise be done on the io thread, and takes long for a large one:
// its answer is checked and written as JSON; where that depends on the call, what is a Struct in it
// becomes text. An error's texts and details that have more than kMaxErrorBytes are cut short or
// left out, and it says so.
inline constexpr std::size_t kMaxErrorBytes = 64 * 1024;
router::PluginReply ReadInFull(router::PluginReply reply);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_LARGE_REPLY_H_
