#ifndef ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
#define ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_

#include <cstddef>
#include <deque>
#include <functional>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call_table.h"
#include "bridge/router/plugin.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

// Holds every answer until the hub provably has it: nothing finished is lost.
//
// An answer waits while its topic is down, goes out when it is up, and is kept until a heartbeat
// reply that was asked for after it came back on the same socket: it is proven. That says that the
// hub's socket has it; the channel behind, which may lag, has it surely a moment later: it is
// settled. When the channel is lost first, the answer goes out again after the rejoin. So the hub
// may see an answer twice, and never not at all.
//
// An answer may itself be what the topic is lost for, every time. So when answers were under way at
// two losses, their topic's lane is searched (AnswerLane): few go out at a time, until one is left
// that was lost alone, and again. That one is replaced by an error, and others are never given up.
//
// Bounds: the outbox itself never drops an answer. At its limits HasRoom() or HasRoomFor() is
// false, and the router refuses new calls until it has room again; only calls that are under way
// then still add to it.
//
// Lives on the io thread.
class Outbox {
 public:
  struct Limits {
    std::size_t max_answers = 100'000;
    std::size_t max_bytes = 256u << 20;
    // Of one topic.
    std::size_t max_topic_answers = 25'000;
    std::size_t max_topic_bytes = 128u << 20;
    // Of proven answers of one topic, which do not count above: past these the oldest count as
    // settled.
    std::size_t max_settling_answers = 1'000;
    std::size_t max_settling_bytes = 4u << 20;
  };
  struct Callbacks {
    // The answer will not be sent again. Once for each that is left.
    std::function<void(const LiveCall& call)> on_settled;
    // Once after all calls of on_settled that belong together, even if there were none.
    std::function<void()> on_settled_end;
    // Answers were proven, if not yet all that OnProven told of.
    std::function<void()> on_proven_end;
    // The hub cannot take the call's answer: another one shall take its place.
    std::function<void(LiveCall& call, const HubLoss& loss)> on_refused;
    // The hub can take the answer's replacement neither. It is dropped, as if it had been settled.
    std::function<void(const LiveCall& call, const HubLoss& loss)> on_given_up;
  };

  Outbox(HubPort& hub, base::Scheduler& scheduler, CallTable& calls, Limits limits,
         Callbacks callbacks);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  bool HasRoom() const {
    return calls_.unproven().calls < limits_.max_answers &&
           calls_.unproven().bytes < limits_.max_bytes;
  }
  // Within the bounds of one plugin: those of a plugin whose topic stays down fill only its own.
  bool HasRoomFor(const Plugin& plugin) const {
    return plugin.unproven.calls < limits_.max_topic_answers &&
           plugin.unproven.bytes < limits_.max_topic_bytes;
  }
  std::size_t answers() const { return calls_.unproven().calls; }
  std::size_t bytes() const { return calls_.unproven().bytes; }
  // How long the plugin's oldest unproven answer has been on its way.
  absl::Duration unproven_for(const Plugin& plugin) const;

  // Sends what the plugin's lane has to send, as far as that goes now. After each new answer.
  void Flush(Plugin& plugin);
  // The hub asks for the answer of a call again.
  void SendAgain(LiveCall& call);

  // The topic is joined (and registered), or is not any more; then OnLost comes first if it is
  // known how it was lost.
  void SetUp(Plugin& plugin, bool up);
  void OnLost(Plugin& plugin, const HubLoss& loss);
  void OnWritable();
  // Where many answers are proven, only the first of them at once.
  void OnProven(HubPosition upto);

  // The topic is left for good, with what it still has.
  void Remove(Plugin& plugin);

  // Whether all that the topic has was sent, if not proven, and none is searched.
  bool IsAllSent(const Plugin& plugin) const;
  // The topic is being left: nothing more goes out, and what comes waits for the next SetUp.
  void Leave(Plugin& plugin);
  // It is left. `handled`: the hub has all that was sent before; else it goes out again.
  void OnLeft(Plugin& plugin, bool handled);

 private:
  friend class RouterAudit;

  void GoDown(Plugin& plugin);
  void ReplaceCulprit(Plugin& plugin, const HubLoss& loss);
  // What was sent in this turn of the io thread.
  struct Turn {
    std::size_t answers = 0;
    std::size_t bytes = 0;
    bool IsOver() const;
  };
  // Sends what can be sent, in this turn or, what is too much for it, later.
  void Flush(Plugin& plugin, Turn& turn);
  // At most `most` answers, as long as it goes on and the turn lasts; returns how many.
  std::size_t SendSome(Plugin& plugin, std::size_t most, Turn& turn);
  void FlushLater(Plugin& plugin);
  void FlushNext();
  void ProveSome();
  // The next step of a search, after a time in which the lane may be lost.
  void StepLater(Plugin& plugin, absl::Duration delay);
  void Step(Plugin& plugin);
  void Prove(Plugin& plugin);
  // Settles what was proven until then, and what is past the bounds.
  void EndSettling(Plugin& plugin, absl::Time proven_until);
  void SettleDue();
  void ScheduleProofRequest();
  void RequestProofs();

  // Constant after construction.
  HubPort& hub_;
  base::Scheduler& scheduler_;
  CallTable& calls_;
  const Limits limits_;
  const Callbacks callbacks_;

  absl::flat_hash_set<Plugin*> up_;        // whose topic is joined
  absl::flat_hash_set<Plugin*> unproven_;  // that have sent answers
  absl::flat_hash_set<Plugin*> settling_;  // that have settling answers
  base::Scheduler::TimerId proof_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId settle_timer_ = base::Scheduler::kNoTimer;
  std::deque<Plugin*> flush_later_;
  base::Scheduler::TimerId flush_timer_ = base::Scheduler::kNoTimer;
  std::deque<HubPosition> proven_upto_;  // that is still to be looked at
  base::Scheduler::TimerId prove_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
