#ifndef ATOMEMO_BRIDGE_ROUTER_PLUGIN_H_
#define ATOMEMO_BRIDGE_ROUTER_PLUGIN_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bridge/base/scheduler.h"
#include "bridge/definition/assemble.h"
#include "bridge/router/answer_lane.h"
#include "bridge/router/live_call.h"
#include "bridge/router/session.h"

namespace atomemo::router {

// Of calls in some states.
struct CallTotals {
  std::size_t calls = 0;
  std::size_t bytes = 0;
};

// A changed definition that the hub is being asked about, while the one before it still serves.
struct Candidate {
  std::string version;
  definition::DefinitionPtr definition;
  absl::flat_hash_map<std::string, pb::ToolPolicy> tool_policies;
  // Those that published it, and serve it once the hub has taken it. Never empty.
  std::vector<Session*> sessions;
};

// What is known under one topic: the definition, and the sessions that serve it.
struct Plugin {
  std::string topic;
  std::string name;
  std::string version;
  HubMode mode = HubMode::kDebug;
  definition::DefinitionPtr definition;
  absl::flat_hash_map<std::string, pb::ToolPolicy> tool_policies;
  std::unique_ptr<Candidate> candidate;
  // The last one, which the operator shall go on to see.
  bool candidate_was_refused = false;
  pb::HubState hub_state;
  // Published sessions, draining ones too.
  std::vector<Session*> workers;
  // Where the search for the least busy of them begins.
  std::size_t next_worker = 0;
  // Calls that no worker has taken yet, in the order of their arrival.
  std::array<CallList, kCallKindCount> queues;
  // Its answers on their way to the hub.
  AnswerLane lane;
  // Calls that ran into their deadline since a worker last answered one, or connected.
  std::size_t timeouts_in_a_row = 0;
  base::Scheduler::TimerId retire_timer = base::Scheduler::kNoTimer;

  // Sums over its calls, kept by CallTable.
  CallTotals active;    // accepted and not answered
  CallTotals unproven;  // answered and not proven
  std::size_t queued = 0;
  std::size_t settling_bytes = 0;  // of proven answers

  // The definition's own text, of what the hub shall have: it lives on with it.
  std::shared_ptr<const std::string> definition_json() const {
    const definition::DefinitionPtr& wanted =
        candidate == nullptr ? definition : candidate->definition;
    return {wanted, &wanted->json};
  }
  const auto& tools() const { return definition->facts.tools; }
  const auto& credentials() const { return definition->facts.credentials; }
  CallList& queue(CallKind kind) { return queues[static_cast<std::size_t>(kind)]; }
  bool registered() const { return hub_state.state() == pb::HubState::STATE_REGISTERED; }
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_PLUGIN_H_
