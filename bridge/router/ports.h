#ifndef ATOMEMO_BRIDGE_ROUTER_PORTS_H_
#define ATOMEMO_BRIDGE_ROUTER_PORTS_H_

// The router's ports: what it needs of the hub and of plugin sessions, and what it offers them.
// Each is implemented once for real and once as a fake. Everything here is called on the io thread
// only, and nothing here blocks or throws.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/admin/v1/admin_service.pb.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/definition/assemble.h"
#include "bridge/router/call.h"

namespace atomemo::router {

// ---- The hub, as the router sees it (implemented in bridge/hub)

enum class HubMode { kDebug, kRelease };

// "debug_plugin:{name}" or "release_plugin:{name}__release__{version}".
std::string TopicOf(HubMode mode, absl::string_view name, absl::string_view version);

// What shall be known to the hub under a topic.
struct Announcement {
  std::string topic;
  HubMode mode = HubMode::kDebug;
  // The whole definition as JSON text, sent in debug mode. Shared: it may be large and is sent
  // again after every rejoin.
  std::shared_ptr<const std::string> definition_json;
};

// A place in the stream of frames that one socket sent: sockets are numbered over the process's
// life, frames within a socket.
struct HubPosition {
  std::uint64_t socket = 0;
  std::uint64_t sequence = 0;
};

// How a topic that had been joined was lost.
struct HubLoss {
  enum class Cause {
    kOther,    // nothing points to what was sent: a restart, a farewell
    kMute,     // the connection broke off, or was closed, and nothing says why
    kRefused,  // the hub's channel crashed or was closed, or the connection because of a frame
  };
  Cause cause = Cause::kOther;
  // All topics of the connection were lost with it, of which there were others.
  bool shared = false;
  // The WebSocket's close code; 0 when only the topic was lost.
  int close_code = 0;
  std::string reason;
};

// A plugin's call to the hub.
struct HubRequest {
  std::string request_id;
  // Without its "hub_call:".
  std::string event;
  // The text of a valid JSON object.
  std::string data_json;
};

class HubPort {
 public:
  virtual ~HubPort() = default;

  // Joins the topic, registers in debug mode, and keeps it so through every loss of connection
  // until Withdraw. Announcing a topic again with another definition registers that one; with the
  // same one, asks the hub once more if it refused that, and else does nothing.
  virtual void Announce(Announcement announcement) = 0;

  // Leaves the topic and forgets it.
  virtual void Withdraw(absl::string_view topic) = 0;

  // Whether what is pushed on the topic goes out: it is joined, and was registered since. So it is
  // while a changed definition is registered, and when the hub has refused that.
  virtual bool IsUp(absl::string_view topic) const = 0;

  // Sends an answer. Nothing if the topic is not joined and registered now, or the socket's send
  // buffer is full: the caller keeps the answer and tries again on the next
  // HubListener::OnTopicState or OnWritable.
  virtual std::optional<HubPosition> Push(absl::string_view topic, const HubAnswer& answer) = 0;

  // Sends the answer to a call that was refused because too much is under way: full send buffers do
  // not count, since the socket is not read meanwhile. False if the topic is not joined.
  virtual bool PushRefusal(absl::string_view topic, const HubAnswer& answer) = 0;

  // Sends a call to the hub; the outcome comes to HubListener::OnHubReply. False under the same
  // conditions as Push.
  virtual bool PushRequest(absl::string_view topic, const HubRequest& request) = 0;

  // Asks the socket that carries `topic` to prove what it sent: a heartbeat goes out now unless one
  // is under way that was sent after the topic's last push (then that one serves). The proof comes
  // to HubListener::OnProven.
  virtual void RequestProof(absl::string_view topic) = 0;

  // The hub closes the connection on a larger frame, so none is ever sent: in the place of a larger
  // answer Push sends an error that names this limit, and a larger PushRequest has the outcome
  // RESOURCE_EXHAUSTED. In bytes, with the frame's envelope (about 200 bytes).
  virtual std::size_t max_frame_bytes() const { return 8'000'000; }

  // Whether the hub can be reached, whatever topics there are.
  virtual admin::v1::HubConnection Connection() const = 0;

  // For whoever looks for an answer that the hub cannot take. Joins again soon, instead of after
  // the usual delay.
  virtual void Hasten(absl::string_view topic) = 0;
  // Gives the topic a connection of its own soon, where that can be had: then what is sent on it
  // harms no other topic. Until Unquarantine.
  virtual void Quarantine(absl::string_view topic) = 0;
  virtual void Unquarantine(absl::string_view topic) = 0;
  // The hub provably did not take this answer, alone. If it was for its size, max_frame_bytes
  // shrinks.
  virtual void LearnFrom(const HubAnswer& refused, const HubLoss& loss) = 0;

  // Leaves the topic without forgetting it. What the hub pushed before it had handled that still
  // comes; then HubListener::OnTopicLeft. Announce joins it again.
  virtual void Leave(absl::string_view topic) = 0;
};

// What the router is told by the hub side (implemented by the router).
class HubListener {
 public:
  virtual ~HubListener() = default;

  // The topic's state changed. Any state but REGISTERED means that the channel is down: what was
  // pushed on it and not proven must be pushed again.
  virtual void OnTopicState(absl::string_view topic, pb::HubState state) = 0;

  // A registered topic is lost; OnTopicState follows.
  virtual void OnTopicLost(absl::string_view topic, const HubLoss& loss) = 0;

  // After HubPort::Leave. `handled`: the hub's channel has come to the leave, and so to every
  // answer that was sent before. Otherwise the connection or the channel was lost before that, or
  // nothing came for long.
  virtual void OnTopicLeft(absl::string_view topic, bool handled) = 0;

  // A socket's send buffer has room again.
  virtual void OnWritable() = 0;

  // The hub has handled every frame of `upto.socket` up to and including `upto.sequence`.
  virtual void OnProven(HubPosition upto) = 0;

  virtual void OnHubCall(absl::string_view topic, HubCall call) = 0;

  // A known event whose payload is unusable (`error` says why), or an event that nobody knows
  // (kUnimplemented). The request_id is not empty.
  virtual void OnBadHubCall(absl::string_view topic, absl::string_view event,
                            absl::string_view request_id, const absl::Status& error) = 0;

  // The outcome of PushRequest: the answer's JSON text, or ABORTED with a pb::HubError as payload
  // (see SetHubError). UNAVAILABLE when the connection was lost before.
  virtual void OnHubReply(absl::string_view topic, absl::string_view request_id,
                          absl::StatusOr<std::string> outcome) = 0;
};

// Attaches to, and reads from, a status the error object that the hub sent.
void SetHubError(absl::Status& status, const pb::HubError& error);
std::optional<pb::HubError> GetHubError(const absl::Status& status);

// Attaches to, and reads from, a status what is wrong with a definition.
void SetViolations(absl::Status& status, const pb::DefinitionViolations& violations);
std::optional<pb::DefinitionViolations> GetViolations(const absl::Status& status);

// ---- Plugin sessions, as the router sees them (implemented in bridge/plugin_service)

// Where a session's events go. After Finish nothing else is sent.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual void Send(pb::SessionEvent event) = 0;
  virtual void Finish(absl::Status status) = 0;
};

// Where the calls of one call stream go. After Finish nothing else is sent.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void Send(const CallForWorker& call) = 0;
  virtual void Cancel(absl::string_view request_id, absl::string_view reason) = 0;
  virtual void Reject(absl::string_view request_id,
                      const std::vector<pb::DefinitionViolation>& violations) = 0;
  // No call will be sent any more.
  virtual void Drained() = 0;
  virtual void Finish(absl::Status status) = 0;
  // Whether what is sent now can still reach the plugin. False as soon as the stream is known to be
  // gone; Unsubscribe may come a little later.
  virtual bool IsOpen() const { return true; }
  // What ended it, for people. Empty while it is open.
  virtual std::string WhyClosed() const { return ""; }
};

// Who opens a session.
struct SessionSpec {
  // The plugin's; the version may be empty.
  std::string name;
  std::string version;
  std::optional<HubMode> mode;
  std::string token;
  std::string client;
  // As in pb::OpenSessionRequest.
  std::string instance_id;
  std::vector<std::string> open_request_ids;
  // How many calls of all kinds but Invoke it takes at once, together.
  std::size_t max_queries = std::numeric_limits<std::size_t>::max();
  // The peer, from the socket; nothing over TCP.
  std::optional<std::uint32_t> peer_uid;
  std::optional<std::int32_t> peer_pid;
};

// What a session publishes, judged.
struct Publication {
  definition::DefinitionPtr definition;
  // Of its tools, by name.
  absl::flat_hash_map<std::string, pb::ToolPolicy> tool_policies;
};

struct Published {
  std::string topic;
  std::vector<pb::DefinitionViolation> warnings;
};

// What the router offers to plugin sessions (implemented by the router).
class PluginPort {
 public:
  virtual ~PluginPort() = default;

  // Answers with the session's id; `sink` has not been used then. The first event, `opened`, is the
  // caller's to send.
  virtual absl::StatusOr<std::string> OpenSession(SessionSpec spec,
                                                  std::shared_ptr<SessionSink> sink) = 0;

  // OK while the session may still define and publish; FAILED_PRECONDITION once it has published.
  virtual absl::Status CheckUnpublished(absl::string_view session_id) const = 0;

  // What a plugin declares was refused for what is wrong with it. Its name is what it says it is.
  virtual void DefinitionRefused(const std::string& plugin, std::optional<std::int32_t> pid,
                                 const absl::Status& why) = 0;

  // `done` is called once: at once for errors, later once the hub accepted or refused. It is also
  // called, with an error, when the session ends.
  virtual void Publish(absl::string_view session_id, Publication publication,
                       std::function<void(absl::StatusOr<Published>)> done) = 0;

  // Opens a call stream. `max_in_flight` as in pb::Subscribe.
  virtual absl::Status Subscribe(absl::string_view session_id, CallKind kind,
                                 std::int32_t max_in_flight, std::shared_ptr<CallSink> sink) = 0;

  // The plugin asks for no further calls on any of its streams; replies may still come.
  virtual absl::Status DrainSession(absl::string_view session_id) = 0;

  // The stream has ended, or the plugin half-closed it: its calls in flight fail. `sink` is not
  // used after this.
  virtual void Unsubscribe(absl::string_view session_id, CallKind kind) = 0;

  virtual void Reply(absl::string_view session_id, PluginReply reply) = 0;

  // Ends a call that could not be sent to the plugin, with an error of the bridge's own.
  virtual void Fail(absl::string_view session_id, CallKind kind, absl::string_view request_id,
                    pb::PluginError error) = 0;

  // Unknown sessions are ignored: the router may have ended it first.
  virtual void CloseSession(absl::string_view session_id, absl::string_view reason) = 0;

  // `done` is called once, with the answer's JSON text. See pb CallHub for the errors.
  virtual void CallHub(absl::string_view session_id, absl::string_view event, std::string data_json,
                       std::optional<absl::Duration> timeout,
                       std::function<void(absl::StatusOr<std::string>)> done) = 0;
};

// ---- What a bridge that is killed leaves to the next one (implemented in bridge/journal)

// Notes what becomes of calls. What is noted survives the end of the process, however sudden.
class CallJournal {
 public:
  virtual ~CallJournal() = default;
  // The hub's call was taken; its answer is due in `time_left`.
  virtual void Accepted(absl::string_view topic, absl::string_view request_id,
                        absl::string_view event, absl::Duration time_left) = 0;
  // A worker is about to get it: from now on it may have run. `instance_id` is the worker's; it may
  // be empty.
  virtual void Started(absl::string_view topic, absl::string_view request_id,
                       absl::string_view instance_id) = 0;
  // The bridge itself has failed it: that is its answer, whatever its worker may say later.
  virtual void Failed(absl::string_view topic, absl::string_view request_id,
                      const pb::PluginError& error) = 0;
  // Nothing is left to do for it. Unknown calls are ignored, here and above.
  virtual void Ended(absl::string_view topic, absl::string_view request_id) = 0;
};

// A call that an earlier bridge accepted and did not end.
struct JournaledCall {
  std::string topic;
  std::string request_id;
  std::string event;
  // Until its answer is due; may be negative.
  absl::Duration time_left;
  // A worker may have run it: the last one with this instance_id, empty if it did not say.
  bool started = false;
  std::string instance_id;
  // Its answer, if that was decided.
  std::optional<pb::PluginError> error;
};

// ---- What the bridge is doing, for operators (implemented by the router)

class StatusPort {
 public:
  virtual ~StatusPort() = default;
  // All but `bridge_version`.
  virtual admin::v1::GetStatusResponse Status() const = 0;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_PORTS_H_
