#ifndef ATOMEMO_TESTS_FUZZ_ROUTER_AUDIT_H_
#define ATOMEMO_TESTS_FUZZ_ROUTER_AUDIT_H_

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/router/router.h"

namespace atomemo::router {

// Looks into a router between two events: whether every call's record is in the list of its state,
// all sums are what the lists say, and nothing waits that nobody would wake.
class RouterAudit {
 public:
  // What is wrong; empty if nothing is. `hub_takes`: the hub's send buffers have room.
  // `timers_ran`: all that was due by now has run.
  static std::string Check(Router& router, bool hub_takes, bool timers_ran) {
    RouterAudit audit(router, hub_takes, timers_ran);
    audit.Look();
    return audit.fault_;
  }

 private:
  struct Sums {
    CallTotals active, unproven;
    std::size_t queued = 0;
    std::size_t settling_bytes = 0;
  };

  RouterAudit(Router& router, bool hub_takes, bool timers_ran)
      : router_(router),
        calls_(router.calls_),
        now_(router.scheduler_.Now()),
        hub_takes_(hub_takes),
        timers_ran_(timers_ran) {}

  void Expect(bool condition, absl::string_view what, const LiveCall* call = nullptr) {
    if (condition || !fault_.empty()) return;
    fault_ = std::string(what);
    if (call != nullptr) absl::StrAppend(&fault_, ": ", call->request_id);
  }

  void Look() {
    router_.publications_.ForEach([this](Plugin& plugin) { LookAtPlugin(plugin); });
    for (const auto& [id, session] : router_.sessions_) LookAtSession(*session);
    LookAtList(calls_.failing_, CallState::kFailing, nullptr);
    LookAtList(calls_.recovered_, CallState::kRecovered, nullptr);
    Expect(calls_.unlisted_.empty(), "a call that is in nobody's list");
    Expect(seen_ == calls_.calls_.size(), "a call that nobody has");
    Sums total;
    router_.publications_.ForEach([&](const Plugin& plugin) {
      const Sums& sums = sums_[&plugin];
      ExpectEqual(plugin.active, sums.active, "the plugin's active calls");
      ExpectEqual(plugin.unproven, sums.unproven, "the plugin's unproven answers");
      Expect(plugin.queued == sums.queued, "the plugin's queued calls");
      Expect(plugin.settling_bytes == sums.settling_bytes, "the plugin's settling bytes");
      Add(total.active, sums.active.calls, sums.active.bytes);
      Add(total.unproven, sums.unproven.calls, sums.unproven.bytes);
    });
    ExpectEqual(calls_.active(), total.active, "all active calls");
    ExpectEqual(calls_.unproven(), total.unproven, "all unproven answers");
    LookAtOutbox();
    std::size_t parked = 0;
    for (const auto& [id, session] : router_.sessions_) parked += session->parked_bytes;
    Expect(parked == router_.parked_bytes_, "the parked bytes");
  }

  static void Add(CallTotals& totals, std::size_t calls, std::size_t bytes) {
    totals.calls += calls;
    totals.bytes += bytes;
  }
  void ExpectEqual(const CallTotals& a, const CallTotals& b, absl::string_view what) {
    Expect(a.calls == b.calls && a.bytes == b.bytes,
           absl::StrCat(what, " are ", b.calls, " of ", b.bytes, " bytes, and not ", a.calls,
                        " of ", a.bytes));
  }

  // `plugin`: whose list it is; null if it is everybody's.
  void LookAtList(CallList& list, CallState state, const Plugin* plugin) {
    for (auto place = list.begin(); place != list.end(); ++place) {
      const LiveCall& call = *place;
      ++seen_;
      Expect(call.state == state, "a call in another state's list", &call);
      Expect(call.list == &list && call.place == place, "a call that is lost", &call);
      Expect(calls_.Find(call.id) == &call, "a call that is not in the table", &call);
      Expect(plugin == nullptr || call.plugin == plugin, "a call in another's list", &call);
      if (state == CallState::kRecovered) {
        LookAtRecovered(call);
        continue;
      }
      Expect(call.plugin != nullptr, "a call without a plugin", &call);
      Sums& sums = sums_[call.plugin];
      if (IsActive(state)) {
        Add(sums.active, 1, call.bytes);
        sums.queued += state == CallState::kQueued ? 1 : 0;
        LookAtActive(call);
        continue;
      }
      Expect(call.answer != nullptr && call.worker == nullptr, "an odd answer", &call);
      Expect(call.deadline_timer == base::Scheduler::kNoTimer, "an answer's deadline", &call);
      if (state == CallState::kProven) {
        sums.settling_bytes += call.answer->size();
      } else {
        Add(sums.unproven, 1, call.answer->size());
      }
    }
  }

  void LookAtRecovered(const LiveCall& call) {
    Expect(call.recovered != nullptr && call.answer == nullptr, "an odd recovered call", &call);
    Expect(call.deadline_timer != base::Scheduler::kNoTimer, "a recovered call for ever", &call);
    const absl::Time end = std::max(call.deadline, call.arrived + router_.options_.worker_grace);
    Expect(!timers_ran_ || call.recovered->due || end > now_, "a late recovered call", &call);
    Expect(!timers_ran_ || call.doom == nullptr || call.recovered->due, "a call left undecided",
           &call);
  }

  void LookAtActive(const LiveCall& call) {
    Expect(call.answer == nullptr, "a call in flight with an answer", &call);
    Expect(call.deadline_timer != base::Scheduler::kNoTimer, "a call without a deadline", &call);
    Expect(!timers_ran_ || call.deadline > now_, "a call past its deadline", &call);
    Expect(call.state == CallState::kQueued || call.grace_timer == base::Scheduler::kNoTimer,
           "a call that waits for a worker it has", &call);
    if (call.state == CallState::kQueued) Expect(call.worker == nullptr, "not queued", &call);
    if (call.state == CallState::kFailing) {
      Expect(call.doom != nullptr, "a call that fails for nothing", &call);
      Expect(!timers_ran_, "a call that goes on failing", &call);
    }
  }

  void LookAtPlugin(Plugin& plugin) {
    for (std::size_t i = 0; i < kCallKindCount; ++i) LookAtQueue(plugin, static_cast<CallKind>(i));
    AnswerLane& lane = plugin.lane;
    LookAtList(lane.suspects_, CallState::kAnswered, &plugin);
    LookAtList(lane.probation_, CallState::kAnswered, &plugin);
    LookAtList(lane.rest_, CallState::kAnswered, &plugin);
    LookAtList(lane.sent_, CallState::kSent, &plugin);
    LookAtList(lane.settling_, CallState::kProven, &plugin);
    const LiveCall* before = nullptr;
    for (const LiveCall& call : lane.sent_) {
      Expect(before == nullptr || (before->position.socket == call.position.socket &&
                                   before->position.sequence < call.position.sequence),
             "answers out of the order of their proofs", &call);
      before = &call;
    }
    const Outbox& outbox = router_.outbox_;
    Expect(outbox.up_.contains(&plugin) == lane.up, "a topic that is up and not");
    Expect(outbox.unproven_.contains(&plugin) == !lane.sent_.empty(), "who is to be proven");
    Expect(lane.settling_.empty() || outbox.settling_.contains(&plugin), "who settles");
    const bool stands = !lane.flush_later && lane.step_timer == base::Scheduler::kNoTimer;
    if (!lane.up || !stands) return;
    Expect(lane.waiting() == 0 || lane.group_ > 0 || !hub_takes_, "an answer that nobody sends");
    Expect(!lane.group_proven(), "a search that nobody goes on with");
  }

  void LookAtQueue(Plugin& plugin, CallKind kind) {
    CallList& queue = plugin.queue(kind);
    LookAtList(queue, CallState::kQueued, &plugin);
    const LiveCall* before = nullptr;
    for (const LiveCall& call : queue) {
      Expect(call.kind() == kind, "a call in another kind's queue", &call);
      Expect(before == nullptr || before->number < call.number, "a queue out of order", &call);
      before = &call;
    }
    if (queue.empty() || router_.drain_is_late_) return;
    bool served = false;
    bool ending = false;
    for (Session* worker : plugin.workers) {
      const std::optional<CallStream>& stream = worker->stream(kind);
      if (!stream) continue;
      ending |= !stream->sink->IsOpen();
      if (worker->draining || stream->drained || !stream->sink->IsOpen()) continue;
      served = true;
      Expect(!timers_ran_ || !worker->HasCredit(kind), "a call that nobody hands over",
             &queue.front());
    }
    if (served || ending) return;
    for (const LiveCall& call : queue) {
      Expect(call.grace_timer != base::Scheduler::kNoTimer, "a call that waits for nobody", &call);
    }
  }

  void LookAtSession(Session& session) {
    for (std::size_t i = 0; i < kCallKindCount; ++i) {
      if (!session.streams[i]) continue;
      CallStream& stream = *session.streams[i];
      LookAtList(stream.in_flight, CallState::kRunning, session.plugin);
      for (const LiveCall& call : stream.in_flight) {
        Expect(call.worker == &session && call.kind() == static_cast<CallKind>(i), "another's call",
               &call);
      }
      Expect(stream.used() <= stream.max_in_flight, "more calls than the stream takes");
    }
    Expect(!session.finish_when_idle || session.calls_in_flight() > 0, "a session left idle");
  }

  void LookAtOutbox() {
    const Outbox& outbox = router_.outbox_;
    const auto none = base::Scheduler::kNoTimer;
    Expect(outbox.unproven_.empty() || outbox.proof_timer_ != none, "no proof is asked for");
    Expect(outbox.settling_.empty() || outbox.settle_timer_ != none, "nothing settles");
    Expect(outbox.flush_later_.empty() || outbox.flush_timer_ != none, "nothing is flushed");
  }

  Router& router_;
  CallTable& calls_;
  const absl::Time now_;
  const bool hub_takes_;
  const bool timers_ran_;
  std::string fault_;
  std::size_t seen_ = 0;
  std::map<const Plugin*, Sums> sums_;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_TESTS_FUZZ_ROUTER_AUDIT_H_
