#ifndef ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_CONFIG_H_
#define ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_CONFIG_H_

// The websocketpp clients that websocketpp_transport.cc uses.

#include <asio/ssl/stream_base.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <websocketpp/client.hpp>
#include <websocketpp/config/core_client.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/transport/asio/connection.hpp>
#include <websocketpp/transport/asio/endpoint.hpp>
#include <websocketpp/transport/asio/security/none.hpp>
#include <websocketpp/transport/asio/security/tls.hpp>

namespace atomemo::hub {

// How long a peer may take to answer a close frame and then to close TCP.
inline constexpr long kCloseHandshakeMilliseconds = 2000;

// The library's connection, but that reading can be held up: by its own `pause_reading` a read that
// is under way stays so, and `resume_reading` begins another one into the same buffer.
template <typename Config>
class PausableConnection : public websocketpp::transport::asio::connection<Config> {
 public:
  using Base = websocketpp::transport::asio::connection<Config>;
  using Base::Base;

  // What a read that is under way brings still comes.
  void SetReading(bool reading) {
    reading_ = reading;
    if (reading && held_ != nullptr) std::exchange(held_, nullptr)();
  }

 protected:
  void async_read_at_least(std::size_t least, char* buffer, std::size_t size,
                           websocketpp::transport::read_handler handler) {
    if (reading_) return Base::async_read_at_least(least, buffer, size, std::move(handler));
    held_ = [this, least, buffer, size, handler = std::move(handler)] {
      Base::async_read_at_least(least, buffer, size, handler);
    };
  }

 private:
  bool reading_ = true;
  std::function<void()> held_;
};

// The library's endpoint for sockets that are connected already: it would look up names on a thread
// that the end of the process waits for, and try one address after the other.
template <typename Config>
class ConnectedEndpoint : public websocketpp::transport::asio::endpoint<Config> {
 public:
  using Base = websocketpp::transport::asio::endpoint<Config>;
  using transport_con_type = PausableConnection<Config>;

  void async_connect(typename Base::transport_con_ptr connection, websocketpp::uri_ptr uri,
                     const websocketpp::transport::connect_handler& callback) {
    connection->set_uri(std::move(uri));
    callback({});
  }
};

// The library's TLS connection, which keeps why a handshake failed.
class TlsConnection : public websocketpp::transport::asio::tls_socket::connection {
 public:
  using ptr = std::shared_ptr<TlsConnection>;

  const asio::error_code& handshake_error() const { return handshake_error_; }

 protected:
  void post_init(websocketpp::transport::asio::socket::init_handler callback) {
    using websocketpp::transport::asio::socket::make_error_code;
    get_socket().async_handshake(
        asio::ssl::stream_base::client,
        [this, self = get_shared(), callback = std::move(callback)](const asio::error_code& error) {
          handshake_error_ = error;
          callback(error ? make_error_code(
                               websocketpp::transport::asio::socket::error::tls_handshake_failed)
                         : websocketpp::lib::error_code());
        });
  }

 private:
  asio::error_code handshake_error_;
};

class TlsEndpoint : public websocketpp::transport::asio::tls_socket::endpoint {
 public:
  using type = TlsEndpoint;
  using socket_con_type = TlsConnection;
  using socket_con_ptr = TlsConnection::ptr;
};

// Logs nothing, and leaves the time limits of connecting to the transport: the library has one for
// each step, none for the whole.
template <typename SocketPolicy, bool secure>
struct ClientConfig : public websocketpp::config::core_client {
  static constexpr bool kSecure = secure;
  static constexpr long kStepMilliseconds = 120'000;

  using type = ClientConfig;
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;

  // What is read at once is handled at once: little, so that a socket with a flood of small
  // messages lets the others take their turn.
  static const size_t connection_read_buffer_size = 4096;

  // The body of a refused upgrade is of no use.
  static const size_t max_http_body_size = 64 * 1024;

  struct transport_config : public websocketpp::config::core_client::transport_config {
    using concurrency_type = websocketpp::config::core_client::concurrency_type;
    using request_type = websocketpp::config::core_client::request_type;
    using response_type = websocketpp::config::core_client::response_type;
    using alog_type = websocketpp::log::stub;
    using elog_type = websocketpp::log::stub;
    using socket_type = SocketPolicy;

    static const long timeout_socket_pre_init = kStepMilliseconds;
    static const long timeout_socket_post_init = kStepMilliseconds;
    static const long timeout_socket_shutdown = 1000;
  };

  using transport_type = ConnectedEndpoint<transport_config>;
};

using PlainConfig = ClientConfig<websocketpp::transport::asio::basic_socket::endpoint, false>;
using TlsConfig = ClientConfig<TlsEndpoint, true>;

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_WEBSOCKETPP_CONFIG_H_
