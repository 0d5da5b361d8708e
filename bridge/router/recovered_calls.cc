#include "bridge/router/recovered_calls.h"

#include "bridge/router/errors.h"

namespace atomemo::router {

RecoveredCalls::RecoveredCalls(base::Scheduler& scheduler, absl::Duration grace, Fail fail,
                               Forget forget)
    : scheduler_(scheduler), grace_(grace), fail_(std::move(fail)), forget_(std::move(forget)) {}

RecoveredCalls::~RecoveredCalls() {
  for (const auto& [key, entry] : calls_) scheduler_.Cancel(entry.timer);
}

void RecoveredCalls::Add(std::vector<JournaledCall> calls) {
  for (JournaledCall& call : calls) {
    const Key key(call.topic, call.request_id);
    const absl::Duration time_left = call.time_left;
    const bool wait_for_repetition = !call.started && grace_ < time_left;
    Entry& entry = calls_[key];
    entry.call = std::move(call);
    entry.deadline = scheduler_.Now() + time_left;
    entry.timer = wait_for_repetition
                      ? scheduler_.After(grace_, [this, key] { OnGraceOver(key); })
                      : scheduler_.After(time_left, [this, key] { OnDeadline(key); });
  }
}

const JournaledCall* RecoveredCalls::Find(absl::string_view topic,
                                          absl::string_view request_id) const {
  const auto entry = calls_.find(Key(topic, request_id));
  return entry == calls_.end() ? nullptr : &entry->second.call;
}

void RecoveredCalls::Remove(absl::string_view topic, absl::string_view request_id) {
  const auto entry = calls_.find(Key(topic, request_id));
  if (entry == calls_.end()) return;
  scheduler_.Cancel(entry->second.timer);
  calls_.erase(entry);
}

// Answering removes the entry, hence the copies here and below.
void RecoveredCalls::OnGraceOver(const Key& key) {
  Entry& entry = calls_.at(key);
  entry.timer =
      scheduler_.After(entry.deadline - scheduler_.Now(), [this, key] { OnDeadline(key); });
  const JournaledCall call = entry.call;
  fail_(call, BridgeError(code::kRestarted, "BridgeRestarted",
                          "the bridge was restarted before a worker had the call: try again"));
}

void RecoveredCalls::OnDeadline(const Key& key) {
  const JournaledCall call = calls_.at(key).call;
  const bool failed = fail_(
      call, call.started
                ? BridgeError(code::kTimeout, "Timeout",
                              "the bridge was restarted while the plugin ran the call, and no "
                              "worker has offered its answer in time")
                : BridgeError(code::kRestarted, "BridgeRestarted",
                              "the bridge was restarted before a worker had the call: try again"));
  if (failed) return;
  Remove(call.topic, call.request_id);
  forget_(call);
}

}  // namespace atomemo::router
