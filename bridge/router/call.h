#ifndef ATOMEMO_BRIDGE_ROUTER_CALL_H_
#define ATOMEMO_BRIDGE_ROUTER_CALL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::router {

namespace pb = ::atomemo::plugin::v1;

// The five kinds of call stream. The values index CallPayload and the first five alternatives of
// ReplyPayload.
enum class CallKind { kAuthenticate, kAuthorizeOAuth2, kInvoke, kListResources, kMapResource };
inline constexpr std::size_t kCallKindCount = 5;

// The RPC's name, for instance "Invoke".
absl::string_view CallKindName(CallKind kind);

// A call as the plugin gets it. All JSON in it is in the `json` encoding until it is written to a
// session.
using CallPayload = std::variant<pb::Authentication, pb::OAuth2Step, pb::Invocation,
                                 pb::ResourceQuery, pb::MappingQuery>;

// A call from the hub, decoded.
struct HubCall {
  // The hub's event, for instance "invoke_tool"; the answer's event is made of it.
  std::string event;
  CallPayload payload;

  CallKind kind() const { return static_cast<CallKind>(payload.index()); }
  const pb::CallInfo& info() const;
  pb::CallInfo& mutable_info();
  const std::string& request_id() const { return info().request_id(); }
};

// What a plugin sends on a call stream after `subscribe`.
using ReplyPayload = std::variant<pb::AuthenticateResult, pb::OAuth2Result, pb::InvokeResult,
                                  pb::ListResourcesResult, pb::MapResourceResult, pb::CallFailure>;

// Of the hub's event for such calls; nothing for other events.
std::optional<CallKind> KindOfEvent(absl::string_view event);

const std::string& ReplyRequestId(const ReplyPayload& reply);

// What a plugin has replied.
struct PluginReply {
  template <typename Payload,
            typename = std::enable_if_t<std::is_constructible_v<ReplyPayload, Payload>>>
  PluginReply(Payload&& reply)  // NOLINT(google-explicit-constructor): it is one
      : payload(std::forward<Payload>(reply)) {}

  ReplyPayload payload;
  // The answer's JSON text, checked, or what is wrong with it (as of definition::AnswerJson), if it
  // was read already. Then the payload has nothing but its request_id.
  std::optional<absl::StatusOr<std::string>> json;
};

// The terminal answer to one hub call.
struct HubAnswer {
  // The call's event, for instance "invoke_tool".
  std::string event;
  std::string request_id;
  // The text of one JSON value, valid, or the error.
  std::variant<std::string, pb::PluginError> outcome;
  // The hub sent an event that nobody knows: the answer's event is "unsupported_event".
  bool unsupported = false;

  bool ok() const { return outcome.index() == 0; }
  // An estimate of what the answer occupies, in bytes.
  std::size_t size() const;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_CALL_H_
