#include "bridge/router/call_table.h"

#include <iterator>
#include <utility>

#include "bridge/base/invariant.h"

namespace atomemo::router {
namespace {

bool IsUnproven(CallState state) {
  return state == CallState::kAnswered || state == CallState::kSent;
}

void Change(std::size_t& sum, std::size_t by, int sign) {
  if (sign > 0) {
    sum += by;
  } else if (ATOMEMO_INVARIANT(sum >= by)) {
    sum -= by;
  }
}

}  // namespace

CallTable::CallTable(base::Scheduler& scheduler, AnsweredIds::Limits limits, CallJournal* journal)
    : scheduler_(scheduler), journal_(journal), ids_(limits) {}

CallTable::~CallTable() {
  for (const auto& [id, call] : calls_) CancelTimers(*call);
}

LiveCall* CallTable::Find(absl::string_view topic, absl::string_view request_id) const {
  return Find(CallIdOf(topic, request_id));
}

LiveCall* CallTable::Find(CallId id) const {
  const auto call = calls_.find(id);
  return call == calls_.end() ? nullptr : call->second;
}

LiveCall& CallTable::Add(CallState state, CallId id, absl::string_view event,
                         absl::string_view request_id) {
  LiveCall& call = unlisted_.emplace_back();
  call.id = id;
  call.state = state;
  call.list = &unlisted_;
  call.place = std::prev(unlisted_.end());
  call.request_id = std::string(request_id);
  call.event = std::string(event);
  call.row = FindHubEvent(event);
  call.arrived = scheduler_.Now();
  call.number = ++last_number_;
  const bool is_new = calls_.emplace(id, &call).second;
  (void)ATOMEMO_INVARIANT(is_new);
  return call;
}

LiveCall& CallTable::Accept(Plugin& plugin, absl::string_view event, absl::string_view request_id,
                            absl::Duration time_left, std::size_t bytes) {
  LiveCall& call = Add(CallState::kAccepted, CallIdOf(plugin.topic, request_id), event, request_id);
  call.plugin = &plugin;
  call.deadline = call.arrived + time_left;
  call.bytes = bytes;
  Count(call, +1);
  if (journal_ != nullptr) journal_->Accepted(plugin.topic, request_id, event, time_left);
  return call;
}

LiveCall& CallTable::Recover(const JournaledCall& journaled) {
  LiveCall& call = Add(CallState::kRecovered, CallIdOf(journaled.topic, journaled.request_id),
                       journaled.event, journaled.request_id);
  call.deadline = call.arrived + journaled.time_left;
  call.recovered = std::make_unique<RecoveredCall>();
  call.recovered->topic = journaled.topic;
  call.recovered->started = journaled.started;
  call.recovered->instance_id = journaled.instance_id;
  recovered_.splice(recovered_.end(), unlisted_, call.place);
  call.list = &recovered_;
  if (journaled.error) call.doom = std::make_shared<const pb::PluginError>(*journaled.error);
  return call;
}

LiveCall& CallTable::Reopen(Plugin& plugin, absl::string_view event, absl::string_view request_id) {
  LiveCall& call = Add(CallState::kAccepted, CallIdOf(plugin.topic, request_id), event, request_id);
  call.plugin = &plugin;
  Count(call, +1);
  return call;
}

void CallTable::Count(const LiveCall& call, int sign) {
  if (call.plugin == nullptr) return;
  Plugin& plugin = *call.plugin;
  if (IsActive(call.state)) {
    Change(active_.calls, 1, sign);
    Change(active_.bytes, call.bytes, sign);
    Change(plugin.active.calls, 1, sign);
    Change(plugin.active.bytes, call.bytes, sign);
    if (call.state == CallState::kQueued) Change(plugin.queued, 1, sign);
  } else if (IsUnproven(call.state)) {
    Change(unproven_.calls, 1, sign);
    Change(unproven_.bytes, call.answer->size(), sign);
    Change(plugin.unproven.calls, 1, sign);
    Change(plugin.unproven.bytes, call.answer->size(), sign);
  } else if (call.state == CallState::kProven) {
    Change(plugin.settling_bytes, call.answer->size(), sign);
  }
}

void CallTable::Move(LiveCall& call, CallState to, CallList& list, CallList::iterator before) {
  (void)ATOMEMO_INVARIANT(IsLegalStep(call.state, to));
  Count(call, -1);
  const CallState from = std::exchange(call.state, to);
  list.splice(before, *call.list, call.place);
  call.list = &list;
  Count(call, +1);
  switch (to) {
    case CallState::kQueued:
      call.worker = nullptr;
      break;
    case CallState::kRunning:
      if (journal_ != nullptr) {
        journal_->Started(call.topic(), call.request_id, call.worker->spec.instance_id);
      }
      [[fallthrough]];
    case CallState::kFailing:
      scheduler_.Cancel(std::exchange(call.grace_timer, base::Scheduler::kNoTimer));
      break;
    case CallState::kAnswered:
      call.copies = 0;
      call.asked_again = false;
      break;
    case CallState::kSent:
      ++call.copies;
      if (std::exchange(call.sent_before, true)) ++counters_.resent;
      call.sent_at = scheduler_.Now();
      break;
    case CallState::kProven:
      call.copies = 0;
      call.proven_at = scheduler_.Now();
      if (std::exchange(call.proven_before, true)) break;
      ++counters_.delivered;
      if (journal_ != nullptr) journal_->Ended(call.topic(), call.request_id);
      break;
    case CallState::kSettled:
      // One that was never proven is given up.
      if (from != CallState::kProven && !call.proven_before && journal_ != nullptr) {
        journal_->Ended(call.topic(), call.request_id);
      }
      ids_.Add(call.id, call.answer, scheduler_.Now());
      break;
    case CallState::kRecovered:
    case CallState::kAccepted:
      break;
  }
}

void CallTable::Answer(LiveCall& call, std::shared_ptr<const HubAnswer> answer) {
  // Every call gets one terminal answer; a second one would be the bridge's own mistake.
  if (!ATOMEMO_INVARIANT(call.answer == nullptr)) return;
  CancelTimers(call);
  Count(call, -1);
  call.body = CallBody();
  call.bytes = 0;
  call.answer = std::move(answer);
  Count(call, +1);
  Move(call, CallState::kAnswered, call.plugin->lane.rest());
  call.worker = nullptr;
  call.recovered = nullptr;
  call.doom = nullptr;
}

void CallTable::Replace(LiveCall& call, std::shared_ptr<const HubAnswer> answer) {
  Count(call, -1);
  call.answer = std::move(answer);
  Count(call, +1);
  call.is_replacement = true;
  call.proven_before = false;
  call.suspicion = Suspicion();
}

void CallTable::Settle(LiveCall& call) {
  Move(call, CallState::kSettled, unlisted_);
  Erase(call);
}

void CallTable::Forget(LiveCall& call) {
  CancelTimers(call);
  Count(call, -1);
  Erase(call);
}

void CallTable::CancelTimers(LiveCall& call) {
  scheduler_.Cancel(std::exchange(call.deadline_timer, base::Scheduler::kNoTimer));
  scheduler_.Cancel(std::exchange(call.grace_timer, base::Scheduler::kNoTimer));
}

void CallTable::Erase(LiveCall& call) {
  calls_.erase(call.id);
  call.list->erase(call.place);
}

}  // namespace atomemo::router
