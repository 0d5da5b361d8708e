#ifndef ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_TRANSPORT_H_
#define ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_TRANSPORT_H_

#include <asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bridge/hub/host_resolver.h"
#include "bridge/hub/proxy.h"
#include "bridge/hub/websocket.h"

namespace atomemo::hub {

struct WebSocketOptions {
  // "atomemo-bridge/VERSION".
  std::string user_agent;
  // From Connect to the end of the upgrade: name lookup, TCP, TLS and HTTP together.
  absl::Duration connect_timeout = absl::Seconds(10);
  // A larger message from the hub closes the connection with 1009.
  std::size_t max_message_bytes = 64 << 20;
  // To connect through.
  std::optional<Proxy> proxy;
  // PEM certificates that are trusted beside the system's. Optional.
  std::string extra_ca_file;
};

// The WebSocket clients of the process, over websocketpp: one endpoint for plain and one for TLS
// connections. Certificates and host names are always verified.
//
// Lives on the thread that runs the io_context, which must outlive this object; this object must
// outlive the transports it made. Destroy it only after the io_context's run() has returned.
class WebsocketppClient {
 public:
  // INVALID_ARGUMENT if `extra_ca_file` cannot be used.
  static absl::StatusOr<std::unique_ptr<WebsocketppClient>> Create(
      asio::io_context& io, WebSocketOptions options,
      HostResolver::Lookup lookup = HostResolver::SystemLookup);
  ~WebsocketppClient();
  WebsocketppClient(const WebsocketppClient&) = delete;
  WebsocketppClient& operator=(const WebsocketppClient&) = delete;

  std::unique_ptr<WebSocketTransport> NewTransport();

  // The same as a factory. It must not outlive this object.
  WebSocketTransportFactory Factory();

 private:
  struct Endpoints;
  explicit WebsocketppClient(std::shared_ptr<Endpoints> endpoints);

  std::shared_ptr<Endpoints> endpoints_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_TRANSPORT_H_
