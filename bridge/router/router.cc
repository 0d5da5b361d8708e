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

}  // namespace

Router::Router(HubPort& hub, base::Scheduler& scheduler, RouterOptions options,
               CallJournal* journal)
    : hub_(hub),
      scheduler_(scheduler),
      options_(std::move(options)),
      refused_log_(scheduler),
      refused_definitions_(scheduler),
      publications_(
          hub, scheduler, options_,
          [](const Plugin& plugin) { return plugin.active.calls + plugin.unproven.calls > 0; },
          [this](Plugin& plugin) {
            outbox_.Remove(plugin);
            dispatcher_.Forget(plugin);
          }),
      calls_(scheduler, options_.limits.answered_ids, journal),
      outbox_(hub, scheduler, calls_, options_.limits.outbox,
              {[this](const LiveCall& call) { OnSettled(call); }, [this] { SendConfirmations(); },
               [this] {
                 RetryParkedPublished();
                 FinishDrainIfIdle();
               },
               [this](LiveCall& call, const HubLoss& loss) { ReplaceRefused(call, loss); },
               [this](const LiveCall& call, const HubLoss& loss) {
                 base::LogError("answer given up: the hub takes not even the error in its place",
                                {{"topic", call.topic()},
                                 {"event", call.event},
                                 {"request_id", call.request_id},
                                 {"reason", loss.reason}});
                 OnSettled(call);
                 SendConfirmations();
               }}),
      dispatcher_(scheduler, options_, calls_,
                  [this](LiveCall& call, pb::PluginError error) { Fail(call, std::move(error)); }),
      hub_requests_(hub, scheduler, options_),
      recovered_(scheduler, calls_, options_.worker_grace,
                 [this](LiveCall& call, pb::PluginError error) {
                   call.plugin = publications_.Find(call.topic());
                   if (call.plugin == nullptr) return false;
                   Fail(call, std::move(error));
                   return true;
                 }) {}

Router::~Router() {
  scheduler_.Cancel(drain_timer_);
  scheduler_.Cancel(parked_timer_);
  for (const auto& [id, session] : sessions_) {
    for (const std::optional<CallStream>& stream : session->streams) {
      if (!stream) continue;
      for (const auto& [request_id, timer] : stream->cancelled) scheduler_.Cancel(timer);
    }
  }
}

void Router::Recover(std::vector<JournaledCall> calls) {
  if (calls.empty()) return;
  const auto started = std::count_if(calls.begin(), calls.end(),
                                     [](const JournaledCall& call) { return call.started; });
  base::LogWarning("an earlier bridge was ended with calls in flight: they are taken over",
                   {{"calls", calls.size()}, {"started", started}});
  recovered_.Add(calls);
}

// The topic was lost while the hub was asked about a changed definition. If the hub blames a frame,
// it was that.
absl::Status LostWhileAsked(const Plugin& plugin, const pb::HubState& state) {
  const std::optional<HubLoss>& loss = plugin.lane.loss;
  const std::string what =
      absl::StrCat("the topic was lost while the hub was asked about the changed definition: ",
                   loss && !loss->reason.empty() ? loss->reason : state.reason());
  return loss && loss->cause == HubLoss::Cause::kRefused ? absl::FailedPreconditionError(what)
                                                         : absl::UnavailableError(what);
}

// ---- From the hub

void Router::OnTopicState(absl::string_view topic, pb::HubState state) {
  Plugin* const plugin = publications_.Find(topic);
  if (plugin == nullptr) return;
  const Publications::Change change = publications_.OnTopicState(*plugin, state);
  OnHubsVerdict(*plugin, state, change.refused);
  OnPublished(change);
  // That the hub is asked about a changed definition, or refuses it, does not end the one that
  // runs.
  const bool is_asked = state.state() == pb::HubState::STATE_CONNECTING ||
                        state.state() == pb::HubState::STATE_REJECTED;
  outbox_.SetUp(*plugin,
                state.state() == pb::HubState::STATE_REGISTERED || (is_asked && hub_.IsUp(topic)));
  FinishDrainIfIdle();
}

void Router::OnHubsVerdict(const Plugin& plugin, const pb::HubState& state,
                           const std::vector<Session*>& refused_candidates) {
  const bool is_accepted = state.state() == pb::HubState::STATE_REGISTERED;
  const bool is_rejected = state.state() == pb::HubState::STATE_REJECTED;
  if (!is_accepted && !is_rejected && refused_candidates.empty()) return;
  absl::Status refused = absl::FailedPreconditionError(
      state.reason().empty() ? "the hub refused the plugin" : state.reason());
  if (!is_accepted && !is_rejected) refused = LostWhileAsked(plugin, state);
  pb::DefinitionViolations violations;
  *violations.mutable_violations() = state.violations();
  if (violations.violations_size() > 0) SetViolations(refused, violations);
  // What the hub refused is the candidate, if there was one.
  const std::vector<Session*> sessions =
      refused_candidates.empty() ? plugin.workers : refused_candidates;
  if (is_accepted) {
    if (!plugin.candidate_was_refused) refused_definitions_.Remove(plugin.name);
  } else if (!absl::IsUnavailable(refused)) {
    refused_definitions_.Add(
        plugin.name, sessions.empty() ? std::nullopt : sessions.back()->spec.peer_pid, refused);
  }
  for (Session* session : sessions) {
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
  if (Plugin* const plugin = publications_.Find(topic)) outbox_.OnLost(*plugin, loss);
}

void Router::OnWritable() { outbox_.OnWritable(); }

void Router::OnProven(HubPosition upto) { outbox_.OnProven(upto); }

void Router::OnHubCall(absl::string_view topic, HubCall call) {
  Plugin* const plugin = publications_.Find(topic);
  if (plugin == nullptr) {
    base::LogWarning("call dropped: its topic has just been left",
                     {{"topic", topic}, {"event", call.event->name}});
    return;
  }
  if (HandleRepeated(*plugin, call.event->name, call.request_id)) return;
  ++calls_.counters().calls;
  const std::size_t bytes = std::max(call.body.size(), call.body.kept);
  std::optional<pb::PluginError> overload = OutboxOverload(*plugin);
  if (!overload && !draining_) overload = dispatcher_.Overload(*plugin, bytes);
  if (overload) {
    return Refuse(topic, {std::string(call.event->name), call.request_id, *std::move(overload)});
  }
  const absl::Duration timeout = TimeoutOf(*plugin, call, options_.timeouts);
  LiveCall& live = calls_.Accept(*plugin, call.event->name, call.request_id, timeout, bytes);
  live.target = call.target;
  if (draining_) {
    return Fail(live, BridgeError(code::kShuttingDown, "ShuttingDown",
                                  "the bridge is shutting down: try again"));
  }
  if (std::optional<pb::PluginError> error = CheckCall(*plugin, call)) {
    return Fail(live, *std::move(error));
  }
  const auto policy = plugin->tool_policies.find(call.target);
  live.retry_safe = call.event->obeys_tool_policy && policy != plugin->tool_policies.end() &&
                    policy->second.retry_safe();
  live.body = std::move(call.body);
  dispatcher_.Start(live, timeout);
}

std::optional<pb::PluginError> Router::OutboxOverload(const Plugin& plugin) const {
  if (!outbox_.HasRoom()) {
    return BridgeError(
        code::kOverloaded, "Overloaded",
        absl::StrCat("too many answers wait for the hub (", outbox_.answers(), " answers, ",
                     outbox_.bytes(), " bytes; see --max-outbox-answers and --max-outbox-bytes)"));
  }
  if (!outbox_.HasRoomFor(plugin)) {
    return BridgeError(
        code::kOverloaded, "Overloaded",
        absl::StrCat("too many answers of the plugin wait for the hub (", plugin.unproven.calls,
                     " answers, ", plugin.unproven.bytes,
                     " bytes; see --max-plugin-answers and --max-plugin-answer-bytes)"));
  }
  return std::nullopt;
}

bool Router::HandleRepeated(Plugin& plugin, absl::string_view event, absl::string_view request_id) {
  const CallId id = CallIdOf(plugin.topic, request_id);
  if (LiveCall* const call = calls_.Find(id)) {
    if (call->state == CallState::kRecovered && !call->recovered->started) {
      calls_.Forget(*call);  // it may run: nobody had it
      return false;
    }
    ++calls_.counters().repeated_calls;
    // An answer that went out before the repetition came may have gone to a hub that has restarted
    // since and did not know the call yet.
    if (call->answer != nullptr) outbox_.SendAgain(*call);
    return true;  // else its one answer is on its way, or will be offered
  }
  if (!calls_.ids().Contains(id)) return false;
  ++calls_.counters().repeated_calls;
  std::shared_ptr<const HubAnswer> answer = calls_.ids().AnswerTo(id);
  if (answer == nullptr) {
    answer = std::make_shared<const HubAnswer>(HubAnswer{
        std::string(event), std::string(request_id),
        BridgeError(
            code::kInvalidRequestId, "InvalidRequestId",
            "the call was answered before, and the bridge does not keep the answer any more")});
  }
  if (OutboxOverload(plugin).has_value()) {
    hub_.PushRefusal(plugin.topic, *answer);
    return true;
  }
  calls_.Answer(calls_.Reopen(plugin, event, request_id), std::move(answer));
  outbox_.Flush(plugin);
  return true;
}

void Router::OnBadHubCall(absl::string_view topic, absl::string_view event,
                          absl::string_view request_id, const absl::Status& error) {
  Plugin* const plugin = publications_.Find(topic);
  if (plugin == nullptr || HandleRepeated(*plugin, event, request_id)) return;
  ++calls_.counters().calls;
  HubAnswer answer{std::string(event), std::string(request_id), "", absl::IsUnimplemented(error)};
  if (std::optional<pb::PluginError> overload = OutboxOverload(*plugin)) {
    answer.outcome = *std::move(overload);
    return Refuse(topic, std::move(answer));
  }
  answer.outcome =
      answer.unsupported
          ? BridgeError(code::kMethodNotSupported, "MethodNotSupported", error.message())
          : BridgeError(code::kInvalidParameter, "InvalidParameter", error.message());
  Answer(calls_.Accept(*plugin, event, request_id, kBadCallTimeout), std::move(answer), {});
}

void Router::OnHubReply(absl::string_view topic, absl::string_view request_id,
                        absl::StatusOr<std::string> outcome) {
  hub_requests_.OnReply(topic, request_id, std::move(outcome));
}

// ---- Answers

void Router::Fail(LiveCall& call, pb::PluginError error) {
  Session* const worker = call.worker;
  const HubAnswer answer{call.event, call.request_id, std::move(error)};
  Answer(call, answer, {nullptr, call.worker_pid, ""});
  if (worker != nullptr) FinishIfIdle(*worker);
}

void Router::Refuse(absl::string_view topic, HubAnswer answer) {
  ++calls_.counters().failed;
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

void Router::Answer(LiveCall& call, HubAnswer answer, const Answerer& who) {
  const std::string& topic = call.topic();
  const std::int64_t milliseconds = absl::ToInt64Milliseconds(scheduler_.Now() - call.arrived);
  if (answer.ok()) {
    ++calls_.counters().answered;
    base::LogInfo("call answered", {{"topic", topic},
                                    {"event", call.event},
                                    {"target", call.target},
                                    {"request_id", call.request_id},
                                    {"pid", who.pid},
                                    {"ms", milliseconds}});
  } else {
    ++calls_.counters().failed;
    // The message is the plugin's and may contain anything: only the code is logged. The bridge's
    // own are safe.
    const auto& error = std::get<pb::PluginError>(answer.outcome);
    absl::string_view reason = who.reason;
    if (reason.empty() && who.session == nullptr) reason = error.message();
    if (reason.empty()) reason = "the plugin's own error";
    base::LogWarning("call failed", {{"topic", topic},
                                     {"event", call.event},
                                     {"target", call.target},
                                     {"request_id", call.request_id},
                                     {"pid", who.pid},
                                     {"ms", milliseconds},
                                     {"code", error.code()},
                                     {"reason", reason}});
    if (calls_.journal() != nullptr && who.session == nullptr) {
      pb::PluginError noted = error;
      noted.set_message(std::string(reason));
      calls_.journal()->Failed(topic, call.request_id, noted);
    }
  }
  if (who.session != nullptr) call.confirm_to = who.session->id;
  calls_.Answer(call, std::make_shared<const HubAnswer>(std::move(answer)));
  outbox_.Flush(*call.plugin);
}

void Router::ReplaceRefused(LiveCall& call, const HubLoss& loss) {
  const HubAnswer& answer = *call.answer;
  const std::string message =
      absl::StrCat("each time the hub was sent the answer to this call, of ", answer.size(),
                   " bytes, this happened: ", loss.reason, "; this error takes the answer's place");
  base::LogError("the hub cannot take an answer: an error takes its place",
                 {{"topic", call.topic()},
                  {"event", answer.event},
                  {"request_id", answer.request_id},
                  {"bytes", answer.size()},
                  {"reason", loss.reason}});
  const pb::PluginError error = BridgeError(code::kInvalidReturn, "AnswerRefusedByHub", message);
  if (CallJournal* const journal = calls_.journal()) {
    // Its proof may have ended the call there already.
    journal->Accepted(call.topic(), call.request_id, call.event, kBadCallTimeout);
    journal->Failed(call.topic(), call.request_id, error);
  }
  calls_.Replace(call, std::make_shared<const HubAnswer>(
                           HubAnswer{answer.event, answer.request_id, error, answer.unsupported}));
  Session* const session = FindSession(call.confirm_to);
  CallSink* const sink =
      session != nullptr && call.row != nullptr ? session->sink_of(call.kind()) : nullptr;
  if (sink == nullptr) return;
  pb::DefinitionViolation violation;
  violation.set_message(message);
  sink->Reject(call.request_id, {violation});
}

void Router::OnSettled(const LiveCall& call) {
  if (!call.confirm_to.empty()) ConfirmDelivered(call.confirm_to, call.request_id);
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
  status.set_active_calls(static_cast<std::int64_t>(calls_.active().calls));
  status.set_undelivered_answers(static_cast<std::int64_t>(outbox_.answers()));
  refused_definitions_.FillStatus(status);
  status.set_max_frame_bytes(static_cast<std::int64_t>(hub_.max_frame_bytes()));
  status.set_recovered_calls(static_cast<std::int64_t>(calls_.recovered().size()));
  return status;
}

// ---- Shutdown

void Router::Drain(absl::Duration timeout, std::function<void(std::size_t)> done) {
  draining_ = true;
  publications_.Stop();
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
      const std::size_t undelivered = outbox_.answers() + calls_.active().calls;
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
  if (!drained_ || calls_.active().calls > 0) return;
  bool all_left = true;
  publications_.ForEach([&](Plugin& plugin) {
    if (left_.contains(plugin.topic)) return;
    all_left = false;
    // The channel comes to the leave after every answer that was sent before.
    if (!leaving_.contains(plugin.topic) && outbox_.IsAllSent(plugin)) LeaveForDrain(plugin);
  });
  const std::size_t undelivered = outbox_.answers();
  if (!all_left || (undelivered > 0 && !drain_is_late_)) return;
  scheduler_.Cancel(std::exchange(drain_timer_, base::Scheduler::kNoTimer));
  // Not from inside whatever just became idle.
  scheduler_.After(absl::ZeroDuration(),
                   [done = std::exchange(drained_, nullptr), undelivered] { done(undelivered); });
}

void Router::LeaveForDrain(Plugin& plugin) {
  (void)ATOMEMO_INVARIANT(draining_ && !left_.contains(plugin.topic));
  leaving_.insert(plugin.topic);
  outbox_.Leave(plugin);
  hub_.Leave(plugin.topic);
}

void Router::OnTopicLeft(absl::string_view topic, bool handled) {
  if (leaving_.erase(topic) == 0) return;
  Plugin* const plugin = publications_.Find(topic);
  if (plugin != nullptr) outbox_.OnLeft(*plugin, handled);
  // Towards the end of the time, what came meanwhile is left to the journal: another join would
  // only bring more.
  if (plugin != nullptr && plugin->unproven.calls > 0 && !(handled && drain_is_late_)) {
    hub_.Announce({plugin->topic, plugin->mode, plugin->definition_json()});
  } else {
    left_.insert(std::string(topic));
  }
  FinishDrainIfIdle();
}

}  // namespace atomemo::router
