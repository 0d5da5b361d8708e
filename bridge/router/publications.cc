#include "bridge/router/publications.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"

namespace atomemo::router {
namespace {

void SendHubState(Session& session, const pb::HubState& state) {
  pb::SessionEvent event;
  *event.mutable_hub_state() = state;
  session.sink->Send(std::move(event));
}

}  // namespace

Publications::Publications(HubPort& hub, base::Scheduler& scheduler, const RouterOptions& options,
                           Busy busy, Retired retired)
    : hub_(hub),
      scheduler_(scheduler),
      options_(options),
      busy_(std::move(busy)),
      retired_(std::move(retired)) {}

Publications::~Publications() {
  for (const auto& [topic, plugin] : plugins_) {
    scheduler_.Cancel(plugin->retire_timer);
    scheduler_.Cancel(plugin->lane.step_timer);
  }
}

absl::StatusOr<std::vector<Session*>> Publications::Attach(Session& session,
                                                           Publication publication) {
  const std::string topic = TopicOf(session.mode, session.name, session.version);
  std::unique_ptr<Plugin>& plugin = plugins_[topic];
  std::vector<Session*> replaced;
  if (plugin == nullptr) {
    plugin = std::make_unique<Plugin>();
    plugin->topic = topic;
    plugin->name = session.name;
    plugin->mode = session.mode;
    plugin->definition = std::move(publication.definition);
    plugin->hub_state.set_state(pb::HubState::STATE_CONNECTING);
  } else if (plugin->definition->json != publication.definition->json) {
    const bool served = std::any_of(plugin->workers.begin(), plugin->workers.end(),
                                    [](const Session* worker) { return !worker->draining; });
    if (session.mode == HubMode::kRelease && served) {
      return absl::FailedPreconditionError(
          absl::StrCat("another definition of ", session.name, " ", session.version,
                       " is running: give the changed plugin a new version, or stop the workers of "
                       "the old one first"));
    }
    replaced = Replace(*plugin);
    plugin->definition = std::move(publication.definition);
    // Until the hub has taken the new definition.
    plugin->hub_state.set_state(pb::HubState::STATE_CONNECTING);
  }
  plugin->version = session.version;
  plugin->tool_policies = std::move(publication.tool_policies);
  plugin->workers.push_back(&session);
  plugin->timeouts_in_a_row = 0;
  scheduler_.Cancel(std::exchange(plugin->retire_timer, base::Scheduler::kNoTimer));
  session.plugin = plugin.get();
  session.streams_changed_at = scheduler_.Now();
  hub_.Announce({topic, session.mode, plugin->definition_json()});
  SendHubState(session, plugin->hub_state);
  return replaced;
}

std::vector<Session*> Publications::Replace(Plugin& plugin) {
  std::vector<Session*> replaced;
  for (Session* worker : plugin.workers) {
    if (worker->draining) continue;
    worker->draining = true;
    worker->finish_when_idle = absl::AbortedError(
        "the session was replaced: a changed definition of the plugin has been published");
    pb::SessionEvent event;
    event.mutable_draining()->set_reason("a changed definition of the plugin has been published");
    event.mutable_draining()->set_replaced(true);
    worker->sink->Send(std::move(event));
    replaced.push_back(worker);
  }
  return replaced;
}

void Publications::Detach(Session& session) {
  Plugin* const plugin = session.plugin;
  if (plugin == nullptr) return;
  auto& workers = plugin->workers;
  workers.erase(std::remove(workers.begin(), workers.end(), &session), workers.end());
  if (workers.empty()) ScheduleRetirement(*plugin);
}

Plugin* Publications::Find(absl::string_view topic) {
  const auto plugin = plugins_.find(topic);
  return plugin == plugins_.end() ? nullptr : plugin->second.get();
}

Plugin* Publications::OnTopicState(absl::string_view topic, const pb::HubState& state) {
  Plugin* const plugin = Find(topic);
  if (plugin == nullptr) return nullptr;
  plugin->hub_state = state;
  for (Session* worker : plugin->workers) SendHubState(*worker, state);
  return plugin;
}

void Publications::ScheduleRetirement(Plugin& plugin) {
  plugin.retire_timer = scheduler_.After(options_.worker_grace, [this, &plugin] {
    plugin.retire_timer = base::Scheduler::kNoTimer;
    if (busy_(plugin)) return ScheduleRetirement(plugin);
    base::LogInfo("plugin retired: no worker is left", {{"topic", plugin.topic}});
    hub_.Withdraw(plugin.topic);
    retired_(plugin);
    plugins_.erase(std::string(plugin.topic));
  });
}

}  // namespace atomemo::router
