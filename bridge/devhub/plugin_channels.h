#ifndef ATOMEMO_BRIDGE_DEVHUB_PLUGIN_CHANNELS_H_
#define ATOMEMO_BRIDGE_DEVHUB_PLUGIN_CHANNELS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "bridge/base/json.h"
#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/hub_call_service.h"
#include "bridge/devhub/server_socket.h"
#include "bridge/devhub/topic_directory.h"

namespace atomemo::devhub {

// Judges a definition: nothing when the official schema takes it, or else the error that the hub
// replies with: {code, message, suberrors: [{path, message}]}.
std::optional<base::Json> CheckDefinition(base::Json definition);

// The application behind the plugin topics: registers definitions, hands answers to the broker,
// and answers hub calls. What it is given must outlive it. Lives on the io thread.
class PluginChannels : public ChannelHandler {
 public:
  using WallClock = std::function<absl::Time()>;

  PluginChannels(TopicDirectory& directory, CallBroker& broker, const HubCallService& hub_calls,
                 WallClock wall_clock);

  void OnJoined(ServerSocket& socket, const std::string& topic,
                const base::PluginTopic& plugin) override;
  void OnLeft(ServerSocket& socket, const std::string& topic) override;
  bool CanRead(const hub::PhoenixFrame& frame) override;
  ChannelOutcome OnEvent(ServerSocket& socket, const hub::PhoenixFrame& frame) override;

 private:
  ChannelOutcome Register(const hub::PhoenixFrame& frame);
  ChannelOutcome TakeAnswer(const hub::PhoenixFrame& frame);
  ChannelOutcome AnswerHubCall(ServerSocket& socket, const std::string& event,
                               const hub::PhoenixFrame& frame);

  TopicDirectory& directory_;
  CallBroker& broker_;
  const HubCallService& hub_calls_;
  const WallClock wall_clock_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_PLUGIN_CHANNELS_H_
