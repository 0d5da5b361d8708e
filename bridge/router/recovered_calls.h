#ifndef ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_
#define ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

// The calls that an earlier bridge had when it was killed, until each has its answer. One that no
// worker had got may run when the hub repeats it, and otherwise fails after a grace period. One
// that a worker had got never runs again: its worker offers the answer, or it fails once the worker
// is back and does not know of it, once the worker was back and is lost, or at its deadline. One
// that the earlier bridge had failed has that for its answer, although its worker may say otherwise
// by now: the hub may have it already.
//
// Lives on the io thread.
class RecoveredCalls {
 public:
  // The call shall be answered with `error` now. False: its plugin is not known (yet), so it cannot
  // be.
  using Fail = std::function<bool(const JournaledCall& call, pb::PluginError error)>;
  // The call's deadline has passed long ago, and nobody could be told.
  using Forget = std::function<void(const JournaledCall& call)>;

  RecoveredCalls(base::Scheduler& scheduler, absl::Duration grace, Fail fail, Forget forget);
  ~RecoveredCalls();
  RecoveredCalls(const RecoveredCalls&) = delete;
  RecoveredCalls& operator=(const RecoveredCalls&) = delete;

  void Add(std::vector<JournaledCall> calls);

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

  const JournaledCall* Find(absl::string_view topic, absl::string_view request_id) const;

  // The call has its answer, or runs for the first time.
  void Remove(absl::string_view topic, absl::string_view request_id);

  std::size_t size() const { return calls_.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // topic, request_id
  struct Entry {
    JournaledCall call;
    absl::Time deadline;
    // The session of the worker that said it has the call; empty before.
    std::string session_id;
    // Its answer, which waits for its plugin to be known.
    std::optional<pb::PluginError> due;
    base::Scheduler::TimerId timer = base::Scheduler::kNoTimer;
  };

  struct Decision {
    Key key;
    pb::PluginError error;
  };

  void OnGraceOver(const Key& key);
  void OnDeadline(const Key& key);
  // Takes decisions, of which there may be thousands, some in each turn of the io thread.
  void DecideSome();
  // Answers the call, or keeps the answer until it can be given.
  void Decide(const Key& key, pb::PluginError error);
  void OnNobodyToTell(const Key& key);

  base::Scheduler& scheduler_;
  const absl::Duration grace_;
  const Fail fail_;
  const Forget forget_;
  absl::flat_hash_map<Key, Entry> calls_;
  std::deque<Decision> decisions_;
  base::Scheduler::TimerId decide_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_RECOVERED_CALLS_H_
