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

absl::StatusOr<Publications::Change> Publications::Attach(Session& session,
                                                          Publication publication) {
  const std::string topic = TopicOf(session.mode, session.name, session.version);
  std::unique_ptr<Plugin>& known = plugins_[topic];
  Change change;
  if (known == nullptr) {
    known = std::make_unique<Plugin>();
    known->topic = topic;
    known->name = session.name;
    known->mode = session.mode;
    known->definition = publication.definition;
    known->hub_state.set_state(pb::HubState::STATE_CONNECTING);
  }
  Plugin& plugin = *known;
  scheduler_.Cancel(std::exchange(plugin.retire_timer, base::Scheduler::kNoTimer));
  if (plugin.definition->json != publication.definition->json) {
    const bool served = std::any_of(plugin.workers.begin(), plugin.workers.end(),
                                    [](const Session* worker) { return !worker->draining; });
    if (session.mode == HubMode::kRelease && served) {
      return absl::FailedPreconditionError(
          absl::StrCat("another definition of ", session.name, " ", session.version,
                       " is running: give the changed plugin a new version, or stop the workers of "
                       "the old one first"));
    }
    if (served && hub_.IsUp(topic)) {
      AddCandidate(plugin, session, std::move(publication), change);
      return change;
    }
    if (plugin.candidate != nullptr &&
        plugin.candidate->definition->json == publication.definition->json) {
      change = Promote(plugin);
    } else {
      change.refused = DropCandidate(plugin);
      change.replaced = Replace(plugin);
      plugin.candidate_was_refused = false;
    }
    plugin.definition = std::move(publication.definition);
    // Until the hub has taken the new definition.
    plugin.hub_state.set_state(pb::HubState::STATE_CONNECTING);
  }
  plugin.version = session.version;
  plugin.tool_policies = std::move(publication.tool_policies);
  AddWorker(plugin, session);
  change.attached.push_back(&session);
  Announce(plugin);
  SendHubState(session, plugin.hub_state);
  return change;
}

void Publications::AddWorker(Plugin& plugin, Session& session) {
  plugin.workers.push_back(&session);
  plugin.timeouts_in_a_row = 0;
  session.plugin = &plugin;
  session.candidate_of = nullptr;
  session.streams_changed_at = scheduler_.Now();
}

void Publications::AddCandidate(Plugin& plugin, Session& session, Publication publication,
                                Change& change) {
  if (plugin.candidate == nullptr ||
      plugin.candidate->definition->json != publication.definition->json) {
    change.refused = DropCandidate(plugin);
    plugin.candidate = std::make_unique<Candidate>();
    plugin.candidate->definition = std::move(publication.definition);
  }
  plugin.candidate->version = session.version;
  plugin.candidate->tool_policies = std::move(publication.tool_policies);
  plugin.candidate->sessions.push_back(&session);
  session.candidate_of = &plugin;
  pb::HubState asked;
  asked.set_state(pb::HubState::STATE_CONNECTING);
  SendHubState(session, asked);
  Announce(plugin);
}

Publications::Change Publications::Promote(Plugin& plugin) {
  const std::unique_ptr<Candidate> taken = std::move(plugin.candidate);
  plugin.candidate_was_refused = false;
  Change change;
  change.replaced = Replace(plugin);
  change.attached = taken->sessions;
  plugin.version = taken->version;
  plugin.definition = taken->definition;
  plugin.tool_policies = std::move(taken->tool_policies);
  for (Session* session : taken->sessions) AddWorker(plugin, *session);
  return change;
}

std::vector<Session*> Publications::DropCandidate(Plugin& plugin) {
  if (plugin.candidate == nullptr) return {};
  const std::unique_ptr<Candidate> dropped = std::move(plugin.candidate);
  for (Session* session : dropped->sessions) session->candidate_of = nullptr;
  return dropped->sessions;
}

void Publications::Announce(const Plugin& plugin) {
  if (stopped_) return;
  hub_.Announce({plugin.topic, plugin.mode, plugin.definition_json()});
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
  Plugin* const plugin = session.plugin != nullptr ? session.plugin : session.candidate_of;
  if (plugin == nullptr) return;
  const auto remove = [&session](std::vector<Session*>& sessions) {
    sessions.erase(std::remove(sessions.begin(), sessions.end(), &session), sessions.end());
  };
  remove(plugin->workers);
  if (plugin->candidate != nullptr) {
    remove(plugin->candidate->sessions);
    if (plugin->candidate->sessions.empty()) {
      plugin->candidate = nullptr;
      Announce(*plugin);
    }
  }
  if (plugin->workers.empty()) ScheduleRetirement(*plugin);
}

Plugin* Publications::Find(absl::string_view topic) {
  const auto plugin = plugins_.find(topic);
  return plugin == plugins_.end() ? nullptr : plugin->second.get();
}

Publications::Change Publications::OnTopicState(Plugin& plugin, const pb::HubState& state) {
  const bool is_asking = state.state() == pb::HubState::STATE_CONNECTING;
  const bool is_registered = state.state() == pb::HubState::STATE_REGISTERED;
  Change change;
  if (plugin.candidate != nullptr) {
    for (Session* session : plugin.candidate->sessions) SendHubState(*session, state);
    const bool is_rejected = state.state() == pb::HubState::STATE_REJECTED;
    // Also one behind which the topic is lost: the running one shall be back as soon as that is.
    const bool is_lost = !is_rejected && !is_asking && !is_registered;
    if (is_rejected || is_lost) {
      change.refused = DropCandidate(plugin);
      plugin.candidate_was_refused = true;
      Announce(plugin);  // once more what it had taken before
      if (plugin.workers.empty()) ScheduleRetirement(plugin);
    }
    if (is_rejected) return change;
  }
  if (is_asking && plugin.registered() && hub_.IsUp(plugin.topic)) return change;  // is asked again
  plugin.hub_state = state;
  for (Session* worker : plugin.workers) SendHubState(*worker, state);
  if (plugin.candidate != nullptr && is_registered) change = Promote(plugin);
  return change;
}

void Publications::ScheduleRetirement(Plugin& plugin) {
  scheduler_.Cancel(plugin.retire_timer);
  plugin.retire_timer = scheduler_.After(options_.worker_grace, [this, &plugin] {
    plugin.retire_timer = base::Scheduler::kNoTimer;
    if (busy_(plugin) || plugin.candidate != nullptr) return ScheduleRetirement(plugin);
    base::LogInfo("plugin retired: no worker is left", {{"topic", plugin.topic}});
    hub_.Withdraw(plugin.topic);
    retired_(plugin);
    plugins_.erase(std::string(plugin.topic));
  });
}

}  // namespace atomemo::router
