#ifndef ATOMEMO_BRIDGE_ROUTER_LIVE_CALL_H_
#define ATOMEMO_BRIDGE_ROUTER_LIVE_CALL_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

struct Plugin;
struct Session;
struct LiveCall;

// A call is in exactly one list at any time: that of its state. The list owns it.
using CallList = std::list<LiveCall>;

// The life of a hub call. CallTable::Move takes it from one state to the next.
//
//   kAccepted ──> kQueued <──> kRunning
//       │            │  v        v │
//       │            │  kFailing   │       kRecovered: an earlier bridge took it
//       v            v     v       v           v
//       └────────────┴─────┴─ kAnswered <──────┘
//                            ^    v ^
//                            │  kSent   lost, or asked for again
//                            │    v
//                            └ kProven ──> kSettled
enum class CallState : std::uint8_t {
  kRecovered,  // an earlier bridge took it, and has not ended it
  kAccepted,   // noted, and not looked at yet
  kQueued,     // no worker has taken it
  kRunning,    // a worker has it
  kFailing,    // it fails as soon as it is its turn, unless it is answered before
  kAnswered,   // has its terminal answer, which waits to be sent
  kSent,       // the answer is on its way
  kProven,     // the hub's socket has the answer; its channel may be behind
  kSettled,    // the answer will not be sent again: only the id is remembered
};
inline constexpr std::size_t kCallStateCount = 9;

// For instance "queued".
absl::string_view CallStateName(CallState state);

// Whether a call may go from one state to the other. tests/model has the same table.
bool IsLegalStep(CallState from, CallState to);

// Between being accepted and having its answer.
inline bool IsActive(CallState state) {
  return state >= CallState::kAccepted && state <= CallState::kFailing;
}

// A topic and a request_id, as 128 bits.
using CallId = std::pair<std::uint64_t, std::uint64_t>;
CallId CallIdOf(absl::string_view topic, absl::string_view request_id);

// What an earlier bridge noted of a call, and what has become known since.
struct RecoveredCall {
  std::string topic;
  // A worker may have run it: the one with this instance_id.
  bool started = false;
  std::string instance_id;
  // The session of the worker that said it has the call; empty before.
  std::string session_id;
  // Its answer waits for its plugin to be known.
  bool due = false;
};

// What the search for an answer that the hub cannot take knows of one (see AnswerLane).
struct Suspicion {
  // How much speaks against it, and all others that were under way, from losses since it passed.
  int shared = 0;
  // How much speaks against it, from losses behind it alone.
  int alone = 0;
  // It was in a group that passed, and has not been lost since.
  bool passed = false;
};

// Everything that is known of a call between its arrival and its end.
struct LiveCall {
  CallId id;
  CallState state = CallState::kAccepted;
  // Where it is. CallTable changes both, and AnswerLane within a lane.
  CallList* list = nullptr;
  CallList::iterator place;

  // Null only for a recovered call whose plugin is not known yet.
  Plugin* plugin = nullptr;
  std::unique_ptr<RecoveredCall> recovered;
  std::string request_id;
  std::string event;
  // Null for an event that nobody knows.
  const HubEvent* row = nullptr;
  // The tool or credential, for logs.
  std::string target;
  absl::Time arrived;

  // ---- Until it is answered

  // Empty while a worker has it, unless `retry_safe`.
  CallBody body;
  bool retry_safe = false;
  std::size_t bytes = 0;
  // Later calls have larger ones.
  std::uint64_t number = 0;
  absl::Time deadline;
  base::Scheduler::TimerId deadline_timer = base::Scheduler::kNoTimer;
  // While nobody serves it: since when, and the timer that ends its patience.
  absl::Time unserved_since;
  base::Scheduler::TimerId grace_timer = base::Scheduler::kNoTimer;
  // The worker that has it.
  Session* worker = nullptr;
  // The process that got it last, whatever became of it; nothing over TCP.
  std::optional<std::int32_t> worker_pid;
  // What it fails with when it is its turn.
  std::shared_ptr<const pb::PluginError> doom;

  // ---- From then on

  // Never null.
  std::shared_ptr<const HubAnswer> answer;
  // The session to tell when the hub has the answer; empty if it is the bridge's own.
  std::string confirm_to;
  HubPosition position;
  absl::Time sent_at;
  absl::Time proven_at;
  // How often it went out since it was last proven or lost.
  int copies = 0;
  bool sent_before = false;
  bool proven_before = false;
  // The hub repeated the call while its answer was searched: once more, then.
  bool asked_again = false;
  // The answer takes the place of one that the hub could not take.
  bool is_replacement = false;
  Suspicion suspicion;

  const std::string& topic() const;
  // Of an event that is known.
  CallKind kind() const { return row->kind; }
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_LIVE_CALL_H_
