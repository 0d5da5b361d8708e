#include "bridge/router/router.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/base/log.h"
#include "bridge/base/redact.h"
#include "bridge/router/errors.h"
#include "bridge/router/plugin_status.h"
#include "bridge/router/router_checks.h"
#include "google/protobuf/util/time_util.h"

namespace atomemo::router {
namespace {

// How long a call that cannot be understood is remembered while the hub is away.
constexpr absl::Duration kBadCallTimeout = absl::Minutes(1);
// Of one answer, for which the hub has asked again.
constexpr std::size_t kMaxCopiesUnderWay = 2;

}  // namespace

Router::Router(HubPort& hub, base::Scheduler& scheduler, RouterOptions options,
               CallJournal* journal)
    : hub_(hub),
      scheduler_(scheduler),
      options_(std::move(options)),
      journal_(journal),
      refused_log_(scheduler),
      refused_definitions_(scheduler),
      ledger_(options_.limits.ledger),
      outbox_(
          hub, scheduler, options_.limits.outbox,
          {[this](absl::string_view topic, const HubAnswer& answer) {
             ++counters_.delivered;
             if (journal_ != nullptr) journal_->Ended(topic, answer.request_id);
           },
           [this](absl::string_view topic, const HubAnswer& answer) { OnSettled(topic, answer); },
           [this] { SendConfirmations(); },
           [this] {
             RetryParkedPublished();
             FinishDrainIfIdle();
           },
           [this](absl::string_view topic, const HubAnswer& answer, const HubLoss& loss) {
             return ReplaceRefused(topic, answer, loss);
           },
           [this](absl::string_view topic, const HubAnswer& answer, const HubLoss& loss) {
             base::LogError("answer given up: the hub takes not even the error in its place",
                            {{"topic", topic},
                             {"event", answer.event},
                             {"request_id", answer.request_id},
                             {"reason", loss.reason}});
             if (journal_ != nullptr) journal_->Ended(topic, answer.request_id);
             OnSettled(topic, answer);
             SendConfirmations();
           }}),
      dispatcher_(scheduler, options_, journal,
                  [this](const ActiveCall& call, pb::PluginError error) {
                    Answer(call.plugin->topic,
                           HubAnswer{call.event, call.request_id, std::move(error)}, nullptr,
                           call.arrived, call.target, call.worker_pid);
                    if (call.worker != nullptr) FinishIfIdle(*call.worker);
                  }),
      publications_(
          hub, scheduler, options_,
          [this](const Plugin& plugin) {
            return plugin.active > 0 || outbox_.HasAnswersFor(plugin.topic);
          },
          [this](const Plugin& plugin) { outbox_.Remove(plugin.topic); }),
      hub_requests_(hub, scheduler, options_),
      recovered_(
          scheduler, options_.worker_grace,
          [this](const JournaledCall& call, pb::PluginError error) {
            if (publications_.Find(call.topic) == nullptr) return false;
            Answer(call.topic, HubAnswer{call.event, call.request_id, std::move(error)}, nullptr,
                   scheduler_.Now(), "", std::nullopt);
            return true;
          },
          [this](const JournaledCall& call) {
            base::LogWarning(
                "call of an earlier bridge dropped: its plugin has not come back in time",
                {{"topic", call.topic}, {"event", call.event}, {"request_id", call.request_id}});
            journal_->Ended(call.topic, call.request_id);
          }) {}

Router::~Router() {
  scheduler_.Cancel(drain_timer_);
  scheduler_.Cancel(parked_timer_);
}

void Router::Recover(std::vector<JournaledCall> calls) {
  if (calls.empty()) return;
  const auto started = std::count_if(calls.begin(), calls.end(),
                                     [](const JournaledCall& call) { return call.started; });
  base::LogWarning("an earlier bridge was ended with calls in flight: they are taken over",
                   {{"calls", calls.size()}, {"started", started}});
  recovered_.Add(std::move(calls));
}

// ---- From the hub

void Router::OnTopicState(absl::string_view topic, pb::HubState state) {
  const Plugin* const plugin = publications_.OnTopicState(topic, state);
  if (plugin != nullptr) OnHubsVerdict(*plugin, state);
  // That the hub is asked about a changed definition, or refuses it, does not end the one that
  // runs.
  const bool is_asked = state.state() == pb::HubState::STATE_CONNECTING ||
                        state.state() == pb::HubState::STATE_REJECTED;
  outbox_.SetUp(topic,
                state.state() == pb::HubState::STATE_REGISTERED || (is_asked && hub_.IsUp(topic)));
  FinishDrainIfIdle();
}

void Router::OnHubsVerdict(const Plugin& plugin, const pb::HubState& state) {
  const bool is_accepted = state.state() == pb::HubState::STATE_REGISTERED;
  if (!is_accepted && state.state() != pb::HubState::STATE_REJECTED) return;
  absl::Status refused = absl::FailedPreconditionError(
      state.reason().empty() ? "the hub refused the plugin" : state.reason());
  pb::DefinitionViolations violations;
  *violations.mutable_violations() = state.violations();
  if (violations.violations_size() > 0) SetViolations(refused, violations);
  if (is_accepted) {
    refused_definitions_.Remove(plugin.name);
  } else {
    refused_definitions_.Add(
        plugin.name, plugin.workers.empty() ? std::nullopt : plugin.workers.back()->spec.peer_pid,
        refused);
  }
  for (Session* session : plugin.workers) {
    if (session->publish_done == nullptr) continue;
    const auto done = std::exchange(session->publish_done, nullptr);
    if (is_accepted) {
      done(Published{plugin.topic, definition::ToProto(plugin.definition->warnings)});
    } else {
      done(refused);
    }
  }
}

void Router::OnTopicLost(absl::string_view topic, const HubLoss& loss) {
  outbox_.OnLost(topic, loss);
}

void Router::OnWritable() { outbox_.OnWritable(); }

void Router::OnProven(HubPosition upto) { outbox_.OnProven(upto); }

void Router::OnHubCall(absl::string_view topic, HubCall call) {
  Plugin* const plugin = publications_.Find(topic);
  if (plugin == nullptr) {
    base::LogWarning("call dropped: its topic has just been left",
                     {{"topic", topic}, {"event", call.event}});
    return;
  }
  if (HandleRepeated(topic, call.event, call.request_id())) return;
  ++counters_.calls;
  const std::size_t bytes =
      std::visit([](const auto& payload) { return payload.ByteSizeLong(); }, call.payload);
  std::optional<pb::PluginError> overload = OutboxOverload(topic);
  if (!overload && !draining_) overload = dispatcher_.Overload(*plugin, bytes);
  if (overload) {
    return Refuse(topic, HubAnswer{call.event, call.request_id(), *std::move(overload)});
  }
  const absl::Duration timeout = TimeoutOf(*plugin, call);
  NoteAccepted(topic, call.request_id(), call.event, timeout);
  if (draining_) {
    return FailCall(
        *plugin, call,
        BridgeError(code::kShuttingDown, "ShuttingDown", "the bridge is shutting down: try again"));
  }
  if (std::optional<pb::PluginError> error = CheckCall(*plugin, call))
    return FailCall(*plugin, call, *std::move(error));
  call.mutable_info().set_event(call.event);
  std::string target = TargetOf(call.payload);
  const auto policy = plugin->tool_policies.find(target);
  const bool retry_safe = call.kind() == CallKind::kInvoke &&
                          policy != plugin->tool_policies.end() && policy->second.retry_safe();
  dispatcher_.Start(*plugin, std::move(call), std::move(target), bytes, timeout, retry_safe);
}

std::optional<pb::PluginError> Router::OutboxOverload(absl::string_view topic) const {
  if (!outbox_.HasRoom()) {
    return BridgeError(
        code::kOverloaded, "Overloaded",
        absl::StrCat("too many answers wait for the hub (", outbox_.answers(), " answers, ",
                     outbox_.bytes(), " bytes; see --max-outbox-answers and --max-outbox-bytes)"));
  }
  if (!outbox_.HasRoomFor(topic)) {
    return BridgeError(
        code::kOverloaded, "Overloaded",
        absl::StrCat("too many answers of the plugin wait for the hub (",
                     outbox_.answers_for(topic), " answers, ", outbox_.bytes_for(topic),
                     " bytes; see --max-plugin-answers and --max-plugin-answer-bytes)"));
  }
  return std::nullopt;
}

bool Router::HandleRepeated(absl::string_view topic, absl::string_view event,
                            absl::string_view request_id) {
  if (dispatcher_.IsActive(topic, request_id)) {
    ++counters_.repeated_calls;
    return true;  // its one answer is on its way
  }
  const CallLedger::Entry* known = ledger_.Find(topic, request_id);
  if (known == nullptr) return IsRecoveredRun(topic, request_id);
  ++counters_.repeated_calls;
  const bool has_room = !OutboxOverload(topic).has_value();
  if (known->answer != nullptr) {
    // An answer that went out before the repetition came may have gone to a hub that has restarted
    // since and did not know the call yet.
    if (outbox_.IsWaiting(*known->answer) ||
        outbox_.CopiesUnderWay(*known->answer) >= kMaxCopiesUnderWay) {
      return true;
    }
    if (has_room) {
      outbox_.Add(topic, known->answer);
    } else {
      hub_.PushRefusal(topic, *known->answer);
    }
    return true;
  }
  auto error = std::make_shared<HubAnswer>();
  error->event = std::string(event);
  error->request_id = std::string(request_id);
  error->outcome =
      BridgeError(code::kInvalidRequestId, "InvalidRequestId",
                  "the call was answered before, and the bridge does not keep the answer any more");
  if (has_room) {
    outbox_.Add(topic, std::move(error));
  } else {
    hub_.PushRefusal(topic, *error);
  }
  return true;
}

bool Router::IsRecoveredRun(absl::string_view topic, absl::string_view request_id) {
  const JournaledCall* call = recovered_.Find(topic, request_id);
  if (call == nullptr) return false;
  if (call->started) {
    ++counters_.repeated_calls;
    return true;  // the worker that has it will offer its answer
  }
  recovered_.Remove(topic, request_id);
  return false;
}

void Router::NoteAccepted(absl::string_view topic, absl::string_view request_id,
                          absl::string_view event, absl::Duration time_left) {
  if (journal_ != nullptr) journal_->Accepted(topic, request_id, event, time_left);
}

absl::Duration Router::TimeoutOf(const Plugin& plugin, const HubCall& call) const {
  switch (call.kind()) {
    case CallKind::kAuthenticate:
      return options_.timeouts.authenticate;
    case CallKind::kAuthorizeOAuth2:
      return options_.timeouts.oauth2;
    case CallKind::kListResources:
      return options_.timeouts.list_resources;
    case CallKind::kMapResource:
      return options_.timeouts.map_resource;
    case CallKind::kInvoke:
      break;
  }
  const std::string& tool = TargetOf(call.payload);
  const auto policy = plugin.tool_policies.find(tool);
  if (policy != plugin.tool_policies.end() && policy->second.has_timeout()) {
    const auto own = absl::Nanoseconds(
        google::protobuf::util::TimeUtil::DurationToNanoseconds(policy->second.timeout()));
    return std::clamp(own, absl::Milliseconds(1), kMaxInvokeTimeout);
  }
  const auto facts = plugin.tools().find(tool);
  if (facts != plugin.tools().end() && facts->second.timeout) {
    return std::max<absl::Duration>(*facts->second.timeout, absl::Milliseconds(1));
  }
  return options_.timeouts.invoke;
}

void Router::OnBadHubCall(absl::string_view topic, absl::string_view event,
                          absl::string_view request_id, const absl::Status& error) {
  if (publications_.Find(topic) == nullptr || HandleRepeated(topic, event, request_id)) return;
  ++counters_.calls;
  if (std::optional<pb::PluginError> overload = OutboxOverload(topic)) {
    return Refuse(topic, HubAnswer{std::string(event), std::string(request_id),
                                   *std::move(overload), absl::IsUnimplemented(error)});
  }
  NoteAccepted(topic, request_id, event, kBadCallTimeout);
  HubAnswer answer;
  answer.event = std::string(event);
  answer.request_id = std::string(request_id);
  answer.unsupported = absl::IsUnimplemented(error);
  answer.outcome =
      answer.unsupported
          ? BridgeError(code::kMethodNotSupported, "MethodNotSupported", error.message())
          : BridgeError(code::kInvalidParameter, "InvalidParameter", error.message());
  Answer(topic, std::move(answer), nullptr, scheduler_.Now(), "", std::nullopt);
}

void Router::OnHubReply(absl::string_view topic, absl::string_view request_id,
                        absl::StatusOr<std::string> outcome) {
  hub_requests_.OnReply(topic, request_id, std::move(outcome));
}

// ---- Answers

void Router::FailCall(const Plugin& plugin, const HubCall& call, pb::PluginError error) {
  Answer(plugin.topic, HubAnswer{call.event, call.request_id(), std::move(error)}, nullptr,
         scheduler_.Now(), TargetOf(call.payload), std::nullopt);
}

void Router::Refuse(absl::string_view topic, HubAnswer answer) {
  ++counters_.failed;
  // Whoever sends the call again is refused again, or served by then: nothing is kept.
  hub_.PushRefusal(topic, answer);
  refused_log_.Log([topic = std::string(topic), answer = std::move(answer)](std::uint64_t count) {
    base::LogWarning("call refused",
                     {{"topic", topic},
                      {"event", answer.event},
                      {"request_id", answer.request_id},
                      {"reason", std::get<pb::PluginError>(answer.outcome).message()},
                      {"count", count}});
  });
}

void Router::Answer(absl::string_view topic, HubAnswer answer, const Session* session,
                    absl::Time arrived, absl::string_view target, std::optional<std::int32_t> pid,
                    absl::string_view reason) {
  // Every call gets one terminal answer; a second one would be the bridge's own mistake.
  if (!ATOMEMO_INVARIANT(ledger_.Find(topic, answer.request_id) == nullptr)) return;
  ++(answer.ok() ? counters_.answered : counters_.failed);
  const std::int64_t milliseconds = absl::ToInt64Milliseconds(scheduler_.Now() - arrived);
  if (answer.ok()) {
    base::LogInfo("call answered", {{"topic", topic},
                                    {"event", answer.event},
                                    {"target", target},
                                    {"request_id", answer.request_id},
                                    {"pid", pid},
                                    {"ms", milliseconds}});
  } else {
    // The message is the plugin's and may contain anything: only the code is logged. The bridge's
    // own are safe.
    const auto& error = std::get<pb::PluginError>(answer.outcome);
    if (reason.empty() && session == nullptr) reason = error.message();
    if (reason.empty()) reason = "the plugin's own error";
    base::LogWarning("call failed", {{"topic", topic},
                                     {"event", answer.event},
                                     {"target", target},
                                     {"request_id", answer.request_id},
                                     {"pid", pid},
                                     {"ms", milliseconds},
                                     {"code", error.code()},
                                     {"reason", reason}});
  }
  recovered_.Remove(topic, answer.request_id);
  if (journal_ != nullptr && session == nullptr && !answer.ok()) {
    pb::PluginError error = std::get<pb::PluginError>(answer.outcome);
    error.set_message(std::string(reason));
    journal_->Failed(topic, answer.request_id, error);
  }
  auto shared = std::make_shared<const HubAnswer>(std::move(answer));
  if (session != nullptr) confirm_to_[CallKey(topic, shared->request_id)] = session->id;
  ledger_.Add(topic, shared, scheduler_.Now());
  outbox_.Add(topic, std::move(shared));
}

std::shared_ptr<const HubAnswer> Router::ReplaceRefused(absl::string_view topic,
                                                        const HubAnswer& answer,
                                                        const HubLoss& loss) {
  const std::string message =
      absl::StrCat("each time the hub was sent the answer to this call, of ", answer.size(),
                   " bytes, this happened: ", loss.reason, "; this error takes the answer's place");
  base::LogError("the hub cannot take an answer: an error takes its place",
                 {{"topic", topic},
                  {"event", answer.event},
                  {"request_id", answer.request_id},
                  {"bytes", answer.size()},
                  {"reason", loss.reason}});
  auto error = std::make_shared<const HubAnswer>(HubAnswer{
      answer.event, answer.request_id,
      BridgeError(code::kInvalidReturn, "AnswerRefusedByHub", message), answer.unsupported});
  ledger_.Replace(topic, error);
  // Its proof may have ended the call there already.
  NoteAccepted(topic, answer.request_id, answer.event, kBadCallTimeout);
  if (journal_ != nullptr) {
    journal_->Failed(topic, answer.request_id, std::get<pb::PluginError>(error->outcome));
  }
  const auto session_id = confirm_to_.find(CallKey(topic, answer.request_id));
  Session* const session =
      session_id == confirm_to_.end() ? nullptr : FindSession(session_id->second);
  const std::optional<CallKind> kind = KindOfEvent(answer.event);
  CallSink* const sink = session != nullptr && kind ? session->sink_of(*kind) : nullptr;
  if (sink != nullptr) {
    pb::DefinitionViolation violation;
    violation.set_message(message);
    sink->Reject(answer.request_id, {violation});
  }
  return error;
}

void Router::OnSettled(absl::string_view topic, const HubAnswer& answer) {
  const auto session = confirm_to_.find(CallKey(topic, answer.request_id));
  if (session == confirm_to_.end()) return;
  ConfirmDelivered(session->second, answer.request_id);
  confirm_to_.erase(session);
}

void Router::ConfirmDelivered(const std::string& session_id, std::string request_id) {
  confirmations_[session_id].push_back(std::move(request_id));
}

void Router::SendConfirmations() {
  for (auto& [session_id, request_ids] : confirmations_) {
    Session* const session = FindSession(session_id);
    if (session == nullptr) continue;
    pb::SessionEvent event;
    for (std::string& id : request_ids) event.mutable_delivered()->add_request_ids(std::move(id));
    session->sink->Send(std::move(event));
  }
  confirmations_.clear();
}

// ---- Status

admin::v1::GetStatusResponse Router::Status() const {
  admin::v1::GetStatusResponse status;
  publications_.ForEach([&](const Plugin& plugin) {
    *status.add_plugins() = StatusOf(plugin, outbox_, scheduler_.Now());
  });
  std::sort(status.mutable_plugins()->begin(), status.mutable_plugins()->end(),
            [](const auto& a, const auto& b) { return a.topic() < b.topic(); });
  *status.mutable_hub() = hub_.Connection();
  const bool connected = status.hub().connected();
  std::string reason = draining_ ? "the bridge is shutting down"
                       : !connected
                           ? absl::StrCat("no connection to the hub: ", status.hub().reason())
                           : "";
  for (const admin::v1::PluginStatus& plugin : status.plugins()) {
    if (plugin.ready()) continue;
    // Said above already.
    if (!connected && plugin.hub_state().state() != pb::HubState::STATE_REJECTED) continue;
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", plugin.name(), ": ", plugin.reason());
  }
  status.set_ready(reason.empty());
  status.set_reason(std::move(reason));
  status.set_draining(draining_);
  status.set_sessions(static_cast<std::int64_t>(sessions_.size()));
  status.set_active_calls(static_cast<std::int64_t>(dispatcher_.active()));
  status.set_undelivered_answers(static_cast<std::int64_t>(outbox_.answers()));
  refused_definitions_.FillStatus(status);
  status.set_max_frame_bytes(static_cast<std::int64_t>(hub_.max_frame_bytes()));
  status.set_recovered_calls(static_cast<std::int64_t>(recovered_.size()));
  return status;
}

// ---- Shutdown

void Router::Drain(absl::Duration timeout, std::function<void(std::size_t)> done) {
  draining_ = true;
  drained_ = std::move(done);
  dispatcher_.DrainWhenIdle();
  for (const auto& [id, session] : sessions_) {
    pb::SessionEvent event;
    event.mutable_draining()->set_reason("the bridge is shutting down");
    *event.mutable_draining()->mutable_timeout() =
        google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(timeout));
    session->sink->Send(std::move(event));
    dispatcher_.TellIfDrained(*session);
    if (session->publish_done != nullptr) {
      std::exchange(session->publish_done,
                    nullptr)(absl::UnavailableError("the bridge is shutting down"));
    }
  }
  // The last part of the time is for the answers of calls that are cut off, so that these get out
  // too.
  drain_timer_ = scheduler_.After(timeout * 0.8, [this, timeout] {
    drain_is_late_ = true;
    dispatcher_.FailAll(
        BridgeError(code::kShuttingDown, "ShuttingDown",
                    "the bridge was shut down before the plugin had answered: try again"));
    drain_timer_ = scheduler_.After(timeout * 0.2, [this] {
      drain_timer_ = base::Scheduler::kNoTimer;
      // Calls that are still to be failed are those whose answers did not even get out.
      const std::size_t undelivered = outbox_.answers() + dispatcher_.active();
      if (drained_) std::exchange(drained_, nullptr)(undelivered);
    });
    FinishDrainIfIdle();
  });
  FinishDrainIfIdle();
}

// The hub takes no answer behind a leave, but what it pushed before it handled the leave still
// comes. So a topic is left once all that it owes is sent, and when calls came meanwhile, it is
// joined again for their answers.
void Router::FinishDrainIfIdle() {
  if (!drained_ || dispatcher_.active() > 0) return;
  bool all_left = true;
  publications_.ForEach([&](const Plugin& plugin) {
    if (left_.contains(plugin.topic)) return;
    all_left = false;
    // The channel comes to the leave after every answer that was sent before.
    if (!leaving_.contains(plugin.topic) && outbox_.IsAllSent(plugin.topic)) LeaveForDrain(plugin);
  });
  const std::size_t undelivered = outbox_.answers();
  if (!all_left || (undelivered > 0 && !drain_is_late_)) return;
  scheduler_.Cancel(std::exchange(drain_timer_, base::Scheduler::kNoTimer));
  // Not from inside whatever just became idle.
  scheduler_.After(absl::ZeroDuration(),
                   [done = std::exchange(drained_, nullptr), undelivered] { done(undelivered); });
}

void Router::LeaveForDrain(const Plugin& plugin) {
  (void)ATOMEMO_INVARIANT(draining_ && !left_.contains(plugin.topic));
  leaving_.insert(plugin.topic);
  outbox_.Leave(plugin.topic);
  hub_.Leave(plugin.topic);
}

void Router::OnTopicLeft(absl::string_view topic, bool handled) {
  if (leaving_.erase(topic) == 0) return;
  outbox_.OnLeft(topic, handled);
  const Plugin* const plugin = publications_.Find(topic);
  // Towards the end of the time, what came meanwhile is left to the journal: another join would
  // only bring more.
  const bool joins_again = outbox_.HasAnswersFor(topic) && !(handled && drain_is_late_);
  if (plugin != nullptr && joins_again) {
    hub_.Announce({plugin->topic, plugin->mode, plugin->definition_json()});
  } else {
    left_.insert(std::string(topic));
  }
  FinishDrainIfIdle();
}

}  // namespace atomemo::router
