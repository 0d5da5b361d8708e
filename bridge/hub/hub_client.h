#ifndef ATOMEMO_BRIDGE_HUB_HUB_CLIENT_H_
#define ATOMEMO_BRIDGE_HUB_HUB_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/api_key_reader.h"
#include "bridge/base/scheduler.h"
#include "bridge/hub/hub_events.h"
#include "bridge/hub/hub_url.h"
#include "bridge/hub/pending_requests.h"
#include "bridge/hub/phoenix_channel.h"
#include "bridge/hub/phoenix_socket.h"
#include "bridge/hub/socket_pool.h"
#include "bridge/hub/websocket.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

struct HubClientOptions {
  HubUrl url;
  base::ApiKeySource::Options api_key;
  PhoenixSocket::Options socket;
  PhoenixChannel::Options channel;
  SocketPool::Options pool;
  // Push refuses while a socket has more than this queued, and OnWritable comes when it has fallen
  // to half of it. In bytes.
  std::size_t send_buffer_bytes = 16 << 20;
  // How often a full send buffer is looked at: the WebSocket library does not tell.
  absl::Duration writable_poll = absl::Milliseconds(20);
  // How long Shutdown waits for the hub.
  absl::Duration shutdown_timeout = absl::Seconds(3);
};

// The hub, for the router: topics over as few WebSockets as they need.
//
// Lives on the io thread. The listener is never called inside a call of this object. `scheduler`,
// the listener and what `transports` makes must outlive it.
class HubClient : public router::HubPort, private PhoenixChannel::Owner {
 public:
  HubClient(base::Scheduler& scheduler, WebSocketTransportFactory transports,
            HubClientOptions options);
  ~HubClient() override;
  HubClient(const HubClient&) = delete;
  HubClient& operator=(const HubClient&) = delete;

  // Once, before all else.
  void set_listener(router::HubListener& listener) { listener_ = &listener; }

  // Connects before any topic is announced, and stays connected in this mode whatever topics there
  // are.
  void Connect(router::HubMode mode);

  void Announce(router::Announcement announcement) override;
  void Withdraw(absl::string_view topic) override;
  bool IsUp(absl::string_view topic) const override;
  std::optional<router::HubPosition> Push(absl::string_view topic,
                                          const router::HubAnswer& answer) override;
  bool PushRequest(absl::string_view topic, const router::HubRequest& request) override;
  bool PushRefusal(absl::string_view topic, const router::HubAnswer& answer) override;
  void RequestProof(absl::string_view topic) override;
  std::size_t max_frame_bytes() const override { return max_frame_bytes_; }
  admin::v1::HubConnection Connection() const override;
  void Hasten(absl::string_view topic) override;
  void Quarantine(absl::string_view topic) override;
  void Unquarantine(absl::string_view topic) override;
  void LearnFrom(const router::HubAnswer& refused, const router::HubLoss& loss) override;
  void Leave(absl::string_view topic) override;

  // Leaves all topics and closes all connections, within the time of the options. `done` runs once,
  // later. Nothing else may be called afterwards, and the listener hears nothing any more.
  void Shutdown(std::function<void()> done);

 private:
  struct Topic {
    router::HubMode mode;
    std::unique_ptr<PhoenixChannel> channel;
    PendingRequests requests;
    // It has a connection of its own until the hub has taken its definition.
    bool definition_suspected = false;
    // What the listener was told last.
    router::pb::HubState reported;
    bool reported_up = false;
  };

  // Marks that the listener waits in a call of this object.
  class PortCall {
   public:
    explicit PortCall(HubClient& client) : client_(client) { client_.in_port_call_ = true; }
    ~PortCall() { client_.in_port_call_ = false; }

   private:
    HubClient& client_;
  };

  void OnChannelState(PhoenixChannel& channel, const router::pb::HubState& state) override;
  void OnChannelEvent(PhoenixChannel& channel, ReceivedFrame frame) override;
  void OnPushRefused(PhoenixChannel& channel, absl::string_view ref,
                     absl::string_view response) override;
  void OnChannelLeft(PhoenixChannel& channel, bool handled) override;
  void RegisterInTurn(PhoenixChannel& channel) override;
  void RegisterNext();
  absl::Status CheckDefinitionFits(std::size_t bytes) override;
  void OnDefinitionSuspected(PhoenixChannel& channel) override;
  bool OnSocketFull(PhoenixChannel& channel) override;

  std::unique_ptr<PhoenixSocket> MakeSocket(router::HubMode mode);
  void FetchUrl(router::HubMode mode, const PhoenixSocket::UrlCallback& done);
  Topic* FindTopic(absl::string_view topic);
  const Topic* FindTopic(absl::string_view topic) const;
  // The topic's channel if it can take a push now, else null.
  PhoenixChannel* Writable(Topic* topic);
  // As Push, whatever the send buffer holds.
  std::optional<router::HubPosition> PushNow(PhoenixChannel& channel,
                                             const router::HubAnswer& answer);
  void PollWritable();
  void OnHubReply(Topic& topic, HubReply reply);
  // RESOURCE_EXHAUSTED if the hub takes no frame of about so many bytes.
  absl::Status CheckFrameBytes(std::size_t bytes) const;
  void RefuseRequestId(PhoenixChannel& channel, const std::string& event,
                       const std::string& request_id);
  void FailRequests(Topic& topic, absl::string_view reason);
  void ReplyLater(absl::string_view topic, std::string request_id, absl::Status error);
  // Runs `task` later, unless this object has gone or shut down by then.
  void Later(std::function<void()> task);
  // Tells the listener, unless it knows.
  void ReportState(Topic& topic);
  void ReportStateLater(const PhoenixChannel& channel);
  void LogState(const PhoenixChannel& channel) const;

  base::Scheduler& scheduler_;
  const WebSocketTransportFactory transports_;
  const HubClientOptions options_;
  base::ApiKeyReader api_key_;
  router::HubListener* listener_ = nullptr;

  std::uint64_t last_connection_ = 0;
  std::uint64_t last_seed_ = 0;
  bool in_port_call_ = false;
  bool shut_down_ = false;
  // Configured, or less if the hub has shown less.
  std::size_t max_frame_bytes_;
  // Whose push was refused because of a full send buffer; watched by the timer.
  std::set<std::string> blocked_topics_;
  // Topics, which may be gone by their turn.
  std::deque<std::string> register_turns_;
  base::Scheduler::TimerId register_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId writable_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId shutdown_timer_ = base::Scheduler::kNoTimer;
  // Channels refer to sockets of the pool, so they go first.
  SocketPool pool_;
  std::map<std::string, Topic, std::less<>> topics_;
  // Expires with this object.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HUB_CLIENT_H_
