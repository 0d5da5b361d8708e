#ifndef ATOMEMO_BRIDGE_ROUTER_OPTIONS_H_
#define ATOMEMO_BRIDGE_ROUTER_OPTIONS_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "bridge/router/answered_ids.h"
#include "bridge/router/outbox.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

// How long the hub's calls may take, from their arrival to the answer. The defaults are the Elixir
// SDK's.
struct Timeouts {
  absl::Duration authenticate = absl::Seconds(5);
  absl::Duration oauth2 = absl::Seconds(60);
  // For tools without a timeout of their own.
  absl::Duration invoke = absl::Minutes(30);
  absl::Duration list_resources = absl::Seconds(15);
  absl::Duration map_resource = absl::Seconds(15);
  // Calls to the hub.
  absl::Duration hub_call = absl::Seconds(30);
  absl::Duration invoke_llm = absl::Minutes(15);
};

// The longest that any tool may ask for.
inline constexpr absl::Duration kMaxInvokeTimeout = absl::Minutes(30);
inline constexpr absl::Duration kMaxHubCallTimeout = absl::Hours(1);

// Past each of these bounds the one call (or session) fails with an error that names the flag;
// nothing else is harmed.
struct RouterLimits {
  std::size_t max_calls = 20'000;           // --max-calls: in flight or queued, of all plugins
  std::size_t max_call_bytes = 256u << 20;  // --max-call-bytes: the same calls' payloads
  std::size_t max_plugin_calls = 5'000;  // --max-plugin-calls: in flight or queued, of one plugin
  std::size_t max_plugin_call_bytes = 128u << 20;  // --max-plugin-call-bytes: their payloads
  std::size_t max_queued_calls = 1'000;  // --max-queued-calls: waiting for a worker, a plugin
  std::size_t max_sessions = 4'096;      // --max-sessions
  std::size_t max_hub_calls =
      1'000;  // --max-hub-calls: plugins' calls to the hub under way, a session
  // --max-parked-answers (of a session), --max-parked-bytes (of all): answers to an earlier
  // bridge's calls that cannot be taken yet
  std::size_t max_parked_answers = 10'000;
  std::size_t max_parked_bytes = 128u << 20;
  // --max-outbox-answers, --max-outbox-bytes; --max-plugin-answers, --max-plugin-answer-bytes
  Outbox::Limits outbox;
  AnsweredIds::Limits answered_ids;
};

struct RouterOptions {
  HubMode default_mode = HubMode::kDebug;
  Timeouts timeouts;
  RouterLimits limits;
  // How long calls wait for a worker when none is connected, and how long the topic of a plugin
  // without workers stays joined.
  absl::Duration worker_grace = absl::Seconds(5);
  // How long after a worker was published, or a stream of it broke off, calls of a kind that nobody
  // serves wait before they fail: streams open and end one by one, and overtake other RPCs.
  absl::Duration stream_grace = absl::Seconds(1);
  // How long a cancelled call may still occupy its worker before its credit is given to another
  // call.
  absl::Duration cancel_grace = absl::Seconds(10);
  // Tokens by plugin name. A plugin named here must present its token.
  absl::flat_hash_map<std::string, std::string> plugin_tokens;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_OPTIONS_H_
