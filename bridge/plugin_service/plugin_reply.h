#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_REPLY_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_REPLY_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>

#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/router/call.h"

namespace atomemo::plugin_service {

// A plugin's result, of the type that the RPC has for it, for the router. Its content is read when
// the router asks for the outcome.
router::PluginReply ResultReply(router::CallKind kind,
                                std::unique_ptr<google::protobuf::Message> result);

// The same for a failure. It does not tell its kind.
router::PluginReply FailureReply(plugin::v1::CallFailure failure);

// Does with a reply what would otherwise be done on the io thread, and takes long for a large one:
// its answer is checked and written as JSON.
router::PluginReply ReadInFull(router::PluginReply reply);

// An error's texts and details that have more than this are cut short or left out, and it says so.
inline constexpr std::size_t kMaxErrorBytes = 64 * 1024;

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_REPLY_H_
