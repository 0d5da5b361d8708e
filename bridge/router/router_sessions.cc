// The Router's PluginPort: sessions, their definitions, their call streams and replies.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"
#include "bridge/base/random.h"
#include "bridge/definition/text_rules.h"
#include "bridge/payload/answers.h"
#include "bridge/router/errors.h"
#include "bridge/router/router.h"
#include "bridge/router/router_checks.h"

namespace atomemo::router {
namespace {

constexpr std::int32_t kDefaultMaxInFlight = 16;
constexpr std::int32_t kMaxMaxInFlight = 10'000;
constexpr std::size_t kMaxInstanceIdBytes = 128;
// What was parked is taken so many at a time: then it is the others' turn.
constexpr std::size_t kRepliesATurn = 256;

absl::Status UnknownSession() {
  return absl::UnauthenticatedError(
      "no such session: it has ended, or was never opened; call OpenSession first");
}

}  // namespace

base::LogLevel Router::SessionLevel(absl::string_view name) const {
  return refused_definitions_.Contains(name) ? base::LogLevel::kDebug : base::LogLevel::kInfo;
}

Session* Router::FindSession(absl::string_view session_id) {
  const auto session = sessions_.find(session_id);
  return session == sessions_.end() ? nullptr : session->second.get();
}

absl::Status Router::CheckOwner(const SessionSpec& spec, const std::string& name) const {
  const auto token = options_.plugin_tokens.find(name);
  if (token != options_.plugin_tokens.end()) {
    if (token->second == spec.token) return absl::OkStatus();
    return absl::PermissionDeniedError(
        absl::StrCat("the plugin name \"", name,
                     "\" is protected by a token, and the session did not present it"));
  }
  for (const auto& [id, other] : sessions_) {
    if (other->name == name && other->spec.peer_uid != spec.peer_uid) {
      return absl::PermissionDeniedError(
          absl::StrCat("the plugin name \"", name, "\" is in use by another user's process"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Router::OpenSession(SessionSpec spec,
                                                std::shared_ptr<SessionSink> sink) {
  if (draining_) return absl::UnavailableError("the bridge is shutting down");
  if (sessions_.size() >= options_.limits.max_sessions) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "too many sessions (", options_.limits.max_sessions, ", set by --max-sessions)"));
  }
  auto session = std::make_unique<Session>();
  session->name = spec.name;
  session->version = spec.version;
  session->mode = spec.mode.value_or(options_.default_mode);
  if (session->mode == HubMode::kRelease && session->version.empty()) {
    return absl::InvalidArgumentError(
        "a plugin in release mode needs a version: the hub knows it by name and version");
  }
  if (const auto complaint = session->mode == HubMode::kRelease
                                 ? definition::CheckVersion(session->version)
                                 : std::nullopt) {
    pb::DefinitionViolations violations;
    pb::DefinitionViolation& violation = *violations.add_violations();
    violation.set_path("version");
    violation.set_message(absl::StrCat("expected a version such as 1.0.0: ", *complaint));
    absl::Status status = absl::InvalidArgumentError(
        "a plugin in release mode needs a version that the hub's topic can be made of");
    SetViolations(status, violations);
    return status;
  }
  if (spec.instance_id.size() > kMaxInstanceIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the instance_id has ", spec.instance_id.size(),
                                                   " bytes, and may have ", kMaxInstanceIdBytes));
  }
  if (absl::Status owner = CheckOwner(spec, session->name); !owner.ok()) return owner;

  session->id = base::RandomId();
  session->spec = std::move(spec);
  session->sink = std::move(sink);
  // A plugin that is refused tries again and again.
  base::Log(SessionLevel(session->name), "session opened",
            {{"plugin", session->name},
             {"version", session->version},
             {"pid", session->spec.peer_pid},
             {"client", session->spec.client}});
  std::string id = session->id;
  sessions_.emplace(id, std::move(session));
  return id;
}

absl::Status Router::CheckUnpublished(absl::string_view session_id) const {
  const auto session = sessions_.find(session_id);
  if (session == sessions_.end()) return UnknownSession();
  if (!session->second->has_published) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the session has been published already: open a new session to publish a changed definition");
}

void Router::DefinitionRefused(const std::string& plugin, std::optional<std::int32_t> pid,
                               const absl::Status& why) {
  refused_definitions_.Add(plugin, pid, why);
}

void Router::Publish(absl::string_view session_id, Publication publication,
                     std::function<void(absl::StatusOr<Published>)> done) {
  if (absl::Status status = CheckUnpublished(session_id); !status.ok()) return done(status);
  if (draining_) return done(absl::UnavailableError("the bridge is shutting down"));
  Session* const session = FindSession(session_id);
  absl::StatusOr<Publications::Change> change =
      publications_.Attach(*session, std::move(publication));
  if (!change.ok()) {
    refused_definitions_.Add(session->name, session->spec.peer_pid, change.status());
    return done(change.status());
  }
  session->has_published = true;
  const Plugin* const plugin = session->plugin;
  if (plugin != nullptr && plugin->registered()) {
    done(Published{plugin->topic, definition::ToProto(plugin->definition->warnings)});
  } else {
    session->publish_done = std::move(done);
  }
  const std::string& topic = (plugin != nullptr ? plugin : session->candidate_of)->topic;
  recovered_.PluginKnown(topic);
  recovered_.WorkerReturned(topic, session->id, session->spec.instance_id,
                            std::exchange(session->spec.open_request_ids, {}));
  OnPublished(*change);
}

void Router::OnPublished(const Publications::Change& change) {
  for (Session* old : change.refused) {
    if (old->publish_done == nullptr) continue;
    std::exchange(old->publish_done, nullptr)(
        absl::AbortedError("a further changed definition of the plugin has been published"));
  }
  for (Session* old : change.replaced) {
    dispatcher_.Drain(*old);
    FinishIfIdle(*old);
  }
  for (Session* session : change.attached) {
    Plugin& plugin = *session->plugin;
    base::Log(SessionLevel(session->name), "plugin published",
              {{"topic", plugin.topic},
               {"version", plugin.version},
               {"tools", plugin.tools().size()},
               {"credentials", plugin.credentials().size()},
               {"workers", plugin.workers.size()}});
    if (!session->parked_replies.empty()) {
      std::size_t left = kRepliesATurn;
      RetryParked(*session, left);
      RetryParkedLater(left);
    }
    dispatcher_.WorkerReady(plugin);
  }
}

absl::Status Router::Subscribe(absl::string_view session_id, CallKind kind,
                               std::int32_t max_in_flight, std::shared_ptr<CallSink> sink) {
  Session* const session = FindSession(session_id);
  if (session == nullptr) return UnknownSession();
  if (max_in_flight < 0 || max_in_flight > kMaxMaxInFlight) {
    return absl::InvalidArgumentError(absl::StrCat("max_in_flight is ", max_in_flight,
                                                   ", and must be 1 to ", kMaxMaxInFlight,
                                                   ", or 0 for ", kDefaultMaxInFlight));
  }
  std::optional<CallStream>& stream = session->stream(kind);
  if (stream) {
    return absl::AlreadyExistsError(
        absl::StrCat("the session has a ", CallKindName(kind), " stream open already"));
  }
  stream.emplace();
  session->lost_stream(kind).clear();
  stream->sink = std::move(sink);
  stream->max_in_flight =
      static_cast<std::size_t>(max_in_flight == 0 ? kDefaultMaxInFlight : max_in_flight);
  dispatcher_.TellIfDrained(*session);
  if (session->plugin != nullptr) dispatcher_.WorkerReady(*session->plugin);
  return absl::OkStatus();
}

absl::Status Router::DrainSession(absl::string_view session_id) {
  Session* const session = FindSession(session_id);
  if (session == nullptr) return UnknownSession();
  dispatcher_.Drain(*session);
  return absl::OkStatus();
}

void Router::Unsubscribe(absl::string_view session_id, CallKind kind) {
  Session* const session = FindSession(session_id);
  if (session == nullptr) return;
  const std::optional<CallStream>& stream = session->stream(kind);
  const std::string why = stream ? stream->sink->WhyClosed() : "";
  dispatcher_.StreamClosed(
      *session, kind,
      absl::StrCat("its ", CallKindName(kind), " stream ended", why.empty() ? "" : ": ", why));
  FinishIfIdle(*session);
}

void Router::Reply(absl::string_view session_id, PluginReply reply) {
  Session* const session = FindSession(session_id);
  if (session == nullptr) return;
  if (session->plugin == nullptr) {
    // Of a candidate's replies those count at once that are for calls of an earlier bridge.
    Plugin* const plugin = session->candidate_of;
    const LiveCall* const call =
        plugin == nullptr ? nullptr : calls_.Find(plugin->topic, reply.request_id);
    const bool waits = plugin == nullptr || (call != nullptr && IsActive(call->state));
    if (waits) return Park(*session, std::move(reply));
    return HandleUnexpectedReply(*session, *plugin, std::move(reply));
  }
  reply.kind = KindOfReply(*session, reply);
  LiveCall* const call =
      reply.kind ? dispatcher_.TakeReply(*session, *reply.kind, reply.request_id) : nullptr;
  if (call == nullptr) return HandleUnexpectedReply(*session, *session->plugin, std::move(reply));
  AnswerReplied(*session, *call, reply.outcome(*call->row));
}

void Router::Fail(absl::string_view session_id, CallKind kind, absl::string_view request_id,
                  pb::PluginError error) {
  Session* const session = FindSession(session_id);
  if (session == nullptr || session->plugin == nullptr) return;
  LiveCall* const call = dispatcher_.TakeReply(*session, kind, request_id);
  if (call == nullptr) return;  // It has ended otherwise.
  Plugin& plugin = *call->plugin;
  Fail(*call, std::move(error));
  FinishIfIdle(*session);
  dispatcher_.AfterCall(plugin, kind);
  FinishDrainIfIdle();
}

void Router::AnswerReplied(Session& session, LiveCall& call, absl::StatusOr<CallOutcome> outcome) {
  Plugin& plugin = *call.plugin;
  Session* const worker = call.worker;
  HubAnswer answer{call.event, call.request_id, {}};
  if (outcome.ok()) {
    answer.outcome = *std::move(outcome);
    Answer(call, std::move(answer), {&session, session.spec.peer_pid, ""});
  } else {
    const pb::DefinitionViolations violations =
        GetViolations(outcome.status()).value_or(pb::DefinitionViolations());
    // Answers are taken without a stream, too: those that were parked until Publish.
    if (CallSink* const sink = session.sink_of(call.kind())) {
      sink->Reject(call.request_id,
                   {violations.violations().begin(), violations.violations().end()});
    }
    answer.outcome =
        BridgeError(code::kInvalidReturn, "InvalidReturn", payload::DescribeViolations(violations));
    Answer(call, std::move(answer), {nullptr, session.spec.peer_pid, outcome.status().message()});
  }
  FinishIfIdle(session);
  if (worker != nullptr && worker != &session) FinishIfIdle(*worker);
  dispatcher_.AfterCall(plugin, call.kind());
  FinishDrainIfIdle();
}

std::optional<CallKind> Router::KindOfReply(const Session& session,
                                            const PluginReply& reply) const {
  if (reply.kind) return reply.kind;
  if (const auto kind = dispatcher_.KindOf(session, reply.request_id)) return kind;
  const HubEvent* const event = FindHubEvent(reply.event);
  return event == nullptr ? std::nullopt : std::optional<CallKind>(event->kind);
}

void Router::Reject(Session& session, std::optional<CallKind> kind, absl::string_view request_id,
                    absl::string_view why) {
  CallSink* const sink = kind ? session.sink_of(*kind) : session.any_sink();
  if (sink == nullptr) return;
  pb::DefinitionViolation violation;
  violation.set_message(std::string(why));
  sink->Reject(request_id, {violation});
}

bool Router::IsOwnAnswer(const LiveCall& call, const Session& session) {
  if (call.confirm_to.empty()) return false;
  const Session* const giver = FindSession(call.confirm_to);
  if (giver == nullptr || giver == &session) return true;
  // It is back before the end of its earlier session was noticed.
  return !session.spec.instance_id.empty() && giver->spec.instance_id == session.spec.instance_id;
}

void Router::HandleUnexpectedReply(Session& session, Plugin& plugin, PluginReply reply) {
  const std::string& request_id = reply.request_id;
  const auto reject = [&](absl::string_view why) { Reject(session, reply.kind, request_id, why); };
  if (request_id.empty()) return reject("the answer has no request_id");
  const CallId id = CallIdOf(plugin.topic, request_id);
  LiveCall* call = calls_.Find(id);
  if (call != nullptr && IsActive(call->state)) {
    return reject(absl::StrCat("the call is no ", CallKindName(*reply.kind), " call, and goes on"));
  }
  if (call != nullptr && call->doom != nullptr) {
    // A recovered call that has failed, and whose turn to be told so has not come.
    call->plugin = &plugin;
    Fail(*call, pb::PluginError(*call->doom));
  }
  if (calls_.ids().Contains(id) || (call != nullptr && call->answer != nullptr)) {
    ++calls_.counters().late_answers;
    if (call != nullptr && IsOwnAnswer(*call, session)) {
      call->confirm_to = session.id;  // once it is delivered
    } else {
      ConfirmDelivered(session.id, request_id);
      SendConfirmations();
    }
    return;
  }
  // Never seen: an earlier bridge took the call, and the plugin has finished it since.
  const HubEvent* event = FindHubEvent(reply.event);
  if (event != nullptr && event->kind != reply.kind) event = nullptr;
  if (event == nullptr && reply.kind) event = EventOfResult(*reply.kind, "", nullptr);
  if (event == nullptr && call != nullptr) event = call->row;
  if (event == nullptr) {
    return reject(
        "the call is not known to this bridge, and the answer's `event` does not say what it was");
  }
  const bool is_of_another = reply.kind && event->kind != *reply.kind;
  if (call != nullptr && (is_of_another || call->event != event->name)) {
    return reject(absl::StrCat("the call is a ", call->event, ", and this is no answer to it"));
  }
  if (!outbox_.HasRoom() || !outbox_.HasRoomFor(plugin)) return Park(session, std::move(reply));
  absl::StatusOr<CallOutcome> outcome = reply.outcome(*event);
  if (!outcome.ok()) {
    reject(outcome.status().message());
    if (call == nullptr) return;
    outcome = BridgeError(code::kInvalidReturn, "InvalidReturn", outcome.status().message());
  }
  ++calls_.counters().forwarded_answers;
  if (call == nullptr) call = &calls_.Reopen(plugin, event->name, request_id);
  call->plugin = &plugin;
  call->arrived = scheduler_.Now();
  Answer(*call, {call->event, request_id, *std::move(outcome)},
         {&session, session.spec.peer_pid, ""});
}

void Router::Park(Session& session, PluginReply reply) {
  const RouterLimits& limits = options_.limits;
  const bool too_many = session.parked_replies.size() >= limits.max_parked_answers;
  if (too_many || parked_bytes_ + reply.size > limits.max_parked_bytes) {
    return Reject(
        session, reply.kind, reply.request_id,
        absl::StrCat("the session offers more answers to calls of an earlier bridge than fit (",
                     too_many ? limits.max_parked_answers : limits.max_parked_bytes, ", set by ",
                     too_many ? "--max-parked-answers" : "--max-parked-bytes", ")"));
  }
  session.parked_bytes += reply.size;
  parked_bytes_ += reply.size;
  session.parked_replies.push_back(std::move(reply));
  parked_sessions_.insert(session.id);
}

void Router::RetryParked(Session& session, std::size_t& left) {
  // Those that cannot be taken yet are parked again, behind the others.
  for (std::size_t i = session.parked_replies.size(); i > 0 && left > 0; --i, --left) {
    PluginReply reply = std::move(session.parked_replies.front());
    session.parked_replies.pop_front();
    session.parked_bytes -= reply.size;
    parked_bytes_ -= reply.size;
    Reply(session.id, std::move(reply));
  }
  if (!session.parked_replies.empty()) return;
  parked_sessions_.erase(session.id);
  dispatcher_.TellIfDrained(session);
}

void Router::RetryParkedLater(std::size_t left) {
  if (left > 0 || parked_sessions_.empty() || parked_timer_ != base::Scheduler::kNoTimer) return;
  parked_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
    parked_timer_ = base::Scheduler::kNoTimer;
    RetryParkedPublished();
  });
}

void Router::RetryParkedPublished() {
  if (parked_sessions_.empty()) return;
  std::size_t left = kRepliesATurn;
  const std::vector<std::string> ids(parked_sessions_.begin(), parked_sessions_.end());
  for (const std::string& id : ids) {
    if (left == 0 || !outbox_.HasRoom()) break;
    Session* const session = FindSession(id);
    if (session == nullptr || session->plugin == nullptr) continue;
    if (outbox_.HasRoomFor(*session->plugin)) RetryParked(*session, left);
  }
  RetryParkedLater(left);
}

void Router::FinishIfIdle(Session& session) {
  if (!session.finish_when_idle || session.calls_in_flight() > 0) return;
  session.sink->Finish(*std::exchange(session.finish_when_idle, std::nullopt));
}

void Router::CloseSession(absl::string_view session_id, absl::string_view reason) {
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  const std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);
  parked_sessions_.erase(session->id);
  parked_bytes_ -= session->parked_bytes;
  session->finish_when_idle.reset();
  base::Log(SessionLevel(session->name), "session ended",
            {{"plugin", session->name},
             {"pid", session->spec.peer_pid},
             {"calls_in_flight", session->calls_in_flight()},
             {"reason", reason}});
  if (session->publish_done != nullptr) {
    std::exchange(session->publish_done, nullptr)(absl::CancelledError("the session has ended"));
  }
  publications_.Detach(*session);
  for (std::size_t i = 0; i < kCallKindCount; ++i) {
    const auto kind = static_cast<CallKind>(i);
    if (CallSink* const sink = session->sink_of(kind)) {
      sink->Finish(absl::CancelledError("the session has ended"));
    }
    dispatcher_.StreamClosed(*session, kind, reason);
  }
  recovered_.WorkerLost(session->id, reason);
  hub_requests_.SessionClosed(*session);
  FinishDrainIfIdle();
}

void Router::CallHub(absl::string_view session_id, absl::string_view event, std::string data_json,
                     std::optional<absl::Duration> timeout,
                     std::function<void(absl::StatusOr<std::string>)> done) {
  Session* const session = FindSession(session_id);
  if (session == nullptr) return done(UnknownSession());
  hub_requests_.Start(*session, event, std::move(data_json), timeout, std::move(done));
}

}  // namespace atomemo::router
