#ifndef ATOMEMO_BRIDGE_DEVHUB_WEB_SERVER_H_
#define ATOMEMO_BRIDGE_DEVHUB_WEB_SERVER_H_

#include <asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bridge/devhub/http_message.h"
#include "bridge/devhub/server_socket.h"

namespace atomemo::devhub {

// What the server serves. Called on the io thread.
class WebHandler {
 public:
  virtual ~WebHandler() = default;

  // Judges a request to open a WebSocket: 101 accepts it, any other status refuses it with an empty
  // body.
  virtual int Admit(const HttpRequest& request) = 0;
  // An accepted WebSocket is open. The transport outlives the socket.
  virtual std::unique_ptr<ServerSocket> OnOpen(const HttpRequest& request,
                                               SocketTransport& transport) = 0;
  // The WebSocket has closed; the socket is destroyed after the call.
  virtual void OnClosed(ServerSocket& socket) = 0;
  // Any other request.
  virtual void OnHttp(HttpRequest request, HttpReply reply) = 0;
};

// HTTP and WebSockets on one port, over websocketpp. Checks UTF-8 (1007) and sizes (1009, 413)
// itself. Lives on the thread that runs `io`; io and handler must outlive it.
class WebServer {
 public:
  struct Limits {
    // Of a client's frame with its header, as a stock hub counts.
    std::size_t max_frame_bytes = 8'000'000;
    std::size_t max_body_bytes = 64u << 20;
    // Of all requests whose bodies have not come whole. Looked at ten times a second.
    std::size_t max_unfinished_bytes = 256u << 20;
  };

  WebServer(asio::io_context& io, Limits limits, WebHandler& handler);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  // Listens on `host` (an IP address or a name) and `port` (0: any free one); gives the port.
  absl::StatusOr<std::uint16_t> Listen(const std::string& host, std::uint16_t port);

  // Takes no more connections, drops those that have not asked for anything yet, and closes every
  // WebSocket with 1012, as a restarting hub does. Replies still go out.
  void Shutdown();
  // Drops what is left.
  void AbortAll();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_WEB_SERVER_H_
