#include "bridge/devhub/topic_directory.h"

#include <algorithm>
#include <iterator>

namespace atomemo::devhub {

void TopicDirectory::Join(const std::string& topic, const base::PluginTopic& plugin,
                          ServerSocket& socket, absl::Time now) {
  const auto [it, first] = topics_.try_emplace(topic);
  if (first) {
    it->second.plugin = plugin;
    it->second.joined_at = now;
  }
  it->second.sockets.push_back(&socket);
}

void TopicDirectory::Leave(const std::string& topic, ServerSocket& socket) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return;
  std::vector<ServerSocket*>& sockets = it->second.sockets;
  const auto member = std::find(sockets.begin(), sockets.end(), &socket);
  if (member != sockets.end()) sockets.erase(member);
  if (sockets.empty()) topics_.erase(it);
}

JoinedTopic* TopicDirectory::Find(const std::string& topic) {
  const auto it = topics_.find(topic);
  return it == topics_.end() ? nullptr : &it->second;
}

std::string TopicDirectory::FindPlugin(const std::string& name, const std::string& version) const {
  if (!version.empty()) {
    const std::string topic = base::FormatPluginTopic({base::HubMode::kRelease, name, version});
    return topics_.count(topic) != 0 ? topic : "";
  }
  std::string debug_topic = base::FormatPluginTopic({base::HubMode::kDebug, name, ""});
  if (topics_.count(debug_topic) != 0) return debug_topic;
  // All releases of a plugin stand together, under the prefix that an empty version gives.
  const std::string prefix = base::FormatPluginTopic({base::HubMode::kRelease, name, ""});
  auto it = topics_.upper_bound(prefix + '\x7f');
  if (it == topics_.begin()) return "";
  const std::string& last = std::prev(it)->first;
  return last.compare(0, prefix.size(), prefix) == 0 ? last : "";
}

}  // namespace atomemo::devhub
