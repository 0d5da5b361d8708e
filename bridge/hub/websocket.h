#ifndef ATOMEMO_BRIDGE_HUB_WEBSOCKET_H_
#define ATOMEMO_BRIDGE_HUB_WEBSOCKET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::hub {

// WebSocket close codes (RFC 6455, 7.4) that matter here.
inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseGoingAway = 1001;
inline constexpr std::uint16_t kCloseProtocolError = 1002;
inline constexpr std::uint16_t kCloseUnsupported = 1003;
inline constexpr std::uint16_t kCloseAbnormal = 1006;
inline constexpr std::uint16_t kCloseInvalidText = 1007;
inline constexpr std::uint16_t kCloseTooBig = 1009;
inline constexpr std::uint16_t kCloseInternalError = 1011;
inline constexpr std::uint16_t kCloseServiceRestart = 1012;

// What the end of an attempt tells about the scheme of its URL.
enum class SchemeHint {
  kNone,
  kMaybeTls,   // ws:// where the peer may expect wss://
  kMaybePlain  // wss:// where the peer may expect ws://
};

// How a connection, or the attempt to make one, ended.
struct WebSocketClosed {
  // The upgrade succeeded before.
  bool was_open = false;
  // The status of a refused upgrade; 0 if no HTTP answer came.
  int http_status = 0;
  // The close code; kCloseAbnormal without a closing handshake.
  std::uint16_t code = kCloseAbnormal;
  // The code is the bridge's own: it could not take what the hub sent, or was asked to close.
  bool by_bridge = false;
  // Why, for a person. Contains no URL. Empty if the hub closed it and gave but a code.
  std::string reason;
  // What was connected to, such as "10.0.0.1:443"; empty if nothing was. Not part of the reason,
  // since it may be another address each time.
  std::string peer;
  SchemeHint scheme_hint = SchemeHint::kNone;
  // Of a refused upgrade: its Location, empty if it has none (it may hold secrets), and how long to
  // stay away.
  std::string location;
  std::optional<absl::Duration> retry_after;
};

// A WebSocket client: text messages over one connection at a time, which may be made again and
// again. Lives on the io thread, which also runs the callbacks; a callback never runs inside a call
// of this interface, except that callbacks may call it. Must not be destroyed inside a callback.
class WebSocketTransport {
 public:
  struct Callbacks {
    std::function<void()> on_open;
    // One whole text message, of any encoding.
    std::function<void(std::string)> on_message;
    // Once for every Connect that was not followed by Drop or another Connect.
    std::function<void(const WebSocketClosed&)> on_close;
  };

  virtual ~WebSocketTransport() = default;

  // Once, before all else.
  virtual void SetCallbacks(Callbacks callbacks) = 0;

  // Starts a connection to a normalised ws:// or wss:// URL; drops the one before. Nothing is
  // reported of that one any more.
  virtual void Connect(const std::string& url) = 0;

  // Queues a message. UNAVAILABLE unless the connection is open.
  virtual absl::Status Send(absl::string_view text) = 0;

  // Closes with a closing handshake after what was queued; on_close follows within seconds. While
  // still connecting: gives up the attempt, on_close follows.
  virtual void Close(std::uint16_t code) = 0;

  // Closes at once, whatever was queued; no callback follows.
  virtual void Drop() = 0;

  // What the open connection goes to, such as "10.0.0.1:443".
  virtual std::string peer() const { return ""; }

  // What was queued and not yet given to the operating system, in bytes.
  virtual std::size_t buffered_amount() const = 0;

  // Whether further messages are read from the network; true for every new connection. What was
  // read before may still come.
  virtual void SetReading(bool reading) = 0;
};

using WebSocketTransportFactory = std::function<std::unique_ptr<WebSocketTransport>()>;

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_WEBSOCKET_H_
