#ifndef ATOMEMO_BRIDGE_BASE_PLUGIN_TOPIC_H_
#define ATOMEMO_BRIDGE_BASE_PLUGIN_TOPIC_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::base {

// Which of the hub's two sockets: authors develop on the debug socket, and serve on the release
// socket.
enum class HubMode { kDebug, kRelease };

absl::string_view HubModeName(HubMode mode);

// What a topic names: `debug_plugin:{name}` or `release_plugin:{name}__release__{version}`.
struct PluginTopic {
  HubMode mode = HubMode::kDebug;
  std::string name;
  std::string version;  // empty in debug mode
};

// Nothing when `topic` is not one that the socket of `mode` serves.
std::optional<PluginTopic> ParsePluginTopic(HubMode mode, absl::string_view topic);

std::string FormatPluginTopic(const PluginTopic& topic);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_PLUGIN_TOPIC_H_
