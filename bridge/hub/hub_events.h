#ifndef ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_
#define ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_

// The hub's events and payloads, as the router's types and back. Pure.

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/router/call.h"
#include "bridge/router/wire_format.h"

namespace atomemo::hub {

// Decodes a call from the hub; `payload` is valid JSON. The JSON in the result stands where it is;
// members that the event does not define are in CallInfo.extra_fields.
//
// `places`: the payload's members, if it was read before.
//
// UNIMPLEMENTED for an event that nobody knows. INVALID_ARGUMENT names the member that is missing
// or of the wrong type, and quotes no value.
absl::StatusOr<router::HubCall> DecodeCall(
    absl::string_view event, const router::SharedText& payload,
    const std::vector<base::JsonMembers::Place>& places = {});

// The payload's request_id; empty if it has none. For what DecodeCall refused.
std::string RequestIdOf(absl::string_view payload);

// The hub's answer to a plugin's call, as in router::HubListener::OnHubReply.
struct HubReply {
  std::string request_id;
  absl::StatusOr<std::string> outcome;
};

// A call that cannot be decoded; `error` as of DecodeCall.
struct BadCall {
  std::string request_id;  // empty if it has none
  absl::Status error;
  // The text of a request_id that is no string, such as 7; empty if it has none.
  std::string odd_request_id = {};
};

// What an event that is not Phoenix's own says. Reading it takes as long as its payload is, which
// may be gone then.
using EventContent = std::variant<router::HubCall, HubReply, BadCall>;
EventContent ReadEvent(PhoenixFrame& frame);

// A frame from the hub, and what its event says if that was read already: then its payload is gone.
struct ReceivedFrame : PhoenixFrame {
  ReceivedFrame() = default;
  ReceivedFrame(PhoenixFrame frame)  // NOLINT(google-explicit-constructor): it is one
      : PhoenixFrame(std::move(frame)) {}

  std::unique_ptr<EventContent> read;
};

// Reads a whole message, its event included. For messages that are too large for the io thread. Of
// a reply (`phx_reply`) with more than 1 MiB only the status is left.
absl::StatusOr<ReceivedFrame> ReadInFull(absl::string_view text);

// What calls are told apart by is copied and remembered: a longer request_id is answered at once
// with an error, and remembered nowhere. In bytes.
inline constexpr std::size_t kMaxRequestIdBytes = 64 * 1024;
// A longer name of a tool, method or credential is INVALID_ARGUMENT; a longer event is cut where it
// is told of.
inline constexpr std::size_t kMaxNameBytes = 1024;
// So are more credentials: each is a value of its own for everybody who handles the call.
inline constexpr std::size_t kMaxCredentials = 1000;

// What is pushed to the hub. The payload's body, which may be large, is not copied: it is the
// answer's, or the request's.
struct HubMessage {
  std::string event;
  std::string head;
  absl::string_view body;
  absl::string_view tail;

  std::array<absl::string_view, 3> parts() const { return {head, body, tail}; }
  std::size_t payload_size() const { return head.size() + body.size() + tail.size(); }
  std::string payload() const { return absl::StrCat(head, body, tail); }
};

// `{event}_response`, `{event}_error` or `unsupported_event`. Never fails: details that are not
// valid JSON are left out. The answer must outlive the message.
HubMessage EncodeAnswer(const router::HubAnswer& answer);

// The answer to a call whose request_id is no string: `bad.odd_request_id` is repeated as it came.
HubMessage EncodeRefusal(absl::string_view event, const BadCall& bad);

// `hub_call:{event}`.
HubMessage EncodeRequest(absl::string_view event, absl::string_view request_id,
                         absl::string_view data_json);

// The error object that the hub answered with, whatever its shape, as ABORTED with a pb::HubError
// (see router::SetHubError). `error` is valid JSON.
absl::Status HubErrorStatus(absl::string_view error);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HUB_EVENTS_H_
