#include "bridge/router/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/router/errors.h"

namespace atomemo::router {
namespace {

// What is done for calls at once, a few milliseconds' worth: then it is the others' turn.
constexpr std::size_t kCallsATurn = 256;
constexpr std::size_t kBytesATurn = std::size_t{4} << 20;

bool Serves(Session& session, CallKind kind) {
  const std::optional<CallStream>& stream = session.stream(kind);
  return !session.draining && stream.has_value() && !stream->drained && stream->sink->IsOpen();
}

// The stream has ended, and Unsubscribe is about to come.
bool IsEnding(Session& session, CallKind kind) {
  const std::optional<CallStream>& stream = session.stream(kind);
  return stream.has_value() && !stream->sink->IsOpen();
}

bool AnyServes(const Plugin& plugin, CallKind kind) {
  return std::any_of(plugin.workers.begin(), plugin.workers.end(),
                     [kind](Session* worker) { return Serves(*worker, kind); });
}

bool AnyWorker(const Plugin& plugin) {
  return std::any_of(plugin.workers.begin(), plugin.workers.end(),
                     [](const Session* worker) { return !worker->draining; });
}

// The worker with the fewest calls among those with a credit; null if there is none. Of those with
// equally few it is each one's turn.
Session* LeastBusy(Plugin& plugin, CallKind kind) {
  Session* best = nullptr;
  std::size_t best_turn = 0;
  for (std::size_t i = 0; i < plugin.workers.size(); ++i) {
    const std::size_t turn = (plugin.next_worker + i) % plugin.workers.size();
    Session* const worker = plugin.workers[turn];
    if (!Serves(*worker, kind) || !worker->HasCredit(kind)) continue;
    if (best != nullptr && worker->stream(kind)->used() >= best->stream(kind)->used()) continue;
    best = worker;
    best_turn = turn;
  }
  if (best != nullptr) plugin.next_worker = best_turn + 1;
  return best;
}

pb::PluginError NoWorkerError(const Plugin& plugin) {
  return BridgeError(code::kNoWorker, "NoWorker",
                     absl::StrCat("no worker of the plugin \"", plugin.name,
                                  "\" is connected to the bridge: start the plugin's process"));
}

pb::PluginError NotServedError(const Plugin& plugin, CallKind kind) {
  for (Session* worker : plugin.workers) {
    if (worker->draining || worker->lost_stream(kind).empty()) continue;
    return BridgeError(code::kNoWorker, "NoWorker",
                       absl::StrCat("the plugin \"", plugin.name, "\" is connected, but ",
                                    worker->lost_stream(kind), ": it must open the ",
                                    CallKindName(kind), " stream or its session again"));
  }
  return BridgeError(code::kMethodNotSupported, "MethodNotSupported",
                     absl::StrCat("the plugin \"", plugin.name, "\" is connected, but serves no ",
                                  CallKindName(kind), " calls: it must open the ",
                                  CallKindName(kind), " stream before it publishes"));
}

pb::PluginError OverloadedError(absl::string_view what, std::size_t limit, absl::string_view flag) {
  return BridgeError(code::kOverloaded, "Overloaded",
                     absl::StrCat(what, " (", limit, ", set by ", flag, ")"));
}

}  // namespace

Dispatcher::Dispatcher(base::Scheduler& scheduler, const RouterOptions& options, CallTable& calls,
                       Fail fail)
    : scheduler_(scheduler), options_(options), calls_(calls), fail_(std::move(fail)) {}

Dispatcher::~Dispatcher() {
  scheduler_.Cancel(fail_timer_);
  scheduler_.Cancel(pump_timer_);
}

std::optional<pb::PluginError> Dispatcher::Overload(const Plugin& plugin, std::size_t bytes) const {
  const RouterLimits& limits = options_.limits;
  if (calls_.active().calls >= limits.max_calls) {
    return OverloadedError("the bridge has too many calls in flight", limits.max_calls,
                           "--max-calls");
  }
  if (calls_.active().bytes + bytes > limits.max_call_bytes) {
    return OverloadedError("the bridge's calls in flight hold too many bytes",
                           limits.max_call_bytes, "--max-call-bytes");
  }
  if (plugin.active.calls >= limits.max_plugin_calls) {
    return OverloadedError(
        absl::StrCat("the plugin \"", plugin.name, "\" has too many calls in flight"),
        limits.max_plugin_calls, "--max-plugin-calls");
  }
  if (plugin.active.bytes + bytes > limits.max_plugin_call_bytes) {
    return OverloadedError(
        absl::StrCat("the calls in flight of the plugin \"", plugin.name, "\" hold too many bytes"),
        limits.max_plugin_call_bytes, "--max-plugin-call-bytes");
  }
  if (plugin.queued >= limits.max_queued_calls) {
    return OverloadedError(absl::StrCat("too many calls wait for the plugin \"", plugin.name, "\""),
                           limits.max_queued_calls, "--max-queued-calls");
  }
  return std::nullopt;
}

void Dispatcher::Start(LiveCall& call, absl::Duration timeout) {
  Plugin& plugin = *call.plugin;
  if (NeverServes(plugin, call.kind())) return fail_(call, NotServedError(plugin, call.kind()));
  call.deadline_timer = scheduler_.After(timeout, [this, &call] { OnDeadline(call); });
  Enqueue(call);
  Pump(plugin, call.kind());
}

bool Dispatcher::NeverServes(const Plugin& plugin, CallKind kind) const {
  const absl::Time settled = scheduler_.Now() - options_.stream_grace;
  return AnyWorker(plugin) && !AnyServes(plugin, kind) &&
         std::none_of(plugin.workers.begin(), plugin.workers.end(),
                      [settled, kind](Session* worker) {
                        return !worker->draining &&
                               (worker->streams_changed_at > settled || IsEnding(*worker, kind));
                      });
}

std::optional<CallKind> Dispatcher::KindOf(const Session& session,
                                           absl::string_view request_id) const {
  const LiveCall* const call = calls_.Find(session.plugin->topic, request_id);
  if (call != nullptr && IsActive(call->state)) return call->kind();
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    if (session.streams[i] && session.streams[i]->cancelled.contains(request_id)) {
      return static_cast<CallKind>(i);
    }
  }
  return std::nullopt;
}

LiveCall* Dispatcher::TakeReply(Session& session, CallKind kind, absl::string_view request_id) {
  LiveCall* const call = calls_.Find(session.plugin->topic, request_id);
  // The clock decides, not whether the reply or the timer is handled first.
  if (call != nullptr && IsActive(call->state) && call->deadline <= scheduler_.Now()) {
    OnDeadline(*call);
  }
  ReturnHeldCredit(session, kind, request_id);
  if (call == nullptr || !IsActive(call->state) || call->kind() != kind) return nullptr;
  if (call->worker != nullptr && call->worker != &session) {
    if (CallSink* const sink = SinkOf(*call)) {
      sink->Cancel(call->request_id, "another worker has answered the call");
      HoldCredit(*call->worker, kind, call->request_id);
    }
  }
  session.plugin->timeouts_in_a_row = 0;
  return call;
}

void Dispatcher::ReturnHeldCredit(Session& session, CallKind kind, absl::string_view request_id) {
  std::optional<CallStream>& stream = session.stream(kind);
  if (!stream) return;
  const auto cancelled = stream->cancelled.find(request_id);
  if (cancelled == stream->cancelled.end()) return;
  scheduler_.Cancel(cancelled->second);
  stream->cancelled.erase(cancelled);
  PumpFreed(*session.plugin, kind);
}

void Dispatcher::WorkerReady(Plugin& plugin) {
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    const auto kind = static_cast<CallKind>(i);
    if (AnyServes(plugin, kind)) {
      for (LiveCall& call : plugin.queue(kind)) {
        scheduler_.Cancel(std::exchange(call.grace_timer, base::Scheduler::kNoTimer));
      }
      Pump(plugin, kind);
    } else if (NeverServes(plugin, kind)) {
      const auto error = std::make_shared<const pb::PluginError>(NotServedError(plugin, kind));
      while (!plugin.queue(kind).empty()) Doom(plugin.queue(kind).front(), error);
      FailSome();
    } else if (AnyWorker(plugin)) {
      for (LiveCall& call : plugin.queue(kind)) WaitForWorkerAnew(call);
    }
  }
}

void Dispatcher::WorkerGone(Plugin& plugin) {
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    const auto kind = static_cast<CallKind>(i);
    if (AnyServes(plugin, kind)) continue;
    for (LiveCall& call : plugin.queue(kind)) WaitForWorker(call);
  }
}

void Dispatcher::Drain(Session& session) {
  session.draining = true;
  TellIfDrained(session);
  if (session.plugin != nullptr) WorkerGone(*session.plugin);
}

void Dispatcher::TellIfDrained(Session& session) const {
  // Answers that wait for room would be lost with a plugin that goes.
  if (!session.parked_replies.empty() && session.plugin != nullptr) return;
  const bool idle = session.plugin == nullptr || session.plugin->active.calls == 0;
  if (!session.draining && !(draining_ && idle)) return;
  for (std::optional<CallStream>& stream : session.streams) {
    if (!stream || std::exchange(stream->drained, true)) continue;
    stream->sink->Drained();
  }
}

void Dispatcher::StreamClosed(Session& session, CallKind kind, absl::string_view reason) {
  std::optional<CallStream>& stream = session.stream(kind);
  if (!stream) return;
  session.streams_changed_at = scheduler_.Now();
  session.lost_stream(kind) = std::string(reason);
  for (const auto& [request_id, timer] : stream->cancelled) scheduler_.Cancel(timer);
  CallList& orphans = stream->in_flight;
  orphans.sort([](const LiveCall& a, const LiveCall& b) { return a.number < b.number; });
  const auto error = std::make_shared<const pb::PluginError>(WorkerDied(reason));
  // The last first: then each one's place in the queue is near the front.
  for (auto orphan = orphans.end(); orphan != orphans.begin();) {
    LiveCall& call = *--orphan;
    if (!call.retry_safe) continue;
    ++orphan;
    Enqueue(call);
  }
  while (!orphans.empty()) {
    orphans.front().worker = nullptr;
    Doom(orphans.front(), error);
  }
  // Those of FailAll whose turn has not come.
  for (LiveCall& call : calls_.failing()) {
    if (call.worker == &session && call.kind() == kind) call.worker = nullptr;
  }
  stream.reset();
  FailSome();
  if (session.plugin != nullptr) Pump(*session.plugin, kind);
}

void Dispatcher::FailAll(const pb::PluginError& error) {
  failing_ = true;
  const auto shared = std::make_shared<const pb::PluginError>(error);
  calls_.ForEachActive([&](LiveCall& call) { Doom(call, shared); });
  FailSome();
}

void Dispatcher::Doom(LiveCall& call, std::shared_ptr<const pb::PluginError> error) {
  if (call.state == CallState::kFailing) return;
  call.doom = std::move(error);
  calls_.Move(call, CallState::kFailing, calls_.failing());
}

void Dispatcher::FailSome() {
  if (fail_timer_ != base::Scheduler::kNoTimer) return;
  CallList& failing = calls_.failing();
  for (std::size_t failed = 0; failed < kCallsATurn && !failing.empty(); ++failed) {
    LiveCall& call = failing.front();
    if (call.worker != nullptr) {
      CallSink* const sink = call.worker->sink_of(call.kind());
      if (ATOMEMO_INVARIANT(sink != nullptr)) sink->Cancel(call.request_id, call.doom->message());
    }
    const std::shared_ptr<const pb::PluginError> error = call.doom;
    FailNow(call, *error);
  }
  if (failing.empty()) return;
  fail_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
    fail_timer_ = base::Scheduler::kNoTimer;
    FailSome();
  });
}

CallSink* Dispatcher::SinkOf(const LiveCall& call) const {
  CallSink* const sink = call.worker == nullptr ? nullptr : call.worker->sink_of(call.kind());
  return ATOMEMO_INVARIANT(sink != nullptr) ? sink : nullptr;
}

void Dispatcher::Pump(Plugin& plugin, CallKind kind) {
  if (failing_) return;
  CallList& queue = plugin.queue(kind);
  std::size_t calls = 0;
  std::size_t bytes = 0;
  while (!queue.empty()) {
    Session* worker = LeastBusy(plugin, kind);
    if (worker == nullptr) {
      if (!AnyServes(plugin, kind)) {
        for (LiveCall& call : queue) WaitForWorker(call);
      }
      return;
    }
    if (++calls > kCallsATurn || bytes > kBytesATurn) return PumpLater(plugin, kind);
    bytes += queue.front().bytes;
    HandOver(queue.front(), *worker);
  }
}

void Dispatcher::PumpLater(Plugin& plugin, CallKind kind) {
  const std::pair<Plugin*, CallKind> queue(&plugin, kind);
  if (std::find(pumps_.begin(), pumps_.end(), queue) == pumps_.end()) pumps_.push_back(queue);
  if (pump_timer_ != base::Scheduler::kNoTimer) return;
  pump_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { PumpNext(); });
}

void Dispatcher::PumpNext() {
  pump_timer_ = base::Scheduler::kNoTimer;
  if (pumps_.empty()) return;
  const auto [plugin, kind] = pumps_.front();
  pumps_.pop_front();
  if (!pumps_.empty()) {
    pump_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { PumpNext(); });
  }
  Pump(*plugin, kind);
}

void Dispatcher::PumpFreed(Plugin& plugin, CallKind kind) {
  if (kind == CallKind::kInvoke) return Pump(plugin, kind);
  // The credit may be one that all kinds but Invoke share: this kind comes last, so that each has
  // its turn.
  for (std::size_t i = 1; i <= kCallKindCount; ++i) {
    const auto next = static_cast<CallKind>((static_cast<std::size_t>(kind) + i) % kCallKindCount);
    if (next != CallKind::kInvoke && !plugin.queue(next).empty()) Pump(plugin, next);
  }
}

void Dispatcher::AfterCall(Plugin& plugin, CallKind kind) {
  PumpFreed(plugin, kind);
  if (!draining_) return;
  for (Session* worker : plugin.workers) TellIfDrained(*worker);
}

void Dispatcher::Forget(const Plugin& plugin) {
  pumps_.erase(std::remove_if(pumps_.begin(), pumps_.end(),
                              [&plugin](const auto& queue) { return queue.first == &plugin; }),
               pumps_.end());
}

void Dispatcher::HandOver(LiveCall& call, Session& worker) {
  (void)ATOMEMO_INVARIANT(call.worker == nullptr);
  call.worker = &worker;
  call.worker_pid = worker.spec.peer_pid;
  CallStream& stream = *worker.stream(call.kind());
  calls_.Move(call, CallState::kRunning, stream.in_flight);
  stream.sink->Send({*call.row, call.request_id, call.body, call.deadline - scheduler_.Now()});
  if (!call.retry_safe) call.body = CallBody();
}

void Dispatcher::Enqueue(LiveCall& call) {
  CallList& queue = call.plugin->queue(call.kind());
  // Behind all that came before it: at the end, unless it had a worker.
  auto place = queue.end();
  if (!queue.empty() && queue.back().number > call.number) {
    place = std::find_if(queue.begin(), queue.end(),
                         [&call](const LiveCall& other) { return other.number > call.number; });
  }
  calls_.Move(call, CallState::kQueued, queue, place);
}

void Dispatcher::WaitForWorker(LiveCall& call) {
  if (call.grace_timer == base::Scheduler::kNoTimer) WaitForWorkerAnew(call);
}

void Dispatcher::WaitForWorkerAnew(LiveCall& call) {
  call.unserved_since = scheduler_.Now();
  StartGrace(call);
}

void Dispatcher::StartGrace(LiveCall& call) {
  scheduler_.Cancel(call.grace_timer);
  const absl::Duration grace =
      AnyWorker(*call.plugin) ? options_.stream_grace : options_.worker_grace;
  call.grace_timer = scheduler_.After(call.unserved_since + grace - scheduler_.Now(),
                                      [this, &call] { OnGraceOver(call); });
}

void Dispatcher::OnGraceOver(LiveCall& call) {
  call.grace_timer = base::Scheduler::kNoTimer;
  if (AnyWorker(*call.plugin)) return FailNow(call, NotServedError(*call.plugin, call.kind()));
  // The last worker may have gone while only a stream was waited for.
  if (scheduler_.Now() < call.unserved_since + options_.worker_grace) return StartGrace(call);
  FailNow(call, NoWorkerError(*call.plugin));
}

void Dispatcher::OnDeadline(LiveCall& call) {
  ++call.plugin->timeouts_in_a_row;
  const std::string limit = absl::FormatDuration(call.deadline - call.arrived);
  std::string message;
  if (call.worker == nullptr) {
    message = absl::StrCat("no worker of the plugin \"", call.plugin->name,
                           "\" was free to take the call within ", limit);
  } else {
    message = absl::StrCat("the plugin \"", call.plugin->name, "\" did not answer within ", limit);
    if (CallSink* const sink = SinkOf(call)) {
      sink->Cancel(call.request_id, "the call's deadline has passed");
      HoldCredit(*call.worker, call.kind(), call.request_id);
    }
  }
  FailNow(call, BridgeError(code::kTimeout, "Timeout", message));
}

void Dispatcher::HoldCredit(Session& session, CallKind kind, const std::string& request_id) {
  Session* const worker = &session;
  CallStream& stream = *session.stream(kind);
  // The timer dies with the stream (StreamClosed), so `worker` is alive when it runs.
  stream.cancelled[request_id] =
      scheduler_.After(options_.cancel_grace, [this, worker, kind, request_id] {
        if (!ATOMEMO_INVARIANT(worker->stream(kind).has_value())) return;
        worker->stream(kind)->cancelled.erase(request_id);
        if (worker->plugin != nullptr) PumpFreed(*worker->plugin, kind);
      });
}

void Dispatcher::FailNow(LiveCall& call, pb::PluginError error) {
  Plugin& plugin = *call.plugin;
  const CallKind kind = call.kind();
  fail_(call, std::move(error));
  AfterCall(plugin, kind);
}

}  // namespace atomemo::router
