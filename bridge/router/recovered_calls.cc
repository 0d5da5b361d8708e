#include "bridge/router/recovered_calls.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "bridge/base/log.h"
#include "bridge/router/errors.h"

namespace atomemo::router {
namespace {

// How long an answer waits for its plugin to come back: as long as ids are remembered. Until then
// the call does not run again, should the hub repeat it.
constexpr absl::Duration kKeepLate = absl::Minutes(10);
constexpr std::size_t kCallsATurn = 256;

}  // namespace

RecoveredCalls::RecoveredCalls(base::Scheduler& scheduler, CallTable& calls, absl::Duration grace,
                               Fail fail)
    : scheduler_(scheduler), calls_(calls), grace_(grace), fail_(std::move(fail)) {}

RecoveredCalls::~RecoveredCalls() { scheduler_.Cancel(decide_timer_); }

void RecoveredCalls::Add(const std::vector<JournaledCall>& calls) {
  for (const JournaledCall& journaled : calls) {
    LiveCall& call = calls_.Recover(journaled);
    if (call.doom != nullptr) {
      Decide(call, *call.doom);
    } else if (!journaled.started && grace_ < journaled.time_left) {
      call.deadline_timer = scheduler_.After(grace_, [this, &call] { OnGraceOver(call); });
    } else {
      // Its worker, which may have had the answer for long, has a moment to come back and offer it.
      const absl::Duration wait =
          journaled.started ? std::max(journaled.time_left, grace_) : journaled.time_left;
      call.deadline_timer = scheduler_.After(wait, [this, &call] { OnDeadline(call); });
    }
  }
}

void RecoveredCalls::PluginKnown(absl::string_view topic) {
  for (const LiveCall& call : calls_.recovered()) {
    if (call.recovered->due && call.topic() == topic) decisions_.push_back(call.id);
  }
  DecideSome();
}

void RecoveredCalls::WorkerReturned(absl::string_view topic, absl::string_view session_id,
                                    absl::string_view instance_id,
                                    const std::vector<std::string>& open_request_ids) {
  if (instance_id.empty()) return;
  const absl::flat_hash_set<absl::string_view> open(open_request_ids.begin(),
                                                    open_request_ids.end());
  for (LiveCall& call : calls_.recovered()) {
    RecoveredCall& recovered = *call.recovered;
    const bool is_its = call.topic() == topic && recovered.started && !recovered.due &&
                        recovered.instance_id == instance_id;
    if (!is_its) continue;
    if (open.contains(call.request_id)) {
      recovered.session_id = std::string(session_id);
    } else {
      DecideLater(call,
                  BridgeError(code::kRestarted, "BridgeRestarted",
                              "the bridge was restarted while it sent the call to a worker, which "
                              "does not have it: try again"));
    }
  }
  DecideSome();
}

void RecoveredCalls::WorkerLost(absl::string_view session_id, absl::string_view reason) {
  for (LiveCall& call : calls_.recovered()) {
    if (call.recovered->session_id == session_id && !call.recovered->due) {
      DecideLater(call, WorkerDied(reason));
    }
  }
  DecideSome();
}

void RecoveredCalls::DecideLater(LiveCall& call, pb::PluginError error) {
  call.doom = std::make_shared<const pb::PluginError>(std::move(error));
  decisions_.push_back(call.id);
}

void RecoveredCalls::DecideSome() {
  if (decide_timer_ != base::Scheduler::kNoTimer) return;
  for (std::size_t i = 0; i < kCallsATurn && !decisions_.empty(); ++i) {
    LiveCall* const call = calls_.Find(decisions_.front());
    decisions_.pop_front();
    if (call != nullptr && call->state == CallState::kRecovered) Decide(*call, *call->doom);
  }
  if (decisions_.empty()) return;
  decide_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
    decide_timer_ = base::Scheduler::kNoTimer;
    DecideSome();
  });
}

void RecoveredCalls::OnGraceOver(LiveCall& call) {
  Decide(call, BridgeError(code::kRestarted, "BridgeRestarted",
                           "the bridge was restarted before a worker had the call: try again"));
}

void RecoveredCalls::OnDeadline(LiveCall& call) {
  if (!call.recovered->started) return OnGraceOver(call);
  Decide(call, BridgeError(code::kTimeout, "Timeout",
                           "the bridge was restarted while the plugin ran the call, and no worker "
                           "has offered its answer in time"));
}

void RecoveredCalls::Decide(LiveCall& call, pb::PluginError error) {
  scheduler_.Cancel(call.deadline_timer);
  if (fail_(call, error)) return;
  call.doom = std::make_shared<const pb::PluginError>(std::move(error));
  call.recovered->due = true;
  call.deadline_timer = scheduler_.After(std::max(call.deadline - scheduler_.Now(), kKeepLate),
                                         [this, &call] { OnNobodyToTell(call); });
}

void RecoveredCalls::OnNobodyToTell(LiveCall& call) {
  base::LogWarning(
      "call of an earlier bridge dropped: its plugin has not come back in time",
      {{"topic", call.topic()}, {"event", call.event}, {"request_id", call.request_id}});
  if (calls_.journal() != nullptr) calls_.journal()->Ended(call.topic(), call.request_id);
  calls_.Forget(call);
}

}  // namespace atomemo::router
