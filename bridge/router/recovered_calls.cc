#include "bridge/router/recovered_calls.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "bridge/base/invariant.h"
#include "bridge/router/errors.h"

namespace atomemo::router {
namespace {

// How long an answer waits for its plugin to come back.
constexpr absl::Duration kKeepLate = absl::Minutes(5);
constexpr std::size_t kCallsATurn = 256;

}  // namespace

RecoveredCalls::RecoveredCalls(base::Scheduler& scheduler, absl::Duration grace, Fail fail,
                               Forget forget)
    : scheduler_(scheduler), grace_(grace), fail_(std::move(fail)), forget_(std::move(forget)) {}

RecoveredCalls::~RecoveredCalls() {
  for (const auto& [key, entry] : calls_) scheduler_.Cancel(entry.timer);
  scheduler_.Cancel(decide_timer_);
}

void RecoveredCalls::Add(std::vector<JournaledCall> calls) {
  for (JournaledCall& call : calls) {
    const Key key(call.topic, call.request_id);
    const absl::Duration time_left = call.time_left;
    Entry& entry = calls_[key];
    entry.call = std::move(call);
    entry.deadline = scheduler_.Now() + time_left;
    if (entry.call.error) {
      Decide(key, *entry.call.error);
    } else if (!entry.call.started && grace_ < time_left) {
      entry.timer = scheduler_.After(grace_, [this, key] { OnGraceOver(key); });
    } else {
      entry.timer = scheduler_.After(time_left, [this, key] { OnDeadline(key); });
    }
  }
}

void RecoveredCalls::PluginKnown(absl::string_view topic) {
  for (const auto& [key, entry] : calls_) {
    if (entry.due && key.first == topic) decisions_.push_back({key, *entry.due});
  }
  DecideSome();
}

void RecoveredCalls::WorkerReturned(absl::string_view topic, absl::string_view session_id,
                                    absl::string_view instance_id,
                                    const std::vector<std::string>& open_request_ids) {
  if (instance_id.empty()) return;
  const absl::flat_hash_set<absl::string_view> open(open_request_ids.begin(),
                                                    open_request_ids.end());
  for (auto& [key, entry] : calls_) {
    const bool is_its = key.first == topic && entry.call.started && !entry.due &&
                        entry.call.instance_id == instance_id;
    if (!is_its) continue;
    if (open.contains(key.second)) {
      entry.session_id = std::string(session_id);
    } else {
      decisions_.push_back(
          {key, BridgeError(code::kRestarted, "BridgeRestarted",
                            "the bridge was restarted while it sent the call to a worker, which "
                            "does not have it: try again")});
    }
  }
  DecideSome();
}

void RecoveredCalls::WorkerLost(absl::string_view session_id, absl::string_view reason) {
  for (const auto& [key, entry] : calls_) {
    if (entry.session_id == session_id && !entry.due) {
      decisions_.push_back({key, WorkerDied(reason)});
    }
  }
  DecideSome();
}

void RecoveredCalls::DecideSome() {
  if (decide_timer_ != base::Scheduler::kNoTimer) return;
  for (std::size_t i = 0; i < kCallsATurn && !decisions_.empty(); ++i) {
    Decision next = std::move(decisions_.front());
    decisions_.pop_front();
    if (calls_.contains(next.key)) Decide(next.key, std::move(next.error));
  }
  if (decisions_.empty()) return;
  decide_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
    decide_timer_ = base::Scheduler::kNoTimer;
    DecideSome();
  });
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

void RecoveredCalls::OnGraceOver(const Key& key) {
  Decide(key, BridgeError(code::kRestarted, "BridgeRestarted",
                          "the bridge was restarted before a worker had the call: try again"));
}

void RecoveredCalls::OnDeadline(const Key& key) {
  if (!calls_.at(key).call.started) return OnGraceOver(key);
  Decide(key, BridgeError(code::kTimeout, "Timeout",
                          "the bridge was restarted while the plugin ran the call, and no worker "
                          "has offered its answer in time"));
}

void RecoveredCalls::Decide(const Key& key, pb::PluginError error) {
  const auto found = calls_.find(key);
  if (!ATOMEMO_INVARIANT(found != calls_.end())) return;
  Entry& entry = found->second;
  scheduler_.Cancel(entry.timer);
  const JournaledCall call = entry.call;  // answering removes the entry
  if (fail_(call, error)) return;
  entry.due = std::move(error);
  entry.timer = scheduler_.After(std::max(entry.deadline - scheduler_.Now(), kKeepLate),
                                 [this, key] { OnNobodyToTell(key); });
}

void RecoveredCalls::OnNobodyToTell(const Key& key) {
  const JournaledCall call = calls_.at(key).call;
  Remove(call.topic, call.request_id);
  forget_(call);
}

}  // namespace atomemo::router
