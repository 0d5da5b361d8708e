#include "bridge/hub/websocketpp_transport.h"

#include <asio/post.hpp>
#include <asio/ssl/context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/redact.h"
#include "bridge/hub/tls_verification.h"
#include "bridge/hub/websocketpp_config.h"

namespace atomemo::hub {

struct WebsocketppClient::Endpoints {
  explicit Endpoints(asio::io_context& context, WebSocketOptions o)
      : io(context), options(std::move(o)) {}

  asio::io_context& io;
  const WebSocketOptions options;
  std::shared_ptr<asio::ssl::context> tls;
  websocketpp::client<PlainConfig> plain_client;
  websocketpp::client<TlsConfig> tls_client;
};

namespace {

// One connection, or the attempt to make one. websocketpp's handlers hold it weakly: once the
// transport has let go of it, it cannot report any more.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual absl::Status Send(absl::string_view text) = 0;
  virtual void Close(std::uint16_t code) = 0;
  virtual void Terminate() = 0;
  virtual std::size_t buffered_amount() const = 0;
  virtual void SetReading(bool reading) = 0;
};

template <typename Config>
class ConnectionOf : public Connection, public std::enable_shared_from_this<ConnectionOf<Config>> {
 public:
  using Client = websocketpp::client<Config>;

  ConnectionOf(asio::io_context& io, const WebSocketOptions& options,
               std::shared_ptr<const WebSocketTransport::Callbacks> callbacks)
      : io_(io), options_(options), callbacks_(std::move(callbacks)), timeout_(io) {}

  void Start(Client& client, const std::string& url) {
    websocketpp::lib::error_code error;
    connection_ = client.get_connection(url, error);
    if (error) return ReportLater(error.message());
    connection_->set_max_message_size(options_.max_message_bytes);
    connection_->set_open_handshake_timeout(0);  // covered by timeout_
    connection_->set_close_handshake_timeout(kCloseHandshakeMilliseconds);
    Prepare(client, connection_->get_uri()->get_host());
    SetHandlers();
    StartTimeout();
    client.connect(connection_);
  }

  absl::Status Send(absl::string_view text) override {
    if (!open_) return absl::UnavailableError("the WebSocket is not open");
    const websocketpp::lib::error_code error =
        connection_->send(text.data(), text.size(), websocketpp::frame::opcode::text);
    return error ? absl::UnavailableError(error.message()) : absl::OkStatus();
  }

  void Close(std::uint16_t code) override {
    websocketpp::lib::error_code error = websocketpp::error::invalid_state;
    if (open_) connection_->close(code, "", error);
    if (!error) return;
    Terminate();
    ReportLater("given up");
  }

  void Terminate() override {
    timeout_.cancel();
    terminated_ = true;  // the library may call the handlers in here
    if (!connection_) return;
    connection_->terminate(websocketpp::error::operation_canceled);
    // Shutting TLS down may take as long as the peer likes: pull the plug.
    asio::error_code ignored;
    connection_->get_raw_socket().close(ignored);
  }

  std::size_t buffered_amount() const override {
    return open_ ? connection_->get_buffered_amount() : 0;
  }

  void SetReading(bool reading) override {
    if (!open_) return;
    reading ? connection_->resume_reading() : connection_->pause_reading();
  }

 private:
  void Prepare(Client& client, const std::string& host) {
    connection_->set_tcp_pre_init_handler(
        [weak = this->weak_from_this(), &client, host](websocketpp::connection_hdl handle) {
          websocketpp::lib::error_code gone;
          const auto connection = client.get_con_from_hdl(handle, gone);
          asio::error_code ignored;
          if (weak.expired()) {
            // Given up during the name lookup, which cannot be stopped: send nothing.
            connection->get_raw_socket().close(ignored);
            return;
          }
          connection->get_raw_socket().set_option(asio::ip::tcp::no_delay(true), ignored);
          if constexpr (Config::kSecure) OmitAddressFromSni(connection->get_socket(), host);
        });
    if constexpr (Config::kSecure) {
      VerifyPeer(connection_->get_socket(), host, verification_);
    }
  }

  // Wraps a member function so that it runs only while this object lives.
  auto Guard(void (ConnectionOf::*method)()) {
    return [weak = this->weak_from_this(), method](auto) {
      if (const auto self = weak.lock()) (self.get()->*method)();
    };
  }

  void SetHandlers() {
    connection_->set_open_handler(Guard(&ConnectionOf::OnOpen));
    connection_->set_fail_handler(Guard(&ConnectionOf::OnFail));
    connection_->set_close_handler(Guard(&ConnectionOf::OnClose));
    connection_->set_message_handler([weak = this->weak_from_this()](auto, auto message) {
      const auto self = weak.lock();
      if (self && !self->terminated_) self->callbacks_->on_message(message->get_payload());
    });
  }

  void StartTimeout() {
    timeout_.expires_after(absl::ToChronoNanoseconds(options_.connect_timeout));
    timeout_.async_wait([weak = this->weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->open_) return;
      self->Terminate();
      self->Report(absl::StrCat("no connection within ",
                                absl::FormatDuration(self->options_.connect_timeout)));
    });
  }

  void OnOpen() {
    if (terminated_) return;
    timeout_.cancel();
    open_ = true;
    callbacks_->on_open();
  }

  void OnFail() {
    if (terminated_) return;
    const int status = connection_->get_response_code();
    if (status != 0 && status != websocketpp::http::status_code::switching_protocols) {
      closed_.http_status = status;
      return Report(absl::StrCat(
          "HTTP ", status, " ",
          websocketpp::http::status_code::get_string(connection_->get_response_code())));
    }
    if (!verification_->error.empty()) return Report(verification_->error);
    if (connection_->get_ec() == HandshakeFailed()) {
      return Report("the TLS handshake failed: does the hub speak TLS on this port?");
    }
    Report(connection_->get_ec().message());
  }

  void OnClose() {
    if (terminated_) return;
    const std::uint16_t remote = connection_->get_remote_close_code();
    closed_.code = remote == kCloseAbnormal ? connection_->get_local_close_code() : remote;
    if (closed_.code == kCloseTooBig) {
      return Report(absl::StrCat("a message was too big (at most ", options_.max_message_bytes,
                                 " bytes are taken from the hub)"));
    }
    const std::string& reason = connection_->get_remote_close_reason();
    if (!reason.empty()) return Report(base::RedactText(reason));
    Report(remote == kCloseAbnormal ? connection_->get_ec().message() : "closed by the hub");
  }

  void ReportLater(std::string reason) {
    asio::post(io_, [weak = this->weak_from_this(), reason = std::move(reason)]() mutable {
      if (const auto self = weak.lock()) self->Report(std::move(reason));
    });
  }

  void Report(std::string reason) {
    if (reported_) return;
    reported_ = true;
    timeout_.cancel();
    closed_.was_open = std::exchange(open_, false);
    closed_.reason = std::move(reason);
    callbacks_->on_close(closed_);
  }

  asio::io_context& io_;
  const WebSocketOptions& options_;
  const std::shared_ptr<const WebSocketTransport::Callbacks> callbacks_;
  const std::shared_ptr<TlsVerification> verification_ = std::make_shared<TlsVerification>();
  asio::steady_timer timeout_;
  typename Client::connection_ptr connection_;
  bool open_ = false;
  bool terminated_ = false;
  bool reported_ = false;
  WebSocketClosed closed_;
};

template <typename Config, typename Endpoints>
std::shared_ptr<Connection> Open(
    Endpoints& endpoints, websocketpp::client<Config>& client, const std::string& url,
    const std::shared_ptr<const WebSocketTransport::Callbacks>& callbacks) {
  auto connection =
      std::make_shared<ConnectionOf<Config>>(endpoints.io, endpoints.options, callbacks);
  connection->Start(client, url);
  return connection;
}

template <typename Endpoints>
class WebsocketppTransport : public WebSocketTransport {
 public:
  explicit WebsocketppTransport(std::shared_ptr<Endpoints> endpoints)
      : endpoints_(std::move(endpoints)) {}

  ~WebsocketppTransport() override { WebsocketppTransport::Drop(); }

  void SetCallbacks(Callbacks callbacks) override {
    callbacks_ = std::make_shared<const Callbacks>(std::move(callbacks));
  }

  void Connect(const std::string& url) override {
    Drop();
    if (absl::StartsWith(url, "wss://")) {
      connection_ = Open(*endpoints_, endpoints_->tls_client, url, callbacks_);
    } else {
      connection_ = Open(*endpoints_, endpoints_->plain_client, url, callbacks_);
    }
  }

  absl::Status Send(absl::string_view text) override {
    if (!connection_) return absl::UnavailableError("the WebSocket is not open");
    return connection_->Send(text);
  }

  void Close(std::uint16_t code) override {
    if (connection_) connection_->Close(code);
  }

  void Drop() override {
    if (connection_) connection_->Terminate();
    connection_.reset();
  }

  std::size_t buffered_amount() const override {
    return connection_ ? connection_->buffered_amount() : 0;
  }

  void SetReading(bool reading) override {
    if (connection_) connection_->SetReading(reading);
  }

 private:
  const std::shared_ptr<Endpoints> endpoints_;
  std::shared_ptr<const Callbacks> callbacks_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebsocketppClient>> WebsocketppClient::Create(
    asio::io_context& io, WebSocketOptions options) {
  absl::StatusOr<std::shared_ptr<asio::ssl::context>> tls =
      MakeTlsClientContext(options.extra_ca_file);
  if (!tls.ok()) return tls.status();
  auto endpoints = std::make_shared<Endpoints>(io, std::move(options));
  endpoints->tls = *std::move(tls);
  websocketpp::lib::error_code error;
  endpoints->plain_client.init_asio(&io, error);
  if (!error) endpoints->tls_client.init_asio(&io, error);
  if (error) return absl::InternalError(error.message());
  endpoints->plain_client.set_user_agent(endpoints->options.user_agent);
  endpoints->tls_client.set_user_agent(endpoints->options.user_agent);
  endpoints->tls_client.set_tls_init_handler(
      [context = endpoints->tls](const websocketpp::connection_hdl&) { return context; });
  return absl::WrapUnique(new WebsocketppClient(std::move(endpoints)));
}

WebsocketppClient::WebsocketppClient(std::shared_ptr<Endpoints> endpoints)
    : endpoints_(std::move(endpoints)) {}

WebsocketppClient::~WebsocketppClient() = default;

std::unique_ptr<WebSocketTransport> WebsocketppClient::NewTransport() {
  return std::make_unique<WebsocketppTransport<Endpoints>>(endpoints_);
}

WebSocketTransportFactory WebsocketppClient::Factory() {
  return [this] { return NewTransport(); };
}

}  // namespace atomemo::hub
