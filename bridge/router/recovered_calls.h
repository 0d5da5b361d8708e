#ifndef ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_
#define ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call_table.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

// The calls that an earlier bridge had when it was killed, until each has its answer. One that no
// worker had got may run when the hub repeats it, and otherwise fails after a grace period. One
// that a worker had got never runs again: its worker offers the answer, or it fails once the worker
// is back and does not know of it, once the worker was back and is lost, or at its deadline, but
// not before the grace is over. One that the earlier bridge had failed has that for its answer,
// although its worker may say otherwise by now: the hub may have it already.
//
// Lives on the io thread.
class RecoveredCalls {
 public:
  // The call shall be answered with `error` now. False: its plugin is not known (yet), so it cannot
  // be.
  using Fail = std::function<bool(LiveCall& call, pb::PluginError error)>;

  RecoveredCalls(base::Scheduler& scheduler, CallTable& calls, absl::Duration grace, Fail fail);
  ~RecoveredCalls();
  RecoveredCalls(const RecoveredCalls&) = delete;
  RecoveredCalls& operator=(const RecoveredCalls&) = delete;

  void Add(const std::vector<JournaledCall>& calls);

  // The plugin of this topic is known from now on.
  void PluginKnown(absl::string_view topic);

  // The worker, whose session it is now, has `open_request_ids` of what it got from an earlier
  // bridge. What that bridge sent it last may never have arrived. An empty `instance_id` tells
  // nothing.
  void WorkerReturned(absl::string_view topic, absl::string_view session_id,
                      absl::string_view instance_id,
                      const std::vector<std::string>& open_request_ids);

  // What the worker of that session had fails, as any call does whose worker is lost.
  void WorkerLost(absl::string_view session_id, absl::string_view reason);

 private:
  void OnGraceOver(LiveCall& call);
  void OnDeadline(LiveCall& call);
  void DecideLater(LiveCall& call, pb::PluginError error);
  // Takes decisions, of which there may be thousands, some in each turn of the io thread.
  void DecideSome();
  // Answers the call, or keeps the answer until it can be given.
  void Decide(LiveCall& call, pb::PluginError error);
  void OnNobodyToTell(LiveCall& call);

  base::Scheduler& scheduler_;
  CallTable& calls_;
  const absl::Duration grace_;
  const Fail fail_;
  // Calls to decide, which may have ended otherwise.
  std::deque<CallId> decisions_;
  base::Scheduler::TimerId decide_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_
