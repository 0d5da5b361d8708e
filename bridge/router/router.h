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
#include "bridge/router/call_ledger.h"
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

// What the router has done since it was made. All calls end in exactly one of `answered` and
// `failed`.
struct RouterCounters {
  std::uint64_t calls = 0;              // new calls from the hub
  std::uint64_t answered = 0;           // by a plugin, successfully
  std::uint64_t failed = 0;             // by a plugin or the bridge, with an error
  std::uint64_t repeated_calls = 0;     // request_ids that the hub sent again
  std::uint64_t late_answers = 0;       // dropped: the call had its answer already
  std::uint64_t forwarded_answers = 0;  // to calls that an earlier bridge took
  std::uint64_t delivered = 0;          // answers that the hub provably has
};

// The bridge's heart: takes the hub's calls to plugin workers and their answers back, each call
// exactly once.
//
// Calls come in through HubListener, workers and their replies through PluginPort. The parts:
// Publications (which plugins are known), Dispatcher (calls in flight), Outbox and CallLedger
// (answers until the hub has them, and after), HubRequests (plugins' calls to the hub),
// RecoveredCalls (what an earlier bridge left).
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

  const RouterCounters& counters() const { return counters_; }
  const Outbox& outbox() const { return outbox_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }
  const Publications& publications() const { return publications_; }
  std::size_t session_count() const { return sessions_.size(); }

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
  void Reply(absl::string_view session_id, std::optional<CallKind> kind,
             PluginReply reply) override;
  void Fail(absl::string_view session_id, CallKind kind, pb::CallFailure failure) override;
  void CloseSession(absl::string_view session_id, absl::string_view reason) override;
  void CallHub(absl::string_view session_id, absl::string_view event, std::string data_json,
               std::optional<absl::Duration> timeout,
               std::function<void(absl::StatusOr<std::string>)> done) override;

  // StatusPort
  admin::v1::GetStatusResponse Status() const override;

 private:
  using CallKey = std::pair<std::string, std::string>;  // topic, request_id

  Session* FindSession(absl::string_view session_id);
  // For the lines that tell of the plugin's sessions.
  base::LogLevel SessionLevel(absl::string_view name) const;
  absl::Status CheckOwner(const SessionSpec& spec, const std::string& name) const;

  // True if the call was seen before; then all is done for it.
  bool HandleRepeated(absl::string_view topic, absl::string_view event,
                      absl::string_view request_id);
  // A call that a worker got from an earlier bridge, and that must not run again.
  bool IsRecoveredRun(absl::string_view topic, absl::string_view request_id);
  absl::Duration TimeoutOf(const Plugin& plugin, const HubCall& call) const;

  // Gives a call its terminal answer. `session`: who answered; null: the bridge itself. `pid`: of
  // the process that had the call. `reason`: the error's message for log and journal, if its own
  // quotes what a plugin wrote.
  void Answer(absl::string_view topic, HubAnswer answer, const Session* session, absl::Time arrived,
              absl::string_view target, std::optional<std::int32_t> pid,
              absl::string_view reason = "");
  void FailCall(const Plugin& plugin, const HubCall& call, pb::PluginError error);
  // The answer leaves once and is not kept: the call came while too much was under way.
  void Refuse(absl::string_view topic, HubAnswer answer);
  // Why no further answer can be kept: a bound is reached, which the error names.
  std::optional<pb::PluginError> OutboxOverload(absl::string_view topic) const;

  // The hub cannot take the answer: what takes its place.
  std::shared_ptr<const HubAnswer> ReplaceRefused(absl::string_view topic, const HubAnswer& answer,
                                                  const HubLoss& loss);
  void OnSettled(absl::string_view topic, const HubAnswer& answer);

  void NoteAccepted(absl::string_view topic, absl::string_view request_id, absl::string_view event,
                    absl::Duration time_left);

  // A worker was done with the call.
  void OnCallAnswered(Session& session, const ActiveCall& call);
  // What a reply of this session answers, when its stream carries all kinds.
  std::optional<CallKind> KindOfReply(const Session& session, const ReplyPayload& reply) const;
  // A reply to a call that is not in flight.
  void HandleUnexpectedReply(Session& session, std::optional<CallKind> kind, PluginReply reply);
  // Keeps a reply that cannot be taken yet, and takes what was kept.
  void Park(Session& session, std::optional<CallKind> kind, PluginReply reply);
  // At most `left`, which becomes what is left of it.
  void RetryParked(Session& session, std::size_t& left);
  // Those of all sessions whose replies can be taken; what is too much for a turn, later.
  void RetryParkedPublished();
  void RetryParkedLater(std::size_t left);
  void ConfirmDelivered(const std::string& session_id, std::string request_id);
  void SendConfirmations();
  void FinishIfIdle(Session& session);
  void FinishDrainIfIdle();
  void OnHubsVerdict(const Plugin& plugin, const pb::HubState& state);
  void LeaveForDrain(const Plugin& plugin);

  // Constant after construction.
  HubPort& hub_;
  base::Scheduler& scheduler_;
  const RouterOptions options_;
  CallJournal* const journal_;

  base::LogThrottle refused_log_;
  RefusedDefinitions refused_definitions_;
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_set<std::string> parked_sessions_;
  std::size_t parked_bytes_ = 0;  // of all of them
  base::Scheduler::TimerId parked_timer_ = base::Scheduler::kNoTimer;
  CallLedger ledger_;
  Outbox outbox_;
  Dispatcher dispatcher_;
  Publications publications_;
  HubRequests hub_requests_;
  RecoveredCalls recovered_;
  RouterCounters counters_;

  // The session to tell when the hub has an answer; for answers in the outbox.
  absl::flat_hash_map<CallKey, std::string> confirm_to_;
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
