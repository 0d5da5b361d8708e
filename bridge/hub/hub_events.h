#ifndef ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_
#define ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_

// The hub's events and payloads, as the router's types and back. Pure.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/router/call.h"

namespace atomemo::hub {

// Decodes a call from the hub; `payload` is valid JSON. All JSON in the result is in the `json`
// encoding, cut out of the payload as it stands there; members that the event does not define are
// in CallInfo.extra_fields. Invocation.typed_values and the like are left empty.
//
// UNIMPLEMENTED for an event that nobody knows. INVALID_ARGUMENT names the member that is missing
// or of the wrong type, and quotes no value.
absl::StatusOr<router::HubCall> DecodeCall(absl::string_view event, absl::string_view payload);

// The payload's request_id; empty if it has none. For what DecodeCall refused.
std::string RequestIdOf(absl::string_view payload);

// What is pushed to the hub.
struct HubMessage {
  std::string event;
  std::string payload;
};

// `{event}_response`, `{event}_error` or `unsupported_event`. Never fails: details that are not
// valid JSON are left out.
HubMessage EncodeAnswer(const router::HubAnswer& answer);

// `hub_call:{event}`.
HubMessage EncodeRequest(absl::string_view event, absl::string_view request_id,
                         absl::string_view data_json);

// The error object that the hub answered with, whatever its shape, as ABORTED with a pb::HubError
// (see router::SetHubError). `error` is valid JSON.
absl::Status HubErrorStatus(absl::string_view error);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_
