#ifndef ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_
#define ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_

#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/live_call.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

class CallTable;

// The answers of one topic, in the order in which they go out, and the search among them for one
// that the hub cannot take.
//
//   waiting --Send--> sent --Prove--> settling --> gone
//      ^                 |               |
//      +------ Lose -----+---------------+
//
// Whatever was sent or settling at a loss may be the cause of it. At first all of it goes out again
// at once. What was there at two losses for which the hub blames a frame, or at four that tell
// nothing, is suspect, and then answers go out in groups, each proven and given time before the
// next:
//
//   suspects    all (twice, if the first loss told nothing), and that is the search's end if they
//               pass; else half of those that are left: a lost group are the suspects from then
//               on, and what a group that passes leaves over are the suspects that are left
//   probation   once there are no suspects: whatever else was there at a loss, all at once
//   the rest    once there is neither
//
// A suspect that is left alone goes out with nothing else under way or settling, on a connection
// that has been up for a while. Only a loss behind such a one counts against it, and only as far as
// its cause points to what was sent. So an answer is never blamed for another one's loss, and a hub
// that fails for reasons of its own must do so several times in a row at the same answer.
//
// Knows of order and guilt alone: the Outbox sends.
class AnswerLane {
 public:
  AnswerLane();

  bool up = false;
  // While up.
  absl::Time up_since;
  // Until the next step of a search.
  base::Scheduler::TimerId step_timer = base::Scheduler::kNoTimer;
  // It goes on sending in a later turn of the io thread.
  bool flush_later = false;
  // How the topic is just being lost.
  std::optional<HubLoss> loss;

  // Where a new answer belongs.
  CallList& rest() { return rest_; }
  const CallList& sent() const { return sent_; }
  CallList& settling() { return settling_; }
  const CallList& settling() const { return settling_; }

  std::size_t waiting() const { return suspects_.size() + probation_.size() + rest_.size(); }
  // The first that waits.
  LiveCall& next();

  bool searching() const { return !suspects_.empty() || !probation_.empty() || group_ > 0; }
  // Those under way included.
  std::size_t suspects() const { return suspects_.size() + (group_is_suspect_ ? group_ : 0); }
  // The next group is one suspect alone.
  bool next_is_alone() const { return !suspects_.empty() && sendable() == 1; }
  // A group is under way, and all of it is proven.
  bool group_proven() const { return group_ > 0 && sent_.empty(); }

  // How many may be sent now, if the topic is up.
  std::size_t sendable() const;
  // The first that waits has been sent.
  void Send(CallTable& calls, HubPosition position);
  // While searching: the last `size` that were sent are a group.
  void CloseGroup(std::size_t size);
  // The hub asks for what was sent or settles once more.
  void SendAgain(CallTable& calls, LiveCall& call, absl::Time now);

  // The first that was sent is proven: it settles.
  LiveCall& Prove(CallTable& calls);
  // Whether the first that settles may be taken for settled: it was proven until then, or there are
  // more than so many of it. Those of a group never are.
  bool CanSettle(absl::Time proven_until, std::size_t max_answers, std::size_t bytes,
                 std::size_t max_bytes) const;

  // The group passed: nothing was lost for long enough. What spoke against it speaks no more.
  void Pass();
  // How long after its proof a group is watched until it passes: longer if one was lost after all.
  absl::Duration watch_time() const { return watch_time_; }

  // The topic is lost, with whatever was sent and settling: it waits again. True if what was there
  // may be the cause: the topic should be joined again soon.
  bool Lose(CallTable& calls, const HubLoss& loss);

  // There is enough evidence against the one suspect: it is to be replaced, or given up.
  LiveCall* culprit();
  void CulpritReplaced() { watch_time_ = kShortestWatch; }

 private:
  friend class RouterAudit;

  // Where what was lost waits when it is not known to be of a search.
  void Judge(CallList lost);
  // Takes what was sent and settles back to waiting, oldest first.
  CallList TakeLost(CallTable& calls);
  void CheckInvariants() const;

  static constexpr absl::Duration kShortestWatch = absl::Milliseconds(250);

  // What waits: not sent yet, or to be sent again.
  CallList suspects_;
  CallList probation_;
  CallList rest_;
  CallList sent_;      // not proven yet, in the order of their positions
  CallList settling_;  // proven, oldest first

  absl::Duration watch_time_;
  // A group has been lost in this search.
  bool narrowing_ = false;
  // How much speaks, in this search, against all suspects together.
  int against_all_ = 0;
  // Those under way: the last ones of `settling_` and all of `sent_`.
  std::size_t group_ = 0;
  bool group_is_suspect_ = false;
  // Nothing else was settling when the group was sent.
  bool group_is_alone_ = false;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_
