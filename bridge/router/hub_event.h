#ifndef ATOMEMO_BRIDGE_ROUTER_HUB_EVENT_H_
#define ATOMEMO_BRIDGE_ROUTER_HUB_EVENT_H_

// What the hub asks of plugins: one row for each of its events. Everything that differs between
// them stands here, and nowhere else in the bridge (docs/adr/0028-one-row-a-hub-event.md).

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/definition/facts.h"

namespace atomemo::router {

struct Timeouts;

// The RPCs that carry calls. A session has credits for each.
enum class CallKind { kAuthenticate, kAuthorizeOAuth2, kInvoke, kListResources, kMapResource };
inline constexpr std::size_t kCallKindCount = 5;

// A member of an event's payload. It becomes the field of the same name in the call's message.
struct PayloadMember {
  enum class Shape {
    kTarget,          // the name of the tool or credential that the call is for
    kMethod,          // the name of one of the tool's methods
    kText,            // must be there
    kOptionalText,    // may be missing or null
    kObject,          // a JsonObject; one that is missing is empty, as at the hub's Elixir plugins
    kOptionalObject,  // a JsonObject
    kCredentials,     // a map of JsonObject, where null is as good as missing
  };
  absl::string_view name;
  Shape shape;
  // The field's number, in the call's message or in the step's in it.
  int field = 0;
  bool is_of_step = false;
};

// An answer's JSON text, or what is wrong with it; `result` is of the type HubEvent::result. See
// payload/answers.h.
// It may be asked once: a text may be taken out of the result.
using AnswerJsonFunction = absl::StatusOr<std::string> (*)(google::protobuf::Message& result);

struct HubEvent {
  // The hub's, for instance "invoke_tool".
  absl::string_view name;

  // ---- The RPC

  CallKind kind = CallKind::kInvoke;
  // Its name, for instance "Invoke".
  absl::string_view rpc;
  // A call and its result (Invocation, InvokeResult), and the messages of the RPC's own stream in
  // which both travel (InvokeCall, InvokeReply), each as an empty one. Never null.
  const google::protobuf::Message* call = nullptr;
  const google::protobuf::Message* result = nullptr;
  const google::protobuf::Message* stream_call = nullptr;
  const google::protobuf::Message* stream_reply = nullptr;
  // A user waits: on Serve it overtakes others.
  bool goes_ahead = false;

  // ---- The call

  std::vector<PayloadMember> members;
  // Fields of the call's message: the one that says which of the RPC's events it is, and the values
  // in its parameters that have a type of their own. 0: none.
  int step_field = 0;
  int typed_values_field = 0;
  // Where a tool has none of its own.
  absl::Duration Timeouts::*timeout = nullptr;
  // A tool may say how long it takes, and that a second run does no harm.
  bool obeys_tool_policy = false;
  // The call is for a credential, not for a tool.
  bool is_for_credential = false;
  // Which methods a tool has, and the definition's word for them; null: the event names none.
  absl::flat_hash_set<std::string> definition::ToolFacts::*methods = nullptr;
  absl::string_view method_word;

  // ---- The answer

  AnswerJsonFunction answer_json = nullptr;
  // A result in which this field is set can be the answer to no other event. 0: none.
  int telling_field = 0;
  // The plugin documentation shows its errors without the `error` object: they have both forms.
  bool has_flat_errors = false;
};

const std::vector<HubEvent>& HubEvents();

// Null for an event that nobody knows.
const HubEvent* FindHubEvent(absl::string_view name);

// The first of the events that the RPC carries: for what they all have.
const HubEvent& EventOf(CallKind kind);
// The event that a result of the RPC's answers, as far as it alone tells: for answers that are
// offered again to a bridge that never saw the call. `told` is what the plugin says it is. Null if
// it cannot be known.
const HubEvent* EventOfResult(CallKind kind, absl::string_view told,
                              const google::protobuf::Message* result);

// The RPC's name, for instance "Invoke".
inline absl::string_view CallKindName(CallKind kind) { return EventOf(kind).rpc; }

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_HUB_EVENT_H_
