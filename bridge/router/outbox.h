#ifndef ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
#define ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "bridge/base/scheduler.h"
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
// Bounds: the outbox itself never drops an answer. At its limits HasRoom() or HasRoomFor() is
// false, and the router refuses new calls until it has room again.
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
    std::size_t max_settling_answers = 250;
    std::size_t max_settling_bytes = 4u << 20;
  };
  struct Callbacks {
    // The hub's socket has this answer. Once for each.
    std::function<void(absl::string_view topic, const HubAnswer& answer)> on_proven;
    // The answer will not be sent again. Once for each, after on_proven.
    std::function<void(absl::string_view topic, const HubAnswer& answer)> on_settled;
    // Once after all calls of on_settled that belong together, even if there were none.
    std::function<void()> on_settled_end;
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
  // Whether the call's answer has still to go out on the present connection.
  bool IsWaiting(absl::string_view topic, absl::string_view request_id) const;

  void Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer);

  // The topic is joined (and registered), or is not any more.
  void SetUp(absl::string_view topic, bool up);
  void OnWritable();
  void OnProven(HubPosition upto);

  // The topic is left for good, with what it still has.
  void Remove(absl::string_view topic);

  // Counts all proven answers as settled: nobody will send them again.
  void SettleAll();

 private:
  struct Entry {
    std::shared_ptr<const HubAnswer> answer;
    HubPosition position;  // where it was sent, if it was
    absl::Time sent_at;
    bool sent_before = false;
    bool proven_before = false;
  };
  struct Proven {
    std::shared_ptr<const HubAnswer> answer;
    absl::Time at;
  };
  struct Lane {
    bool up = false;
    std::size_t bytes = 0;
    std::deque<Entry> sent;     // not proven yet, in the order of their positions
    std::deque<Entry> waiting;  // not sent yet, or to be sent again
    std::deque<Proven> settling;
    std::size_t settling_bytes = 0;

    std::size_t answers() const { return sent.size() + waiting.size(); }
  };

  const Lane* FindLane(absl::string_view topic) const;
  void Flush(const std::string& topic, Lane& lane);
  void Settle(const std::string& topic, Lane& lane, std::shared_ptr<const HubAnswer> answer);
  // Settles what was proven until then, and what is past the bounds.
  void EndSettling(const std::string& topic, Lane& lane, absl::Time proven_until);
  void SettleDue();
  // Puts what may be lost with the topic's channel in front of what waits.
  void SendAgain(Lane& lane);
  void ScheduleProofRequest();
  void RequestProofs();

  // Constant after construction.
  HubPort& hub_;
  base::Scheduler& scheduler_;
  const Limits limits_;
  const Callbacks callbacks_;

  absl::node_hash_map<std::string, Lane> lanes_;
  absl::flat_hash_set<std::string> unproven_;  // the topics whose lane has sent entries
  absl::flat_hash_set<std::string> settling_;  // the topics whose lane has settling answers
  std::size_t answers_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t resent_ = 0;
  base::Scheduler::TimerId proof_timer_ = base::Scheduler::kNoTimer;
  base::Scheduler::TimerId settle_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_OUTBOX_H_
