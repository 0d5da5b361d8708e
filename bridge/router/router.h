#ifndef ATOMEMO_BRIDGE_ROUTER_ROUTER_H_
#define ATOMEMO_BRIDGE_ROUTER_ROUTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "bridge/base/log.h"
#include "bridge/base/log_throttle.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/call_table.h"
#include "bridge/router/dispatcher.h"
#include "bridge/router/hub_requests.h"
#include "bridge/router/options.h"
#include "bridge/router/outbox.h"
#include "bridge/router/ports.h"
#include "bridge/router/publications.h"
#include "bridge/router/recovered_calls.h"
#include "bridge/router/refused_definitions.h"
#include "bridge/router/session.h"

namespace atomemo::router {

// The bridge's heart: takes the hub's calls to plugin workers and their answers back, each call
// exactly once.
//
// Calls come in through HubListener, workers and their replies through PluginPort. The parts:
// Publications (which plugins are known), CallTable (every call, and what its steps mean),
// Dispatcher (calls until they are answered), Outbox (answers until the hub has them),
// RecoveredCalls (what an earlier bridge left), HubRequests (plugins' calls to the hub).
//
// Lives on the io thread. `hub` must not call back from inside its methods. Sinks must not either.
class Router : public HubListener, public PluginPort, public StatusPort {
 public:
  // `journal` may be null: then a bridge that is killed forgets its calls.
  Router(HubPort& hub, base::Scheduler& scheduler, RouterOptions options,
         CallJournal* journal = nullptr);
  ~Router() override;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Takes over the calls that an earlier bridge left. Once, before all else.
  void Recover(std::vector<JournaledCall> calls);

  // Stops serving: new calls and sessions are refused with errors that invite to try again, calls
  // in flight may finish within `timeout` (then they fail), answers get until then to be delivered.
  // `done` is called once, with the number of answers that the hub may not have. Topics stay joined
  // until then.
  void Drain(absl::Duration timeout, std::function<void(std::size_t undelivered)> done);

  const RouterCounters& counters() const { return calls_.counters(); }
  const Outbox& outbox() const { return outbox_; }
  const CallTable& calls() const { return calls_; }

  // HubListener
  void OnTopicState(absl::string_view topic, pb::HubState state) override;
  void OnTopicLost(absl::string_view topic, const HubLoss& loss) override;
  void OnTopicLeft(absl::string_view topic, bool handled) override;
  void OnWritable() override;
  void OnProven(HubPosition upto) override;
  void OnHubCall(absl::string_view topic, HubCall call) override;
  void OnBadHubCall(absl::string_view topic, absl::string_view event, absl::string_view request_id,
                    const absl::Status& error) override;
  void OnHubReply(absl::string_view topic, absl::string_view request_id,
                  absl::StatusOr<std::string> outcome) override;

  // PluginPort
  absl::StatusOr<std::string> OpenSession(SessionSpec spec,
                                          std::shared_ptr<SessionSink> sink) override;
  absl::Status CheckUnpublished(absl::string_view session_id) const override;
  void DefinitionRefused(const std::string& plugin, std::optional<std::int32_t> pid,
                         const absl::Status& why) override;
  void Publish(absl::string_view session_id, Publication publication,
               std::function<void(absl::StatusOr<Published>)> done) override;
  absl::Status Subscribe(absl::string_view session_id, CallKind kind, std::int32_t max_in_flight,
                         std::shared_ptr<CallSink> sink) override;
  absl::Status DrainSession(absl::string_view session_id) override;
  void Unsubscribe(absl::string_view session_id, CallKind kind) override;
  void Reply(absl::string_view session_id, PluginReply reply) override;
  void Fail(absl::string_view session_id, CallKind kind, absl::string_view request_id,
            pb::PluginError error) override;
  void CloseSession(absl::string_view session_id, absl::string_view reason) override;
  void CallHub(absl::string_view session_id, absl::string_view event, std::string data_json,
               std::optional<absl::Duration> timeout,
               std::function<void(absl::StatusOr<std::string>)> done) override;

  // StatusPort
  admin::v1::GetStatusResponse Status() const override;

 private:
  friend class RouterAudit;  // of the tests: looks, and touches nothing

  Session* FindSession(absl::string_view session_id);
  // For the lines that tell of the plugin's sessions.
  base::LogLevel SessionLevel(absl::string_view name) const;
  absl::Status CheckOwner(const SessionSpec& spec, const std::string& name) const;

  // True if the call was seen before; then all is done for it.
  bool HandleRepeated(Plugin& plugin, absl::string_view event, absl::string_view request_id);

  // What an answer is not needed for, but its log line.
  struct Answerer {
    // Who answered; null: the bridge itself.
    const Session* session = nullptr;
    // The process that had the call.
    std::optional<std::int32_t> pid;
    // The error's message for log and journal, if its own quotes what a plugin wrote.
    absl::string_view reason;
  };
  // Gives a call its terminal answer, and sends that.
  void Answer(LiveCall& call, HubAnswer answer, const Answerer& who);
  // The bridge's own.
  void Fail(LiveCall& call, pb::PluginError error);
  // The answer leaves once and is not kept: the call came while too much was under way.
  void Refuse(absl::string_view topic, HubAnswer answer);
  // Why no further answer can be kept: a bound is reached, which the error names.
  std::optional<pb::PluginError> OutboxOverload(const Plugin& plugin) const;

  // The hub cannot take the answer: an error takes its place.
  void ReplaceRefused(LiveCall& call, const HubLoss& loss);
  void OnSettled(const LiveCall& call);

  // Answers a call with what a session replied.
  void AnswerReplied(Session& session, LiveCall& call, absl::StatusOr<CallOutcome> outcome);
  // What a reply of this session answers, if it can be known.
  std::optional<CallKind> KindOfReply(const Session& session, const PluginReply& reply) const;
  // Whether the call's answer may be what the session replies: as far as can be told, its worker
  // gave it, in this session or in one before.
  bool IsOwnAnswer(const LiveCall& call, const Session& session);
  // A reply to a call that is not in flight.
  void HandleUnexpectedReply(Session& session, Plugin& plugin, PluginReply reply);
  // Tells the session on a stream of that kind, or on any, that its answer cannot be used.
  static void Reject(Session& session, std::optional<CallKind> kind, absl::string_view request_id,
                     absl::string_view why);
  // Keeps a reply that cannot be taken yet, and takes what was kept.
  void Park(Session& session, PluginReply reply);
  // At most `left`, which becomes what is left of it.
  void RetryParked(Session& session, std::size_t& left);
  // Those of all sessions whose replies can be taken; what is too much for a turn, later.
  void RetryParkedPublished();
  void RetryParkedLater(std::size_t left);
  void ConfirmDelivered(const std::string& session_id, std::string request_id);
  void SendConfirmations();
  void FinishIfIdle(Session& session);
  void FinishDrainIfIdle();
  void OnHubsVerdict(const Plugin& plugin, const pb::HubState& state,
                     const std::vector<Session*>& refused_candidates);
  void OnPublished(const Publications::Change& change);
  void LeaveForDrain(Plugin& plugin);

  // Constant after construction.
  HubPort& hub_;
  base::Scheduler& scheduler_;
  const RouterOptions options_;

  base::LogThrottle refused_log_;
  RefusedDefinitions refused_definitions_;
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_set<std::string> parked_sessions_;
  std::size_t parked_bytes_ = 0;  // of all of them
  base::Scheduler::TimerId parked_timer_ = base::Scheduler::kNoTimer;
  Publications publications_;
  // Behind the sessions and plugins, whose lists hold the calls.
  CallTable calls_;
  Outbox outbox_;
  Dispatcher dispatcher_;
  HubRequests hub_requests_;
  RecoveredCalls recovered_;

  // What is delivered, by the session that shall be told.
  absl::flat_hash_map<std::string, std::vector<std::string>> confirmations_;

  bool draining_ = false;
  std::function<void(std::size_t)> drained_;
  // Topics that are being left, or have been, because the bridge shuts down.
  absl::flat_hash_set<std::string> leaving_;
  absl::flat_hash_set<std::string> left_;
  base::Scheduler::TimerId drain_timer_ = base::Scheduler::kNoTimer;
  // The last part of the time for it has begun.
  bool drain_is_late_ = false;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_ROUTER_H_
