#ifndef ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_
#define ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

// The answers of one topic, in the order in which they go out, and the search among them for one
// that the hub cannot take.
//
//   waiting --Send--> sent --Prove--> settling --PopSettled--> gone
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
// A plain value without I/O, for the Outbox.
class AnswerLane {
 public:
  struct Entry {
    std::shared_ptr<const HubAnswer> answer;
    HubPosition position;  // where it was sent, if it was
    absl::Time sent_at;
    absl::Time proven_at;
    bool sent_before = false;
    bool proven_before = false;
    // Takes the place of one that the hub could not take.
    bool is_replacement = false;
    // How much speaks against it, and all others that were under way, from losses since it passed.
    int suspicion = 0;
    // How much speaks against it, from losses behind it alone.
    int evidence = 0;
    // It was in a group that passed, and has not been lost since.
    bool passed = false;
  };

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

  // Sent or waiting; what is settling does not count.
  std::size_t answers() const { return waiting_.size() + sent_.size(); }
  std::size_t bytes() const { return bytes_; }
  const std::deque<Entry>& waiting() const { return waiting_; }
  const std::deque<Entry>& sent() const { return sent_; }
  const std::deque<Entry>& settling() const { return settling_; }

  bool searching() const { return suspects_ + probation_ + group_ > 0; }
  // Those under way included.
  std::size_t suspects() const { return suspects_ + (group_is_suspect_ ? group_ : 0); }
  // The next group is one suspect alone.
  bool next_is_alone() const { return suspects_ > 0 && sendable() == 1; }
  // A group is under way, and all of it is proven.
  bool group_proven() const { return group_ > 0 && sent_.empty(); }

  void Add(Entry entry);

  // How many may be sent now, if the topic is up.
  std::size_t sendable() const;
  // The first that waits has been sent.
  Entry& Send(HubPosition position, absl::Time now);
  // While searching: those sent since the last group are a group.
  void CloseGroup(std::size_t size);

  // The first that was sent is proven. Goes on to settling with Settle.
  Entry TakeProven();
  void Settle(Entry entry);
  // Whether the first that settles may be taken for settled: it was proven until then, or there are
  // more than so many of it. Those of a group never are.
  bool CanPopSettled(absl::Time proven_until, std::size_t max_answers, std::size_t max_bytes) const;
  Entry PopSettled();

  // The group passed: nothing was lost for long enough. What spoke against it speaks no more.
  void Pass();
  // How long after its proof a group is watched until it passes: longer if one was lost after all.
  absl::Duration watch_time() const { return watch_time_; }

  // The topic is lost, with whatever was sent and settling: it waits again. True if what was there
  // may be the cause: the topic should be joined again soon.
  bool Lose(const HubLoss& loss);

  // There is enough evidence against the one suspect: it is to be replaced, or given up.
  bool has_culprit() const;
  const Entry& culprit() const { return waiting_.front(); }
  void ReplaceCulprit(std::shared_ptr<const HubAnswer> answer);
  Entry GiveUpCulprit();

 private:
  void StartSearch();
  void CheckInvariants() const;

  std::deque<Entry> waiting_;   // not sent yet, or to be sent again: suspects, probation, the rest
  std::deque<Entry> sent_;      // not proven yet, in the order of their positions
  std::deque<Entry> settling_;  // proven, oldest first
  std::size_t bytes_ = 0;       // of waiting_ and sent_
  std::size_t settling_bytes_ = 0;

  absl::Duration watch_time_;
  // A group has been lost in this search.
  bool narrowing_ = false;
  // How much speaks, in this search, against all suspects together.
  int against_all_ = 0;
  // Of a search. Suspects and those on probation are counted without the group that is under way.
  std::size_t suspects_ = 0;
  std::size_t probation_ = 0;
  std::size_t group_ = 0;
  bool group_is_suspect_ = false;
  // Nothing else was settling when the group was sent.
  bool group_is_alone_ = false;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ANSWER_LANE_H_
