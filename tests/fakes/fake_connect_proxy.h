#ifndef ATOMEMO_TESTS_FAKES_FAKE_CONNECT_PROXY_H_
#define ATOMEMO_TESTS_FAKES_FAKE_CONNECT_PROXY_H_

#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::fakes {

// An HTTP proxy on a free port of 127.0.0.1 that makes tunnels, all of them to one place on this
// machine, whatever host it was asked for. Run by the test's io_context.
class FakeConnectProxy {
 public:
  // Everything goes to `target_port`. 0: nothing listens there.
  FakeConnectProxy(asio::io_context& io, std::uint16_t target_port)
      : target_(asio::ip::address_v4::loopback(), target_port),
        acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
    Accept();
  }
  ~FakeConnectProxy() { Stop(); }

  void Stop() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& tunnel : tunnels_) tunnel->Close();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string url(const std::string& credentials = "") const {
    return absl::StrCat("http://", credentials.empty() ? "" : absl::StrCat(credentials, "@"),
                        "127.0.0.1:", port());
  }

  // Sent in place of a tunnel, unless empty. Then the connection is closed, unless `keeps_silent`.
  std::string answer_with;
  bool keeps_silent = false;
  // The heads of the requests, as they came.
  std::vector<std::string> requests;

 private:
  struct Tunnel : std::enable_shared_from_this<Tunnel> {
    explicit Tunnel(asio::ip::tcp::socket socket)
        : client(std::move(socket)), target(client.get_executor()) {}

    void Close() {
      asio::error_code ignored;
      client.close(ignored);
      target.close(ignored);
    }
    void Pass(asio::ip::tcp::socket& from, asio::ip::tcp::socket& to,
              std::array<char, 4096>& buffer) {
      from.async_read_some(asio::buffer(buffer), [self = shared_from_this(), &from, &to, &buffer](
                                                     const asio::error_code& error,
                                                     std::size_t size) {
        if (error) return self->Close();
        asio::async_write(to, asio::buffer(buffer.data(), size),
                          [self, &from, &to, &buffer](const asio::error_code& failed, std::size_t) {
                            if (failed) return self->Close();
                            self->Pass(from, to, buffer);
                          });
      });
    }

    asio::ip::tcp::socket client;
    asio::ip::tcp::socket target;
    std::string head;
    std::array<char, 4096> up;
    std::array<char, 4096> down;
  };

  void Accept() {
    acceptor_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
      if (error) return;
      tunnels_.push_back(std::make_shared<Tunnel>(std::move(socket)));
      ReadHead(tunnels_.back());
      Accept();
    });
  }

  void ReadHead(const std::shared_ptr<Tunnel>& tunnel) {
    asio::async_read_until(tunnel->client, asio::dynamic_buffer(tunnel->head), "\r\n\r\n",
                           [this, tunnel](const asio::error_code& error, std::size_t) {
                             if (!error) Serve(tunnel);
                           });
  }

  void Serve(const std::shared_ptr<Tunnel>& tunnel) {
    requests.push_back(tunnel->head);
    if (keeps_silent) return;
    if (!answer_with.empty()) return Answer(tunnel, answer_with, false);
    tunnel->target.async_connect(target_, [tunnel](const asio::error_code& error) {
      if (error) return Answer(tunnel, "HTTP/1.1 502 Bad Gateway\r\n\r\n", false);
      Answer(tunnel, "HTTP/1.1 200 Connection established\r\nVia: fake\r\n\r\n", true);
    });
  }

  static void Answer(const std::shared_ptr<Tunnel>& tunnel, const std::string& text, bool go_on) {
    auto kept = std::make_shared<const std::string>(text);
    asio::async_write(tunnel->client, asio::buffer(*kept),
                      [tunnel, kept, go_on](const asio::error_code& error, std::size_t) {
                        if (error || !go_on) return tunnel->Close();
                        tunnel->Pass(tunnel->client, tunnel->target, tunnel->up);
                        tunnel->Pass(tunnel->target, tunnel->client, tunnel->down);
                      });
  }

  const asio::ip::tcp::endpoint target_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Tunnel>> tunnels_;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_CONNECT_PROXY_H_
