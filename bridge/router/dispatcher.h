#ifndef ATOMEMO_BRIDGE_ROUTER_DISPATCHER_H_
#define ATOMEMO_BRIDGE_ROUTER_DISPATCHER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call_table.h"
#include "bridge/router/options.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// Hands calls to workers, and sees to it that each ends: by its reply, at its deadline, or when its
// worker dies.
//
// Within one plugin and kind, calls go out in the order of their arrival (those of a dead worker,
// if they run again, too), to the worker with the fewest calls in flight that has a credit left. A
// slow plugin fills only its own queue.
//
// Lives on the io thread. Plugins and sessions are the caller's, who must take their calls away
// (StreamClosed, FailAll) before they go.
class Dispatcher {
 public:
  // A call ends without its plugin's reply: the callback gives it this error for its answer.
  using Fail = std::function<void(LiveCall& call, pb::PluginError error)>;

  Dispatcher(base::Scheduler& scheduler, const RouterOptions& options, CallTable& calls, Fail fail);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Why no further call of that size can be taken: a bound is reached, which the error names.
  std::optional<pb::PluginError> Overload(const Plugin& plugin, std::size_t bytes) const;

  // Takes over an accepted call, which Overload lets in. It fails at once when the workers that are
  // there do not serve its kind; without workers it waits for one for a grace period.
  void Start(LiveCall& call, absl::Duration timeout);

  // Of a call that is active in the session's plugin, or was cancelled at that session.
  std::optional<CallKind> KindOf(const Session& session, absl::string_view request_id) const;

  // The active call that `session` answers; null if no such call is active in the session's plugin,
  // or its deadline has passed (then it has failed). A reply from another worker of the plugin than
  // the one that has the call counts: the first answer wins. AfterCall follows once it is answered.
  LiveCall* TakeReply(Session& session, CallKind kind, absl::string_view request_id);

  // A call of the plugin has its answer: others may go out.
  void AfterCall(Plugin& plugin, CallKind kind);

  // A stream was opened, or a session published: queued calls may go out.
  void WorkerReady(Plugin& plugin);

  // A worker is gone: queued calls may have nobody left to wait for.
  void WorkerGone(Plugin& plugin);

  // Gives the session no further calls, and tells it so on its streams.
  void Drain(Session& session);

  // No call will be started any more. From now on sessions are told so as soon as their plugin has
  // no call left; TellIfDrained is for those that have none now.
  void DrainWhenIdle() { draining_ = true; }

  // Tells the session on its streams that no further call comes, once, if that is so. After a
  // stream was opened.
  void TellIfDrained(Session& session) const;

  // The stream is gone: its calls fail as crashed with `reason`, or go to another worker if they
  // are safe to retry. Removes the stream. Where they are many, only the first of them at once.
  void StreamClosed(Session& session, CallKind kind, absl::string_view reason);

  // The plugin is about to go. It has no calls.
  void Forget(const Plugin& plugin);

  // The end: every active call fails with the same error, and none is started any more. Where they
  // are many, only the first fail at once.
  void FailAll(const pb::PluginError& error);

 private:
  // There are workers, none has a stream for the kind, and none is about to open one.
  bool NeverServes(const Plugin& plugin, CallKind kind) const;
  void Pump(Plugin& plugin, CallKind kind);
  void PumpLater(Plugin& plugin, CallKind kind);
  void PumpNext();
  void HandOver(LiveCall& call, Session& worker);
  void Enqueue(LiveCall& call);
  void WaitForWorker(LiveCall& call);
  void WaitForWorkerAnew(LiveCall& call);
  void StartGrace(LiveCall& call);
  void OnGraceOver(LiveCall& call);
  void OnDeadline(LiveCall& call);
  // The call has its answer, without its plugin's reply.
  void FailNow(LiveCall& call, pb::PluginError error);
  // The call is about to fail: with FailSome.
  void Doom(LiveCall& call, std::shared_ptr<const pb::PluginError> error);
  void FailSome();
  void HoldCredit(Session& session, CallKind kind, const std::string& request_id);
  // Where the call went; null (and a broken invariant) if its worker has no such stream.
  CallSink* SinkOf(const LiveCall& call) const;
  // A worker has a credit of that kind again.
  void PumpFreed(Plugin& plugin, CallKind kind);
  void ReturnHeldCredit(Session& session, CallKind kind, absl::string_view request_id);

  base::Scheduler& scheduler_;
  const RouterOptions& options_;
  CallTable& calls_;
  const Fail fail_;

  bool draining_ = false;
  // FailAll was called: no call is started any more.
  bool failing_ = false;
  base::Scheduler::TimerId fail_timer_ = base::Scheduler::kNoTimer;
  // Queues with more calls than were handed over in one turn.
  std::deque<std::pair<Plugin*, CallKind>> pumps_;
  base::Scheduler::TimerId pump_timer_ = base::Scheduler::kNoTimer;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_DISPATCHER_H_
