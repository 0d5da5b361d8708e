#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_RAW_WEBSOCKET_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_RAW_WEBSOCKET_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/logger/stub.hpp>

namespace atomemo::benchmark {

// websocketpp as it comes, but silent.
struct RawConfig : public websocketpp::config::asio_client {
  using type = RawConfig;
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;
  struct transport_config : public websocketpp::config::asio_client::transport_config {
    using alog_type = websocketpp::log::stub;
    using elog_type = websocketpp::log::stub;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

// Sockets to a load hub, each for one topic that is called without Phoenix.
class RawWebSockets {
 public:
  using Client = websocketpp::client<RawConfig>;
  using Socket = Client::connection_ptr;
  using OnText = std::function<void(Socket& socket, const std::string& text)>;

  explicit RawWebSockets(std::string port) : port_(std::move(port)) {
    client_.init_asio();
    client_.start_perpetual();
    client_.set_max_message_size(kMaxMessageBytes);
  }

  // Any thread. The socket can be used once `on_text` was called.
  void Connect(const std::string& topic, const OnText& on_text) {
    client_.get_io_service().post([this, topic, on_text] { ConnectNow(topic, on_text); });
  }

  static void Send(Socket& socket, const std::string& text) {
    socket->send(text, websocketpp::frame::opcode::text);
  }

  void Run() { client_.run(); }

 private:
  static constexpr std::size_t kMaxMessageBytes = 64 << 20;

  void ConnectNow(const std::string& topic, const OnText& on_text) {
    websocketpp::lib::error_code error;
    const Socket socket =
        client_.get_connection("ws://127.0.0.1:" + port_ + "/raw/" + topic, error);
    socket->set_open_handler([weak = std::weak_ptr(socket)](auto) {
      weak.lock()->get_raw_socket().set_option(asio::ip::tcp::no_delay(true));
    });
    socket->set_message_handler(
        [weak = std::weak_ptr(socket), on_text](auto, const Client::message_ptr& message) {
          Socket self = weak.lock();
          on_text(self, message->get_payload());
        });
    client_.connect(socket);
  }

  const std::string port_;
  Client client_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_RAW_WEBSOCKET_H_
