#ifndef ATOMEMO_BRIDGE_ROUTER_PUBLICATIONS_H_
#define ATOMEMO_BRIDGE_ROUTER_PUBLICATIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/options.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

// The plugins that are announced to the hub, and which sessions serve each.
//
// In debug mode a changed definition takes the place of the old one and the older workers drain, as
// soon as the hub has taken it: one that it refuses changes nothing. In release mode it is refused
// while workers of the old one are there. A plugin whose last worker has
// gone stays announced for a grace period, and as long as `busy` says that it has calls or answers
// left; then its topic is left.
//
// Lives on the io thread.
class Publications {
 public:
  // Whether the plugin has calls in flight, or answers that the hub does not have yet.
  using Busy = std::function<bool(const Plugin&)>;
  // The plugin's topic was left; the plugin goes away after the callback.
  using Retired = std::function<void(Plugin&)>;

  Publications(HubPort& hub, base::Scheduler& scheduler, const RouterOptions& options, Busy busy,
               Retired retired);
  ~Publications();
  Publications(const Publications&) = delete;
  Publications& operator=(const Publications&) = delete;

  // What became of sessions.
  struct Change {
    // They serve now.
    std::vector<Session*> attached;
    // Others took their place: they drain.
    std::vector<Session*> replaced;
    // The hub refused what they published, or a further change came before it had answered.
    std::vector<Session*> refused;
  };

  // Makes the session a worker of the plugin that the definition describes, and announces that to
  // the hub; or a candidate, which is neither attached nor refused yet. FAILED_PRECONDITION when
  // another definition runs in release mode.
  absl::StatusOr<Change> Attach(Session& session, Publication publication);

  // The session gets no calls any more and goes away.
  void Detach(Session& session);

  Plugin* Find(absl::string_view topic);

  // The bridge shuts down: what a topic has is not announced again.
  void Stop() { stopped_ = true; }

  // Notes the hub's word on a plugin's topic, and tells its sessions.
  Change OnTopicState(Plugin& plugin, const pb::HubState& state);

  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (const auto& [topic, plugin] : plugins_) visit(*plugin);
  }

 private:
  void AddWorker(Plugin& plugin, Session& session);
  void AddCandidate(Plugin& plugin, Session& session, Publication publication, Change& change);
  Change Promote(Plugin& plugin);
  // Those that are none any more.
  std::vector<Session*> DropCandidate(Plugin& plugin);
  void Announce(const Plugin& plugin);
  std::vector<Session*> Replace(Plugin& plugin);
  void ScheduleRetirement(Plugin& plugin);

  HubPort& hub_;
  base::Scheduler& scheduler_;
  const RouterOptions& options_;
  const Busy busy_;
  const Retired retired_;
  bool stopped_ = false;
  absl::flat_hash_map<std::string, std::unique_ptr<Plugin>> plugins_;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_PUBLICATIONS_H_
