#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVICE_CONTEXT_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVICE_CONTEXT_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/payload.pb.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/scheduler.h"
#include "bridge/definition/assemble.h"
#include "bridge/plugin_service/definition_queue.h"
#include "bridge/plugin_service/health_board.h"
#include "bridge/plugin_service/hub_call.h"
#include "bridge/plugin_service/options.h"
#include "bridge/plugin_service/peer_table.h"
#include "bridge/plugin_service/thread_pool.h"
#include "bridge/plugin_service/turn_queue.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {

// Whether two peers are processes of one user; those without identity (over TCP) count as one.
inline bool IsSameUser(const std::optional<PeerIdentity>& a, const std::optional<PeerIdentity>& b) {
  if (!a || !b) return !a && !b;
  return a->uid == b->uid;
}

// What an open session has declared so far. On the thread that checks definitions only.
struct SessionDraft {
  definition::Draft definition;
  absl::flat_hash_map<std::string, plugin::v1::ToolPolicy> tool_policies;
  DefinitionQueue::Place place;
};

// What this side has to remember of an open session.
struct KnownSession {
  std::optional<PeerIdentity> peer;
  plugin::v1::PayloadEncoding encoding = plugin::v1::PAYLOAD_ENCODING_STRUCT;
  // Null once it has published.
  std::shared_ptr<SessionDraft> draft;
  // In one message.
  std::size_t max_receive_bytes = std::numeric_limits<std::size_t>::max();
};

// The stream has ended, or the plugin half-closed it.
struct StreamEnd {};
// On Serve alone.
struct StreamHubCall {
  std::string id;
  absl::StatusOr<HubCallRequest> call;
};
struct StreamDrain {};

// What a stream of calls has read, for the io thread.
using StreamEvent = std::variant<StreamEnd, router::PluginReply, StreamHubCall, StreamDrain>;
using StreamEvents = TurnQueue<StreamEvent>;

// The open sessions. On the io thread only.
class SessionTable {
 public:
  void Add(const std::string& id, KnownSession session) {
    sessions_[id].known = std::move(session);
  }

  // Handles what the session's call streams have read first: a finished answer counts, though its
  // worker be gone.
  void Remove(const std::string& id) {
    const auto node = sessions_.extract(id);
    if (node.empty()) return;
    for (const std::weak_ptr<StreamEvents>& weak : node.mapped().streams) {
      if (const auto stream = weak.lock()) stream->Flush();
    }
  }

  // Whether one of the session's call streams has received a reply that is still being read.
  bool IsReading(const std::string& id) const {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return false;
    const auto& streams = found->second.streams;
    return std::any_of(streams.begin(), streams.end(), [](const auto& weak) {
      const auto stream = weak.lock();
      return stream != nullptr && stream->expects();
    });
  }

  // The session, which is open, has a stream of this kind from now on.
  void AddStream(const std::string& id, router::CallKind kind,
                 const std::shared_ptr<StreamEvents>& stream) {
    sessions_.at(id).streams[static_cast<std::size_t>(kind)] = stream;
  }

  // The session has published: its draft is not needed any more.
  void DropDraft(const std::string& id) {
    const auto found = sessions_.find(id);
    if (found != sessions_.end()) found->second.known.draft.reset();
  }

  // UNAUTHENTICATED unless the session is open, and was opened by the same user.
  absl::StatusOr<KnownSession> Find(const std::string& id,
                                    const std::optional<PeerIdentity>& peer) const {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || !IsSameUser(found->second.known.peer, peer)) {
      return absl::UnauthenticatedError("session_id names no open session");
    }
    return found->second.known;
  }

 private:
  struct Entry {
    KnownSession known;
    std::array<std::weak_ptr<StreamEvents>, router::kCallKindCount> streams;
  };
  std::unordered_map<std::string, Entry> sessions_;
};

// What every RPC's handler works with. Shared, because tasks that were posted to the io thread may
// run after the server is gone. The ports outlive them all.
struct ServiceContext {
  ServiceContext(PluginServerOptions opts, router::PluginPort& plugin_port,
                 const router::StatusPort& status_port, base::Scheduler& scheduler)
      : options(std::move(opts)),
        port(plugin_port),
        status(status_port),
        health(status_port, scheduler),
        io(scheduler),
        definitions({options.max_waiting_definitions, options.max_waiting_definition_bytes}),
        transfers(options.max_transfers, options.max_transfers * 16) {}

  const PluginServerOptions options;
  // These on the io thread only.
  router::PluginPort& port;
  const router::StatusPort& status;
  HealthBoard health;
  // Post from anywhere.
  base::Scheduler& io;
  // On the io thread only.
  SessionTable sessions;
  DefinitionQueue definitions;
  ThreadPool transfers;
};

using ContextPtr = std::shared_ptr<ServiceContext>;

// Lets the operator see what is wrong with a definition, as its author is told. On any thread.
inline void TellRefusal(const ContextPtr& context, const std::string& plugin,
                        const std::optional<PeerIdentity>& peer, const absl::Status& why) {
  std::optional<std::int32_t> pid;
  if (peer) pid = peer->pid;
  context->io.Post(
      [context, plugin, pid, why] { context->port.DefinitionRefused(plugin, pid, why); });
}

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SERVICE_CONTEXT_H_
