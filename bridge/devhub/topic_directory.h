#ifndef ATOMEMO_BRIDGE_DEVHUB_TOPIC_DIRECTORY_H_
#define ATOMEMO_BRIDGE_DEVHUB_TOPIC_DIRECTORY_H_

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/plugin_topic.h"
#include "bridge/devhub/server_socket.h"

namespace atomemo::devhub {

// One topic that at least one socket has joined.
struct JoinedTopic {
  base::PluginTopic plugin;
  absl::Time joined_at;                // wall clock, of the first join
  std::vector<ServerSocket*> sockets;  // in the order of joining; never empty
  std::string definition;              // JSON text; empty until registered
};

// Who is connected, and who has joined what. Lives on the io thread.
class TopicDirectory {
 public:
  void AddSocket(ServerSocket& socket) { sockets_.insert(&socket); }
  void RemoveSocket(ServerSocket& socket) { sockets_.erase(&socket); }
  const std::unordered_set<ServerSocket*>& sockets() const { return sockets_; }

  void Join(const std::string& topic, const base::PluginTopic& plugin, ServerSocket& socket,
            absl::Time now);
  void Leave(const std::string& topic, ServerSocket& socket);

  // Null when nobody has joined the topic.
  JoinedTopic* Find(const std::string& topic);

  // The topic of a plugin: with a version that release; without, the debug topic, or else the
  // release whose topic sorts last. Empty when none of them is joined.
  std::string FindPlugin(const std::string& name, const std::string& version) const;

  const std::map<std::string, JoinedTopic>& topics() const { return topics_; }

 private:
  std::unordered_set<ServerSocket*> sockets_;
  std::map<std::string, JoinedTopic> topics_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_TOPIC_DIRECTORY_H_
