#ifndef ATOMEMO_BRIDGE_ROUTER_CALL_TABLE_H_
#define ATOMEMO_BRIDGE_ROUTER_CALL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/answered_ids.h"
#include "bridge/router/live_call.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// What the router has done since it was made. All calls end in exactly one of `answered` and
// `failed`.
struct RouterCounters {
  std::uint64_t calls = 0;              // new calls from the hub
  std::uint64_t answered = 0;           // by a plugin, successfully
  std::uint64_t failed = 0;             // by a plugin or the bridge, with an error
  std::uint64_t repeated_calls = 0;     // request_ids that the hub sent again
  std::uint64_t late_answers = 0;       // dropped: the call had its answer already
  std::uint64_t forwarded_answers = 0;  // to calls that an earlier bridge took
  std::uint64_t resent = 0;             // answers that went out again: after a loss, or asked for
  std::uint64_t delivered = 0;          // answers that the hub provably has
};

// Every live call, by its topic and request_id, and the ids of those that have ended.
//
// Here alone a call changes its state, and here is done what that means wherever it happens: sums,
// timers, the journal's note, the counter. Lives on the io thread.
class CallTable {
 public:
  // `journal` may be null.
  CallTable(base::Scheduler& scheduler, AnsweredIds::Limits limits, CallJournal* journal);
  ~CallTable();
  CallTable(const CallTable&) = delete;
  CallTable& operator=(const CallTable&) = delete;

  // Null if there is none.
  LiveCall* Find(absl::string_view topic, absl::string_view request_id) const;
  LiveCall* Find(CallId id) const;

  // A call of the hub's, in `kAccepted`; its answer is due in `time_left`. `bytes`: its payload's.
  LiveCall& Accept(Plugin& plugin, absl::string_view event, absl::string_view request_id,
                   absl::Duration time_left, std::size_t bytes = 0);
  // One that an earlier bridge took, in `kRecovered`.
  LiveCall& Recover(const JournaledCall& journaled);
  // One whose answer the hub asks for again, or that only a plugin still knows of.
  LiveCall& Reopen(Plugin& plugin, absl::string_view event, absl::string_view request_id);

  // Takes the call to the next state, and into that state's list, in front of `before`.
  void Move(LiveCall& call, CallState to, CallList& list, CallList::iterator before);
  void Move(LiveCall& call, CallState to, CallList& list) { Move(call, to, list, list.end()); }
  // The call gets its terminal answer: to `kAnswered`, at its topic's lane.
  void Answer(LiveCall& call, std::shared_ptr<const HubAnswer> answer);
  // Another answer takes the place of the one it has.
  void Replace(LiveCall& call, std::shared_ptr<const HubAnswer> answer);
  // The call ends: to `kSettled`, and is gone.
  void Settle(LiveCall& call);
  // A recovered call begins anew, or nobody is left whom its end concerns.
  void Forget(LiveCall& call);

  AnsweredIds& ids() { return ids_; }
  // The lists that belong to no plugin and no session.
  CallList& failing() { return failing_; }
  CallList& recovered() { return recovered_; }
  const CallList& recovered() const { return recovered_; }

  RouterCounters& counters() { return counters_; }
  const RouterCounters& counters() const { return counters_; }
  CallJournal* journal() const { return journal_; }

  template <typename Visitor>
  void ForEachActive(Visitor visit) const {
    for (const auto& [id, call] : calls_) {
      if (IsActive(call->state)) visit(*call);
    }
  }

  // Accepted and not answered.
  const CallTotals& active() const { return active_; }
  // Answered and not proven.
  const CallTotals& unproven() const { return unproven_; }
  std::size_t size() const { return calls_.size(); }

 private:
  friend class RouterAudit;

  LiveCall& Add(CallState state, CallId id, absl::string_view event, absl::string_view request_id);
  // Adds the call to the sums of its state (+1), or takes it out of them (-1).
  void Count(const LiveCall& call, int sign);
  void CancelTimers(LiveCall& call);
  void Erase(LiveCall& call);

  base::Scheduler& scheduler_;
  CallJournal* const journal_;
  AnsweredIds ids_;
  RouterCounters counters_;
  absl::flat_hash_map<CallId, LiveCall*> calls_;
  // Those that are in nobody's list; that are to fail; that an earlier bridge took.
  CallList unlisted_;
  CallList failing_;
  CallList recovered_;
  CallTotals active_;
  CallTotals unproven_;
  std::uint64_t last_number_ = 0;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_CALL_TABLE_H_
