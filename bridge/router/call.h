#ifndef ATOMEMO_BRIDGE_ROUTER_CALL_H_
#define ATOMEMO_BRIDGE_ROUTER_CALL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/payload.pb.h"
#include "bridge/router/hub_event.h"

namespace atomemo::router {

namespace pb = ::atomemo::plugin::v1;

// A call's message for the plugin in protobuf's wire format, of the type HubEvent::call. All JSON
// in it is in the `json` encoding, and stands where the hub's frame is: nothing is copied by
// copying this.
struct CallBody {
  // Of its CallInfo, all but `time_left`.
  absl::Cord info;
  // All its other fields.
  absl::Cord fields;

  std::size_t size() const { return info.size() + fields.size(); }

  // What it keeps in memory: all of the frame's payload, if it refers to a part of that. In bytes.
  std::size_t kept = 0;
};

// A call from the hub, cut.
struct HubCall {
  const HubEvent* event = nullptr;
  std::string request_id;
  // The tool or credential that it is for, and the tool's method, where there is one.
  std::string target;
  std::string method;
  CallBody body;
};

// A call on its way to a worker.
struct CallForWorker {
  const HubEvent& event;
  const std::string& request_id;
  const CallBody& body;
  // Until its answer is due.
  absl::Duration time_left;
};

// What a call ends with: the text of one JSON value, valid, or an error.
using CallOutcome = std::variant<std::string, pb::PluginError>;

// What a plugin has replied.
struct PluginReply {
  std::string request_id;
  // Of which RPC it is an answer; nothing if it does not tell.
  std::optional<CallKind> kind;
  // The hub's event, if the plugin says it.
  std::string event;
  // In bytes, of everything in it.
  std::size_t size = 0;
  // What the hub gets for it, as the answer to this event, which is of `kind`. INVALID_ARGUMENT
  // with violations (see GetViolations) for what the hub would not understand. To be asked once.
  std::function<absl::StatusOr<CallOutcome>(const HubEvent& event)> outcome;
};

// A reply that is an error.
PluginReply FailedReply(std::string request_id, pb::PluginError error);

// The terminal answer to one hub call.
struct HubAnswer {
  // The call's event, for instance "invoke_tool".
  std::string event;
  std::string request_id;
  CallOutcome outcome;
  // The hub sent an event that nobody knows: the answer's event is "unsupported_event".
  bool unsupported = false;

  bool ok() const { return outcome.index() == 0; }
  // An estimate of what the answer occupies, in bytes.
  std::size_t size() const;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_CALL_H_
