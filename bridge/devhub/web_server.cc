#include "bridge/devhub/web_server.h"

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/asio_scheduler.h"
#include "bridge/base/log.h"
#include "bridge/base/pong_pacer.h"
#include "bridge/devhub/frame_reader.h"
#include "bridge/devhub/received_bytes.h"

namespace atomemo::devhub {
namespace {

constexpr std::uint16_t kServiceRestart = 1012;
// A body that is somewhat too large is still read, so that its sender sees the 413.
constexpr std::size_t kBodySlack = 16u << 20;
constexpr long kOpenTimeoutMs = 60000;  // NOLINT(google-runtime-int): websocketpp's type
// How often unfinished requests are looked at.
constexpr absl::Duration kUnfinishedCheck = absl::Milliseconds(100);

struct ServerConfig : websocketpp::config::asio {
  using type = ServerConfig;
  using concurrency_type = websocketpp::concurrency::none;  // one thread only
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;
  struct transport_config : websocketpp::config::asio::transport_config {
    using concurrency_type = type::concurrency_type;
    using alog_type = type::alog_type;
    using elog_type = type::elog_type;
    using request_type = type::request_type;
    using response_type = type::response_type;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

using Server = websocketpp::server<ServerConfig>;
using ConnectionPtr = Server::connection_ptr;
using Handle = websocketpp::connection_hdl;

HttpRequest ReadRequest(const ConnectionPtr& connection) {
  HttpRequest request;
  request.method = connection->get_request().get_method();
  const std::string& target = connection->get_request().get_uri();
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  // A HUB_WS_URL with a slash at its end makes two.
  while (absl::StartsWith(request.path, "//")) request.path.erase(0, 1);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  request.host = connection->get_request_header("Host");
  request.origin = connection->get_request_header("Origin");
  request.body = connection->get_request_body();
  return request;
}

void WriteResponse(const ConnectionPtr& connection, const HttpResponse& response) {
  connection->set_status(static_cast<websocketpp::http::status_code::value>(response.status));
  connection->replace_header("Connection", "close");
  connection->replace_header("Cache-Control", "no-store");
  connection->replace_header("X-Content-Type-Options", "nosniff");
  connection->replace_header("Content-Security-Policy",
                             "default-src 'none'; style-src 'unsafe-inline'");
  if (!response.content_type.empty()) {
    connection->replace_header("Content-Type", response.content_type);
  }
  if (response.body.empty()) {
    connection->replace_header("Content-Length", "0");
  } else {
    connection->set_body(response.body);
  }
}

// One open WebSocket.
class Peer : public SocketTransport {
 public:
  Peer(asio::io_context& io, base::Scheduler& scheduler, ConnectionPtr connection)
      : io_(io), connection_(std::move(connection)), pongs_(scheduler, [this](const auto& payload) {
          websocketpp::lib::error_code ignored;  // closing
          connection_->pong(payload, ignored);
        }) {}

  void Send(const std::string& text) override {
    connection_->send(text, websocketpp::frame::opcode::text);
  }
  void Close(std::uint16_t code, const std::string& reason) override {
    websocketpp::lib::error_code ignored;  // closing twice is no harm
    connection_->close(code, reason, ignored);
  }
  void Abort() override {
    // Later: terminate runs the close handler at once.
    asio::post(io_, [connection = connection_] { connection->terminate({}); });
  }
  std::size_t UnsentBytes() const override { return connection_->get_buffered_amount(); }
  std::uint64_t ReceivedBytes() const override {
    return devhub::ReceivedBytes(connection_->get_raw_socket().native_handle());
  }

  void OnPing(const std::string& payload) {
    socket->OnControlFrame();
    pongs_.OnPing(payload);
  }

  std::unique_ptr<ServerSocket> socket;

 private:
  asio::io_context& io_;
  const ConnectionPtr connection_;
  base::PongPacer pongs_;
};

}  // namespace

class WebServer::Impl {
 public:
  Impl(asio::io_context& io, Limits limits, WebHandler& handler)
      : io_(io), max_unfinished_bytes_(limits.max_unfinished_bytes), handler_(handler) {
    server_.init_asio(&io);
    server_.set_reuse_addr(true);
    server_.set_user_agent("atomemo-devhub");
    server_.set_max_message_size(MaxTextBytes(limits.max_frame_bytes));
    server_.set_max_http_body_size(limits.max_body_bytes + kBodySlack);
    server_.set_open_handshake_timeout(kOpenTimeoutMs);
    server_.set_tcp_pre_init_handler([this](const Handle& handle) { OnAccepted(handle); });
    server_.set_fail_handler([this](const Handle& handle) { connections_.erase(handle); });
    server_.set_validate_handler([this](const Handle& handle) { return Validate(handle); });
    server_.set_open_handler([this](const Handle& handle) { Open(handle); });
    server_.set_http_handler([this](const Handle& handle) { Http(handle); });
  }

  absl::StatusOr<std::uint16_t> Listen(const std::string& host, std::uint16_t port) {
    asio::error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto addresses =
        resolver.resolve(host, absl::StrCat(port), asio::ip::tcp::resolver::passive, error);
    if (error || addresses.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the listen address ", host, " is unknown: ", error.message()));
    }
    websocketpp::lib::error_code ec;
    server_.listen(addresses.begin()->endpoint(), ec);
    if (!ec) server_.start_accept(ec);
    if (ec) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", host, ":", port, ": ", ec.message()));
    }
    return server_.get_local_endpoint(error).port();
  }

  void Shutdown() {
    websocketpp::lib::error_code ignored;
    server_.stop_listening(ignored);
    for (const auto& [key, peer] : peers_) peer->socket->Close(kServiceRestart, "");
    for (const ConnectionPtr& connection : Connections()) {
      if (connection->get_state() == websocketpp::session::state::connecting) {
        connection->terminate({});
      }
    }
  }

  void AbortAll() {
    for (const ConnectionPtr& connection : Connections()) connection->terminate({});
  }

 private:
  ConnectionPtr Lock(const Handle& handle) {
    websocketpp::lib::error_code ignored;
    return server_.get_con_from_hdl(handle, ignored);
  }

  // A copy: ending a connection takes it out of the set.
  std::vector<ConnectionPtr> Connections() {
    std::vector<ConnectionPtr> live;
    for (const Handle& handle : connections_) {
      if (ConnectionPtr connection = Lock(handle)) live.push_back(std::move(connection));
    }
    return live;
  }

  void OnAccepted(const Handle& handle) {
    connections_.insert(handle);
    WatchUnfinished();
    // As Phoenix's servers do: else a frame may wait 40 ms for the acknowledgement of the one
    // before.
    asio::error_code ignored;
    Lock(handle)->get_raw_socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void WatchUnfinished() {
    if (std::exchange(watching_, true)) return;
    scheduler_.After(kUnfinishedCheck, [this] {
      watching_ = false;
      if (EndUnfinished() > 0) WatchUnfinished();
    });
  }

  // Ends the largest requests that have not come whole while together they have more bytes than
  // allowed. Returns how many there are.
  std::size_t EndUnfinished() {
    std::vector<std::pair<std::size_t, ConnectionPtr>> unfinished;
    std::size_t bytes = 0;
    for (ConnectionPtr& connection : Connections()) {
      if (connection->get_state() != websocketpp::session::state::connecting) continue;
      const std::size_t size = connection->get_request().get_body().size();
      bytes += size;
      unfinished.emplace_back(size, std::move(connection));
    }
    std::sort(unfinished.begin(), unfinished.end());
    while (bytes > max_unfinished_bytes_) {
      bytes -= unfinished.back().first;
      base::LogWarning("a request was dropped: unfinished requests have too many bytes together",
                       {{"bytes", unfinished.back().first}, {"limit", max_unfinished_bytes_}});
      unfinished.back().second->terminate({});
      unfinished.pop_back();
    }
    return unfinished.size();
  }

  bool Validate(const Handle& handle) {
    const ConnectionPtr connection = Lock(handle);
    const int status = handler_.Admit(ReadRequest(connection));
    if (status == 101) return true;
    WriteResponse(connection, {status, "", ""});
    return false;
  }

  void Open(const Handle& handle) {
    const ConnectionPtr connection = Lock(handle);
    auto owned = std::make_unique<Peer>(io_, scheduler_, connection);
    Peer* const peer = owned.get();
    peer->socket = handler_.OnOpen(ReadRequest(connection), *peer);
    peers_.emplace(peer, std::move(owned));

    connection->set_message_handler([peer](const Handle&, const Server::message_ptr& message) {
      if (message->get_opcode() == websocketpp::frame::opcode::text) {
        peer->socket->OnText(message->get_payload());
      } else {
        peer->socket->OnBinary();
      }
    });
    connection->set_ping_handler([peer](const Handle&, const std::string& payload) {
      peer->OnPing(payload);
      return false;  // no pong by the library
    });
    connection->set_pong_handler(
        [peer](const Handle&, const std::string&) { peer->socket->OnControlFrame(); });
    connection->set_close_handler([this, peer](const Handle& closed) { OnClosed(closed, peer); });
  }

  void OnClosed(const Handle& handle, Peer* peer) {
    connections_.erase(handle);
    // Later: the socket may be at work further up the stack.
    asio::post(io_, [this, peer] {
      const auto found = peers_.find(peer);
      if (found == peers_.end()) return;
      handler_.OnClosed(*peer->socket);
      peers_.erase(found);
    });
  }

  void Http(const Handle& handle) {
    ConnectionPtr connection = Lock(handle);
    connection->defer_http_response();
    connections_.erase(handle);  // from here on its reply ends it
    const HttpReply reply = [connection](const HttpResponse& response) {
      // The client may have gone meanwhile: then there is nobody to tell.
      if (connection->get_state() != websocketpp::session::state::connecting) return;
      WriteResponse(connection, response);
      websocketpp::lib::error_code ignored;
      connection->send_http_response(ignored);
    };
    // websocketpp would take a chunked body for an empty one.
    if (!connection->get_request_header("Transfer-Encoding").empty()) {
      return reply(ErrorResponse(411, "length_required", "a body needs a Content-Length"));
    }
    handler_.OnHttp(ReadRequest(connection), reply);
  }

  asio::io_context& io_;
  const std::size_t max_unfinished_bytes_;
  base::AsioScheduler scheduler_{io_};
  WebHandler& handler_;
  Server server_;
  // Those whose handshake is not over, and WebSockets.
  std::set<Handle, std::owner_less<Handle>> connections_;
  std::map<Peer*, std::unique_ptr<Peer>> peers_;
  bool watching_ = false;
};

WebServer::WebServer(asio::io_context& io, Limits limits, WebHandler& handler)
    : impl_(std::make_unique<Impl>(io, limits, handler)) {}

WebServer::~WebServer() = default;

absl::StatusOr<std::uint16_t> WebServer::Listen(const std::string& host, std::uint16_t port) {
  return impl_->Listen(host, port);
}

void WebServer::Shutdown() { impl_->Shutdown(); }

void WebServer::AbortAll() { impl_->AbortAll(); }

}  // namespace atomemo::devhub
