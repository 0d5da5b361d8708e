#ifndef ATOMEMO_BRIDGE_ROUTER_SESSION_H_
#define ATOMEMO_BRIDGE_ROUTER_SESSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/live_call.h"
#include "bridge/router/ports.h"

namespace atomemo::router {

struct Plugin;

// One call stream of a session.
struct CallStream {
  std::shared_ptr<CallSink> sink;
  std::size_t max_in_flight = 0;
  // The plugin was told that no further call comes.
  bool drained = false;
  CallList in_flight;  // as they were handed over
  // Calls whose deadline passed while the plugin had them: they hold their credit until the plugin
  // answers or the timer runs out.
  absl::flat_hash_map<std::string, base::Scheduler::TimerId> cancelled;

  std::size_t used() const { return in_flight.size() + cancelled.size(); }
  bool HasCredit() const { return used() < max_in_flight; }
};

// One plugin process's session: a worker, once it is published.
struct Session {
  std::string id;
  std::string name;
  std::string version;
  HubMode mode = HubMode::kDebug;
  SessionSpec spec;
  std::shared_ptr<SessionSink> sink;

  // Answers to earlier bridges' calls that cannot be taken yet: the session is not published, or
  // the outbox is full.
  std::deque<PluginReply> parked_replies;
  std::size_t parked_bytes = 0;

  // Set once it serves what it published.
  Plugin* plugin = nullptr;
  // Until then, while the hub is asked about its changed definition.
  Plugin* candidate_of = nullptr;
  // It has published, whatever became of that.
  bool has_published = false;
  // When it was published or a stream of it broke off: further streams may come or end right after.
  absl::Time streams_changed_at = absl::InfinitePast();
  std::function<void(absl::StatusOr<Published>)> publish_done;
  // Gets no further calls.
  bool draining = false;
  // Why it ends when its last call in flight is done; set with `draining` when it was replaced.
  std::optional<absl::Status> finish_when_idle;

  std::array<std::optional<CallStream>, kCallKindCount> streams;
  // What ended the streams that were open and are not any more.
  std::array<std::string, kCallKindCount> lost_streams;
  std::size_t hub_calls = 0;

  std::optional<CallStream>& stream(CallKind kind) {
    return streams[static_cast<std::size_t>(kind)];
  }
  // Where calls of that kind go; null unless the stream is open.
  CallSink* sink_of(CallKind kind) const {
    const std::optional<CallStream>& open = streams[static_cast<std::size_t>(kind)];
    return open ? open->sink.get() : nullptr;
  }
  // Any of the streams that are open; null if none is.
  CallSink* any_sink() const {
    for (const auto& open : streams) {
      if (open) return open->sink.get();
    }
    return nullptr;
  }
  // Whether it takes a further call of that kind, whose stream is open.
  bool HasCredit(CallKind kind) const {
    if (!streams[static_cast<std::size_t>(kind)]->HasCredit()) return false;
    if (kind == CallKind::kInvoke) return true;
    std::size_t queries = 0;
    for (std::size_t i = 0; i < kCallKindCount; ++i) {
      const bool counts = streams[i] && static_cast<CallKind>(i) != CallKind::kInvoke;
      if (counts) queries += streams[i]->used();
    }
    return queries < spec.max_queries;
  }
  std::string& lost_stream(CallKind kind) { return lost_streams[static_cast<std::size_t>(kind)]; }
  std::size_t calls_in_flight() const {
    std::size_t count = 0;
    for (const auto& stream : streams) count += stream ? stream->in_flight.size() : 0;
    return count;
  }
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_SESSION_H_
