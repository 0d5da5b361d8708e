#include "bridge/router/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/definition/payload.h"
#include "bridge/router/errors.h"
#include "google/protobuf/util/time_util.h"

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

// The worker with the fewest calls among those with a credit; null if there is none.
Session* LeastBusy(const Plugin& plugin, CallKind kind) {
  Session* best = nullptr;
  for (Session* worker : plugin.workers) {
    if (!Serves(*worker, kind) || !worker->HasCredit(kind)) continue;
    if (best == nullptr || worker->stream(kind)->used() < best->stream(kind)->used()) best = worker;
  }
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

Dispatcher::Dispatcher(base::Scheduler& scheduler, const RouterOptions& options,
                       CallJournal* journal, Failed failed)
    : scheduler_(scheduler), options_(options), journal_(journal), failed_(std::move(failed)) {}

Dispatcher::~Dispatcher() {
  for (auto& [key, call] : calls_) {
    scheduler_.Cancel(call->deadline_timer);
    scheduler_.Cancel(call->grace_timer);
  }
  scheduler_.Cancel(fail_timer_);
  scheduler_.Cancel(pump_timer_);
}

std::optional<pb::PluginError> Dispatcher::Overload(const Plugin& plugin, std::size_t bytes) const {
  const RouterLimits& limits = options_.limits;
  if (calls_.size() >= limits.max_calls) {
    return OverloadedError("the bridge has too many calls in flight", limits.max_calls,
                           "--max-calls");
  }
  if (bytes_ + bytes > limits.max_call_bytes) {
    return OverloadedError("the bridge's calls in flight hold too many bytes",
                           limits.max_call_bytes, "--max-call-bytes");
  }
  if (plugin.active >= limits.max_plugin_calls) {
    return OverloadedError(
        absl::StrCat("the plugin \"", plugin.name, "\" has too many calls in flight"),
        limits.max_plugin_calls, "--max-plugin-calls");
  }
  if (plugin.active_bytes + bytes > limits.max_plugin_call_bytes) {
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

void Dispatcher::Start(Plugin& plugin, HubCall hub_call, std::string target, std::size_t bytes,
                       absl::Duration timeout, bool retry_safe) {
  auto owned = std::make_unique<ActiveCall>();
  ActiveCall& call = *owned;
  call.plugin = &plugin;
  call.request_id = hub_call.request_id();
  call.event = hub_call.event;
  call.kind = hub_call.kind();
  call.target = std::move(target);
  call.retry_safe = retry_safe;
  call.bytes = bytes;
  call.payload = std::move(hub_call.payload);
  call.number = ++last_number_;
  call.arrived = scheduler_.Now();
  call.deadline = call.arrived + timeout;

  if (NeverServes(plugin, call.kind)) return failed_(call, NotServedError(plugin, call.kind));

  bytes_ += call.bytes;
  plugin.active_bytes += call.bytes;
  ++plugin.active;
  call.deadline_timer = scheduler_.After(timeout, [this, &call] { OnDeadline(call); });
  const bool is_new = calls_.emplace(Key(plugin.topic, call.request_id), std::move(owned)).second;
  (void)ATOMEMO_INVARIANT(is_new);
  Enqueue(call);
  Pump(plugin, call.kind);
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

bool Dispatcher::IsActive(absl::string_view topic, absl::string_view request_id) const {
  return calls_.contains(Key(std::string(topic), std::string(request_id)));
}

std::optional<CallKind> Dispatcher::KindOf(const Session& session,
                                           absl::string_view request_id) const {
  const auto call = calls_.find(Key(session.plugin->topic, std::string(request_id)));
  if (call != calls_.end()) return call->second->kind;
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    if (session.streams[i] && session.streams[i]->cancelled.contains(request_id)) {
      return static_cast<CallKind>(i);
    }
  }
  return std::nullopt;
}

std::unique_ptr<ActiveCall> Dispatcher::TakeAnswered(Session& session, CallKind kind,
                                                     absl::string_view request_id) {
  const Key key(session.plugin->topic, std::string(request_id));
  // The clock decides, not whether the reply or the timer is handled first.
  if (const auto due = calls_.find(key);
      due != calls_.end() && due->second->deadline <= scheduler_.Now()) {
    OnDeadline(*due->second);
  }
  ReturnHeldCredit(session, kind, request_id);
  const auto found = calls_.find(key);
  if (found == calls_.end() || found->second->kind != kind) return nullptr;
  ActiveCall& call = *found->second;
  if (call.worker != nullptr && call.worker != &session) {
    if (CallSink* const sink = SinkOf(call)) {
      sink->Cancel(call.request_id, "another worker has answered the call");
      HoldCredit(*call.worker, kind, call.request_id);
    }
  }
  session.plugin->timeouts_in_a_row = 0;
  std::unique_ptr<ActiveCall> taken = Take(call);
  PumpAfterCall(*session.plugin, kind);
  return taken;
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
      for (ActiveCall* call : plugin.queue(kind)) {
        scheduler_.Cancel(std::exchange(call->grace_timer, base::Scheduler::kNoTimer));
      }
      Pump(plugin, kind);
    } else if (NeverServes(plugin, kind)) {
      const auto error = std::make_shared<const pb::PluginError>(NotServedError(plugin, kind));
      while (!plugin.queue(kind).empty()) {
        ActiveCall& call = *plugin.queue(kind).front();
        Dequeue(call);
        Doom(call, error);
      }
      FailSome();
    } else if (AnyWorker(plugin)) {
      for (ActiveCall* call : plugin.queue(kind)) WaitForWorkerAnew(*call);
    }
  }
}

void Dispatcher::WorkerGone(Plugin& plugin) {
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    const auto kind = static_cast<CallKind>(i);
    if (AnyServes(plugin, kind)) continue;
    for (ActiveCall* call : plugin.queue(kind)) WaitForWorker(*call);
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
  const bool idle = session.plugin == nullptr || session.plugin->active == 0;
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
  std::vector<ActiveCall*> orphans(stream->in_flight.begin(), stream->in_flight.end());
  std::sort(orphans.begin(), orphans.end(),
            [](const ActiveCall* a, const ActiveCall* b) { return a->number < b->number; });
  stream.reset();
  // The last first: then each one's place is near the front.
  for (auto orphan = orphans.rbegin(); orphan != orphans.rend(); ++orphan) {
    (*orphan)->worker = nullptr;
    if ((*orphan)->retry_safe) Enqueue(**orphan);
  }
  const auto error = std::make_shared<const pb::PluginError>(WorkerDied(reason));
  for (const ActiveCall* orphan : orphans) {
    if (!orphan->retry_safe) Doom(*orphan, error);
  }
  FailSome();
  if (session.plugin != nullptr) Pump(*session.plugin, kind);
}

void Dispatcher::FailAll(const pb::PluginError& error) {
  failing_ = true;
  const auto shared = std::make_shared<const pb::PluginError>(error);
  for (const auto& [key, call] : calls_) {
    Dequeue(*call);
    Doom(*call, shared);
  }
  FailSome();
}

void Dispatcher::Doom(const ActiveCall& call, std::shared_ptr<const pb::PluginError> error) {
  (void)ATOMEMO_INVARIANT(!call.queued);
  doomed_.push_back({Key(call.plugin->topic, call.request_id), call.number, std::move(error)});
}

void Dispatcher::FailSome() {
  if (fail_timer_ != base::Scheduler::kNoTimer) return;
  for (std::size_t failed = 0; failed < kCallsATurn && !doomed_.empty();) {
    const Doomed next = std::move(doomed_.front());
    doomed_.pop_front();
    const auto found = calls_.find(next.key);
    if (found == calls_.end() || found->second->number != next.number) continue;
    ActiveCall& call = *found->second;
    if (call.worker != nullptr) {
      if (CallSink* const sink = SinkOf(call)) sink->Cancel(call.request_id, next.error->message());
    }
    Fail(call, *next.error);
    ++failed;
  }
  if (doomed_.empty()) return;
  fail_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
    fail_timer_ = base::Scheduler::kNoTimer;
    FailSome();
  });
}

CallSink* Dispatcher::SinkOf(const ActiveCall& call) const {
  CallSink* const sink = call.worker == nullptr ? nullptr : call.worker->sink_of(call.kind);
  return ATOMEMO_INVARIANT(sink != nullptr) ? sink : nullptr;
}

void Dispatcher::Pump(Plugin& plugin, CallKind kind) {
  if (failing_) return;
  std::list<ActiveCall*>& queue = plugin.queue(kind);
  std::size_t calls = 0;
  std::size_t bytes = 0;
  while (!queue.empty()) {
    Session* worker = LeastBusy(plugin, kind);
    if (worker == nullptr) {
      if (!AnyServes(plugin, kind)) {
        for (ActiveCall* call : queue) WaitForWorker(*call);
      }
      return;
    }
    if (++calls > kCallsATurn || bytes > kBytesATurn) return PumpLater(plugin, kind);
    bytes += queue.front()->bytes;
    HandOver(*queue.front(), *worker);
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

// A call of the plugin has ended.
void Dispatcher::PumpAfterCall(Plugin& plugin, CallKind kind) {
  PumpFreed(plugin, kind);
  if (!draining_) return;
  for (Session* worker : plugin.workers) TellIfDrained(*worker);
}

void Dispatcher::HandOver(ActiveCall& call, Session& worker) {
  Dequeue(call);
  // An answer that a worker brings along may free its credit before WorkerReady.
  scheduler_.Cancel(std::exchange(call.grace_timer, base::Scheduler::kNoTimer));
  (void)ATOMEMO_INVARIANT(call.worker == nullptr);
  call.worker = &worker;
  call.worker_pid = worker.spec.peer_pid;
  if (journal_ != nullptr) {
    journal_->Started(call.plugin->topic, call.request_id, worker.spec.instance_id);
  }
  CallStream& stream = *worker.stream(call.kind);
  stream.in_flight.insert(&call);
  std::visit(
      [&](auto& payload) {
        pb::CallInfo& info = *payload.mutable_info();
        *info.mutable_time_left() = google::protobuf::util::TimeUtil::NanosecondsToDuration(
            absl::ToInt64Nanoseconds(call.deadline - scheduler_.Now()));
      },
      call.payload);
  if (call.retry_safe) {
    stream.sink->Send(call.payload);
  } else {
    stream.sink->Send(std::move(call.payload));
  }
}

void Dispatcher::Enqueue(ActiveCall& call) {
  std::list<ActiveCall*>& queue = call.plugin->queue(call.kind);
  // Behind all that came before it: at the end, unless it had a worker.
  auto place = queue.end();
  if (!queue.empty() && queue.back()->number > call.number) {
    place = std::find_if(queue.begin(), queue.end(),
                         [&call](const ActiveCall* other) { return other->number > call.number; });
  }
  call.queue_place = queue.insert(place, &call);
  call.queued = true;
  ++call.plugin->queued;
}

void Dispatcher::Dequeue(ActiveCall& call) {
  if (!std::exchange(call.queued, false)) return;
  call.plugin->queue(call.kind).erase(call.queue_place);
  --call.plugin->queued;
}

void Dispatcher::WaitForWorker(ActiveCall& call) {
  if (call.grace_timer == base::Scheduler::kNoTimer) WaitForWorkerAnew(call);
}

void Dispatcher::WaitForWorkerAnew(ActiveCall& call) {
  call.unserved_since = scheduler_.Now();
  StartGrace(call);
}

void Dispatcher::StartGrace(ActiveCall& call) {
  scheduler_.Cancel(call.grace_timer);
  const absl::Duration grace =
      AnyWorker(*call.plugin) ? options_.stream_grace : options_.worker_grace;
  call.grace_timer = scheduler_.After(call.unserved_since + grace - scheduler_.Now(),
                                      [this, &call] { OnGraceOver(call); });
}

void Dispatcher::OnGraceOver(ActiveCall& call) {
  call.grace_timer = base::Scheduler::kNoTimer;
  if (AnyWorker(*call.plugin)) return Fail(call, NotServedError(*call.plugin, call.kind));
  // The last worker may have gone while only a stream was waited for.
  if (scheduler_.Now() < call.unserved_since + options_.worker_grace) return StartGrace(call);
  Fail(call, NoWorkerError(*call.plugin));
}

void Dispatcher::OnDeadline(ActiveCall& call) {
  ++timed_out_;
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
      HoldCredit(*call.worker, call.kind, call.request_id);
    }
  }
  Fail(call, BridgeError(code::kTimeout, "Timeout", message));
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

std::unique_ptr<ActiveCall> Dispatcher::Take(ActiveCall& call) {
  scheduler_.Cancel(std::exchange(call.deadline_timer, base::Scheduler::kNoTimer));
  scheduler_.Cancel(std::exchange(call.grace_timer, base::Scheduler::kNoTimer));
  if (call.worker != nullptr) {
    (void)ATOMEMO_INVARIANT(!call.queued);
    std::optional<CallStream>& stream = call.worker->stream(call.kind);
    if (ATOMEMO_INVARIANT(stream.has_value())) {
      const bool was_there = stream->in_flight.erase(&call) == 1;
      (void)ATOMEMO_INVARIANT(was_there);
    }
  } else {
    Dequeue(call);
  }
  (void)ATOMEMO_INVARIANT(call.plugin->active > 0);
  (void)ATOMEMO_INVARIANT(call.plugin->active_bytes >= call.bytes && bytes_ >= call.bytes);
  --call.plugin->active;
  call.plugin->active_bytes -= call.bytes;
  bytes_ -= call.bytes;
  if (call.plugin->active == 0) {  // it may go now
    pumps_.erase(std::remove_if(pumps_.begin(), pumps_.end(),
                                [&call](const auto& queue) { return queue.first == call.plugin; }),
                 pumps_.end());
  }
  auto node = calls_.extract(Key(call.plugin->topic, call.request_id));
  return std::move(node.mapped());
}

void Dispatcher::Fail(ActiveCall& call, pb::PluginError error) {
  Plugin& plugin = *call.plugin;
  const CallKind kind = call.kind;
  const std::unique_ptr<ActiveCall> taken = Take(call);
  failed_(*taken, std::move(error));
  PumpAfterCall(plugin, kind);
}

}  // namespace atomemo::router
