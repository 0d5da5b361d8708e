#ifndef ATOMEMO_BRIDGE_HUB_PHOENIX_CHANNEL_H_
#define ATOMEMO_BRIDGE_HUB_PHOENIX_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/backoff.h"
#include "bridge/base/scheduler.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/hub/phoenix_socket.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

// One topic on a socket: joins, registers the plugin's definition where there is one, and keeps it
// so until Leave.
//
// Lives on the io thread. Must not be destroyed inside a call of its Owner.
class PhoenixChannel : public PhoenixSocket::TopicHandler {
 public:
  struct Options {
    // For the replies to a join and to a registration.
    absl::Duration reply_timeout = absl::Seconds(10);
    // How soon JoinSoon tries.
    absl::Duration hastened_rejoin = absl::Milliseconds(200);
    // A topic that was registered for so long was a good one: the next loss starts the delays anew.
    absl::Duration stable_after = absl::Seconds(1);
    // How long to wait with a definition that the hub refused.
    absl::Duration rejected_retry = absl::Seconds(30);
    // For jitter.
    std::uint64_t seed = 0;
  };

  // What the channel reports. Owners may call the channel, Leave included.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnChannelState(PhoenixChannel& channel, const router::pb::HubState& state) = 0;
    // Anything that is not Phoenix's own.
    virtual void OnChannelEvent(PhoenixChannel& channel, ReceivedFrame frame) = 0;
    // The hub answered a push with an error; `response` is JSON text.
    virtual void OnPushRefused(PhoenixChannel& channel, absl::string_view ref,
                               absl::string_view response) = 0;
    // After LeaveAndReport: as HubListener::OnTopicLeft.
    virtual void OnChannelLeft(PhoenixChannel& channel, bool handled) = 0;
    // A large definition is to be registered: calls OnRegisterTurn, for one channel at a time so
    // that others have their turn in between.
    virtual void RegisterInTurn(PhoenixChannel& channel) = 0;
    // RESOURCE_EXHAUSTED if the hub takes no frame with so large a definition.
    virtual absl::Status CheckDefinitionFits(std::size_t bytes) = 0;
    // Connections that others share were lost behind the definition, more than once.
    virtual void OnDefinitionSuspected(PhoenixChannel& channel) = 0;
    // The socket takes no further channel: Attach the channel to another one. False if there is
    // none better; then the channel tries again after a while.
    virtual bool OnSocketFull(PhoenixChannel& channel) = 0;
  };

  // A frame that was pushed.
  struct Pushed {
    std::string ref;
    router::HubPosition position;
  };

  // `definition_json` is what the hub is told after a join; nothing where it needs none.
  PhoenixChannel(base::Scheduler& scheduler, Owner& owner, std::string topic,
                 std::shared_ptr<const std::string> definition_json, Options options);
  ~PhoenixChannel() override;
  PhoenixChannel(const PhoenixChannel&) = delete;
  PhoenixChannel& operator=(const PhoenixChannel&) = delete;

  // Joins on this socket, now or when it is open; leaves the one before. The socket must outlive
  // the attachment, which Leave ends.
  void Attach(PhoenixSocket& socket);

  // Leaves the topic for good: nothing is reported after this.
  void Leave();

  // Leaves the topic, and goes on reporting what the hub sent before it handled that, up to
  // Owner::OnChannelLeft, which never comes inside this call. JoinAgain comes back.
  void LeaveAndReport();
  void JoinAgain();

  // From LeaveAndReport until JoinAgain.
  bool is_leaving() const { return phase_ == Phase::kLeaving || phase_ == Phase::kLeft; }

  // The cause of the losses so far is being dealt with: joins soon, and the next delays are short
  // again.
  void JoinSoon();

  // Registers another definition without leaving. The same text is tried again if the hub refused
  // it, and else changes nothing.
  void SetDefinition(std::shared_ptr<const std::string> definition_json);

  // After Owner::RegisterInTurn. Nothing, if the channel is past that by now.
  void OnRegisterTurn();

  // Sends on the channel. UNAVAILABLE unless ready; RESOURCE_EXHAUSTED as in PhoenixSocket::Send.
  // The payload comes in parts.
  absl::StatusOr<Pushed> Push(std::string event, absl::Span<const absl::string_view> payload);

  // Has everything pushed so far proven.
  void RequestProof();

  const std::string& topic() const { return topic_; }
  PhoenixSocket* socket() const { return socket_; }
  // What is pushed goes out: joined, and the hub has answered the registration where there is one.
  // Its refusal does not end that: workers of the definition before may still have calls.
  bool ready() const { return phase_ == Phase::kReady || (phase_ == Phase::kRejected && joined_); }
  const router::pb::HubState& state() const { return state_; }
  // How the topic was lost last.
  const router::HubLoss& loss() const { return loss_; }

 private:
  enum class Phase {
    kDown,         // the socket is not open
    kJoining,      // waits for the reply to phx_join
    kRegistering,  // joined; waits for the reply to register_plugin
    kReady,        // register_ref_ is set while a changed definition is being registered
    kWaiting,      // will join again
    kLeaving,      // LeaveAndReport: waits for the reply to phx_leave
    kLeft,         // until JoinAgain
    kRejected,     // the hub refused the join or the definition; will try again
  };

  void OnSocketOpen() override;
  void OnSocketDown(const router::pb::HubState& state, const router::HubLoss& loss) override;
  void OnFrame(ReceivedFrame frame) override;

  void Join();
  void ForgetJoin();
  void Register();
  void OnReply(const PhoenixFrame& frame);
  void OnJoinReply(bool ok, absl::string_view response);
  void OnRegisterReply(bool ok, absl::string_view response);
  void Lose(absl::string_view reason,
            router::HubLoss::Cause cause = router::HubLoss::Cause::kOther);
  // Counts a loss while a registration was under way. True: it is the definition that the hub ends
  // this topic, or a connection of its own, for.
  bool IsDefinitionToBlame(const router::HubLoss& loss);
  void HoldBack(const router::HubLoss& loss);
  void OnLeft(bool handled);
  void OnNotLeft();
  // Tries again with the step that was refused.
  void Reject(router::pb::HubState state, absl::Duration retry_in);
  void SendLeave();
  void Report(router::pb::HubState::State state, absl::string_view reason);
  void StartTimer(absl::Duration delay, void (PhoenixChannel::*method)());
  void StopTimer();
  void OnReplyTimeout();

  base::Scheduler& scheduler_;
  Owner& owner_;
  const std::string topic_;
  const Options options_;

  std::shared_ptr<const std::string> definition_json_;
  PhoenixSocket* socket_ = nullptr;
  Phase phase_ = Phase::kDown;
  // The hub accepted the current join and has not ended it.
  bool joined_ = false;
  router::pb::HubState state_;
  // The refs of the current join and of the registration that waits for its reply.
  std::string join_ref_;
  std::string register_ref_;
  std::string leave_ref_;
  absl::Time registered_at_ = absl::InfiniteFuture();
  router::HubLoss loss_;
  router::HubPosition position_;  // of the last frame pushed
  // What speaks against the definition: losses while it was registered.
  int suspicion_ = 0;
  base::Backoff backoff_;
  base::Scheduler::TimerId timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PHOENIX_CHANNEL_H_
