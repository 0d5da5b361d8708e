#ifndef ATOMEMO_TESTS_BRIDGE_HUB_WEBSOCKET_TEST_SERVER_H_
#define ATOMEMO_TESTS_BRIDGE_HUB_WEBSOCKET_TEST_SERVER_H_

#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include <websocketpp/config/asio.hpp>
#include <websocketpp/server.hpp>

#include "tests/bridge/hub/test_certificates.h"

namespace atomemo::hub {

// A WebSocket server on a free port of 127.0.0.1, run by the test's io_context.
template <typename Config>
class WebSocketTestServer {
 public:
  using Server = websocketpp::server<Config>;
  using ConnectionPtr = typename Server::connection_ptr;

  explicit WebSocketTestServer(asio::io_context& io) {
    server_.clear_access_channels(websocketpp::log::alevel::all);
    server_.clear_error_channels(websocketpp::log::elevel::all);
    server_.init_asio(&io);
    server_.set_open_handshake_timeout(kHandshakeMilliseconds);
    server_.set_validate_handler([this](auto hdl) {
      const ConnectionPtr connection = server_.get_con_from_hdl(hdl);
      resource = connection->get_resource();
      user_agent = connection->get_request_header("User-Agent");
      origin = connection->get_request_header("Origin");
      host = connection->get_request_header("Host");
      if (refuse_with == 0) return true;
      for (const auto& [name, value] : refusal_headers) connection->append_header(name, value);
      connection->set_status(static_cast<websocketpp::http::status_code::value>(refuse_with));
      return false;
    });
    server_.set_open_handler(
        [this](auto hdl) { connections.push_back(server_.get_con_from_hdl(hdl)); });
    server_.set_message_handler(
        [this](auto, auto message) { received.push_back(message->get_payload()); });
    server_.set_pong_handler(
        [this](auto, const std::string& payload) { pongs.push_back(payload); });
    server_.set_close_handler([this](auto hdl) {
      close_codes.push_back(server_.get_con_from_hdl(hdl)->get_remote_close_code());
    });
  }

  // After UseCertificate, where there is TLS.
  void Listen(const asio::ip::address& address = asio::ip::address_v4::loopback()) {
    server_.set_reuse_addr(true);
    server_.listen(asio::ip::tcp::endpoint(address, 0));
    server_.start_accept();
  }

  void UseCertificate(const TestCertificates& certificates) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->use_certificate_chain(asio::buffer(certificates.server));
    context->use_private_key(asio::buffer(certificates.server_key), asio::ssl::context::pem);
    server_.set_tls_init_handler([context](auto) { return context; });
  }

  // Stops listening and lets go of what is open.
  void Stop() {
    websocketpp::lib::error_code ignored;
    server_.stop_listening(ignored);
    for (const ConnectionPtr& connection : connections) {
      asio::error_code closed;
      connection->get_raw_socket().close(closed);
    }
  }

  int port() {
    asio::error_code error;
    return server_.get_local_endpoint(error).port();
  }

  // What the clients showed.
  std::string resource, user_agent, origin, host;
  std::vector<ConnectionPtr> connections;
  std::vector<std::string> received;
  std::vector<std::string> pongs;
  std::vector<int> close_codes;
  // The HTTP status to refuse upgrades with; 0 accepts them.
  int refuse_with = 0;
  std::map<std::string, std::string> refusal_headers;

 private:
  // How long a client may take for its request.
  static constexpr long kHandshakeMilliseconds = 500;

  Server server_;
};

using PlainTestServer = WebSocketTestServer<websocketpp::config::asio>;
using TlsTestServer = WebSocketTestServer<websocketpp::config::asio_tls>;

}  // namespace atomemo::hub

#endif  // ATOMEMO_TESTS_BRIDGE_HUB_WEBSOCKET_TEST_SERVER_H_
