#ifndef ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
#define ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/answer_lane.h"
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
    // The hub's socket has this answer. Once for each.
    std::function<void(absl::string_view topic, const HubAnswer& answer)> on_proven;
    // The answer will not be sent again. Once for each, after on_proven.
    std::function<void(absl::string_view topic, const HubAnswer& answer)> on_settled;
    // Once after all calls of on_settled that belong together, even if there were none.
    std::function<void()> on_settled_end;
    // Answers were proven, if not yet all that OnProven told of.
    std::function<void()> on_proven_end;
    // The hub cannot take this answer: what shall take its place. Not null.
    std::function<std::shared_ptr<const HubAnswer>(absl::string_view topic, const HubAnswer& answer,
                                                   const HubLoss& loss)>
        on_refused;
    // The hub can take the answer's replacement neither. It is dropped, as if it had been settled.
    std::function<void(absl::string_view topic, const HubAnswer& answer, const HubLoss& loss)>
        on_given_up;
  };

  Outbox(HubPort& hub, base::Scheduler& scheduler, Limits limits, Callbacks callbacks);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  bool HasRoom() const { return answers_ < limits_.max_answers && bytes_ < limits_.max_bytes; }
  // Within the bounds of one plugin: those of a plugin whose topic stays down fill only its own.
  bool HasRoomFor(absl::string_view topic) const;
  std::size_t answers() const { return answers_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t answers_for(absl::string_view topic) const;
  std::size_t bytes_for(absl::string_view topic) const;
  // How long the topic's oldest unproven answer has been on its way.
  absl::Duration unproven_for(absl::string_view topic) const;
  // How many answers went out again after a loss.
  std::uint64_t resent() const { return resent_; }
  bool HasAnswersFor(absl::string_view topic) const { return answers_for(topic) > 0; }
  // Whether a copy of the answer has still to go out on the present connection.
  bool IsWaiting(const HubAnswer& answer) const { return CopiesOf(answer).waiting > 0; }
  // How many copies have gone out and are not proven.
  std::size_t CopiesUnderWay(const HubAnswer& answer) const { return CopiesOf(answer).sent; }
  // How many answers are searched for one that the hub cannot take; 0 while all is well.
  std::size_t suspects_for(absl::string_view topic) const;

  void Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer);

  // The topic is joined (and registered), or is not any more; then OnLost comes first if it is
  // known how it was lost.
  void SetUp(absl::string_view topic, bool up);
  void OnLost(absl::string_view topic, const HubLoss& loss);
  void OnWritable();
  // Where many answers are proven, only the first of them at once.
  void OnProven(HubPosition upto);

  // The topic is left for good, with what it still has.
  void Remove(absl::string_view topic);

  // Whether all that the topic has was sent, if not proven, and none is searched.
  bool IsAllSent(absl::string_view topic) const;
  // The topic is being left: nothing more goes out, and what comes waits for the next SetUp.
  void Leave(absl::string_view topic);
  // It is left. `handled`: the hub has all that was sent before; else it goes out again.
  void OnLeft(absl::string_view topic, bool handled);

 private:
  // Of one answer, which is under way twice when the hub has asked for it again.
  struct Copies {
    std::uint32_t waiting = 0;
    std::uint32_t sent = 0;
  };

  const AnswerLane* FindLane(absl::string_view topic) const;
  Copies CopiesOf(const HubAnswer& answer) const;
  // Changes how many copies of the entry's answer wait and are sent.
  void Count(const AnswerLane::Entry& entry, int waiting, int sent);
  // One answer less is sent or waits.
  void Drop(const HubAnswer& answer);
  void GoDown(const std::string& topic, AnswerLane& lane);
  void Replace(const std::string& topic, AnswerLane& lane, const HubLoss& loss);
  // What was sent in this turn of the io thread.
  struct Turn {
    std::size_t answers = 0;
    std::size_t bytes = 0;
    bool IsOver() const;
  };
  // Sends what can be sent, in this turn or, what is too much for it, later.
  void Flush(const std::string& topic, AnswerLane& lane);
  void Flush(const std::string& topic, AnswerLane& lane, Turn& turn);
  void FlushLater(const std::string& topic, AnswerLane& lane);
  void FlushNext();
  void ProveSome();
  bool SendNext(const std::string& topic, AnswerLane& lane);
  // The next step of a search, after a time in which the lane may be lost.
  void StepLater(const std::string& topic, AnswerLane& lane, absl::Duration delay);
  void Step(const std::string& topic);
  // Takes the lane's first sent answer, proven, to settling; answers with it as it was before.
  AnswerLane::Entry Prove(const std::string& topic, AnswerLane& lane);
  void Settle(const std::string& topic, AnswerLane& lane, AnswerLane::Entry entry);
  // Settles what was proven until then, and what is past the bounds.
  void EndSettling(const std::string& topic, AnswerLane& lane, absl::Time proven_until);
  void SettleDue();
  void ScheduleProofRequest();
  void RequestProofs();

  // Constant after construction.
  HubPort& hub_;
  base::Scheduler& scheduler_;
  const Limits limits_;
  const Callbacks callbacks_;

  absl::node_hash_map<std::string, AnswerLane> lanes_;
  absl::flat_hash_map<const HubAnswer*, Copies> copies_;
  absl::flat_hash_set<std::string> unproven_;  // the topics whose lane has sent entries
  absl::flat_hash_set<std::string> settling_;  // the topics whose lane has settling answers
  std::size_t answers_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t resent_ = 0;
  base::Scheduler::TimerId proof_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId settle_timer_ = base::Scheduler::kNoTimer;
  std::deque<std::string> flush_later_;  // topics, which may be gone
  base::Scheduler::TimerId flush_timer_ = base::Scheduler::kNoTimer;
  std::deque<HubPosition> proven_upto_;  // that is still to be looked at
  base::Scheduler::TimerId prove_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
