#include "bridge/hub/closed_reason.h"

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/redact.h"
#include "bridge/hub/hub_url.h"

namespace atomemo::hub {
namespace {

using router::pb::HubState;

constexpr std::size_t kMaxLocationBytes = 500;

HubState MakeState(HubState::State state, absl::string_view reason) {
  HubState made;
  made.set_state(state);
  made.set_reason(base::RedactText(reason));
  return made;
}

std::string MovedTo(const WebSocketClosed& closed) {
  if (closed.location.empty()) {
    return absl::StrCat("the address sends the bridge elsewhere (", closed.reason,
                        ") without saying where: check HUB_WS_URL");
  }
  // A header may have any bytes.
  const std::string location = absl::CHexEscape(
      base::RedactUrl(absl::string_view(closed.location).substr(0, kMaxLocationBytes)));
  const std::string hub = absl::CHexEscape(HubUrlOfSocket(closed.location));
  if (!hub.empty()) {
    return absl::StrCat("the hub has moved (", closed.reason, ") to ", location,
                        ": set HUB_WS_URL to ", hub);
  }
  return absl::StrCat("the address sends the bridge to ", location, " (", closed.reason,
                      "): if the hub is there, set HUB_WS_URL to it; if that is a page to sign in, "
                      "something stands in front of the hub");
}

std::string ExplainHttp(const WebSocketClosed& closed) {
  const int status = closed.http_status;
  if (status >= 300 && status < 400) return MovedTo(closed);
  if (status >= 200 && status < 300) {
    return absl::StrCat("an HTTP server answers (", closed.reason,
                        "), but it speaks no WebSocket at this address: check HUB_WS_URL");
  }
  std::string reason = absl::StrCat("the hub refused the connection (", closed.reason, ")");
  if (status == 404 || status == 405 || status == 426) {
    absl::StrAppend(&reason, ": check HUB_WS_URL");
  }
  if (closed.retry_after) {
    absl::StrAppend(&reason, ": it asks to stay away for ",
                    absl::FormatDuration(*closed.retry_after));
  }
  return reason;
}

// What the hub means by its close code.
absl::string_view WhyByHub(std::uint16_t code) {
  switch (code) {
    case kCloseTooBig:
      return "the hub refused a message of the bridge as too large";
    case kCloseInternalError:
      return "the hub could not read a message of the bridge, or failed by itself";
    case kCloseUnsupported:
    case kCloseInvalidText:
      return "the hub refused a message of the bridge";
    default:
      return "";
  }
}

std::string ExplainLoss(const WebSocketClosed& closed) {
  const absl::string_view why = closed.by_bridge ? "" : WhyByHub(closed.code);
  std::string reason = closed.reason;
  if (reason.empty() && why.empty()) reason = "closed by the hub";
  return absl::StrCat("connection lost: ", why, why.empty() || reason.empty() ? "" : ": ", reason,
                      " (", closed.code, ")");
}

absl::string_view Explain(SchemeHint hint) {
  switch (hint) {
    case SchemeHint::kMaybeTls:
      return "; if it speaks TLS on this port, HUB_WS_URL must begin with wss://";
    case SchemeHint::kMaybePlain:
      return "; if it speaks no TLS on this port, HUB_WS_URL must begin with ws://";
    case SchemeHint::kNone:
      break;
  }
  return "";
}

}  // namespace

bool IsRefusal(const WebSocketClosed& closed) {
  return closed.http_status == 401 || closed.http_status == 403;
}

HubState ExplainClose(const WebSocketClosed& closed, bool uses_api_key) {
  if (IsRefusal(closed) && uses_api_key) {
    return MakeState(
        HubState::STATE_UNAUTHORIZED,
        absl::StrCat("the hub refused the debug API key (HTTP ", closed.http_status,
                     "): it is older than 24 hours or wrong; run `atomemo plugin refresh-key` to "
                     "get a new one"));
  }
  std::string reason;
  if (closed.http_status != 0) {
    reason = ExplainHttp(closed);
  } else if (closed.was_open) {
    reason = ExplainLoss(closed);
  } else {
    reason = absl::StrCat("cannot connect: ", closed.reason);
  }
  return MakeState(HubState::STATE_DISCONNECTED, absl::StrCat(reason, Explain(closed.scheme_hint)));
}

}  // namespace atomemo::hub
