#include "bridge/hub/websocketpp_transport.h"

#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/ssl/context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/base/asio_scheduler.h"
#include "bridge/base/pong_pacer.h"
#include "bridge/base/redact.h"
#include "bridge/hub/dialer.h"
#include "bridge/hub/host_resolver.h"
#include "bridge/hub/retry_after.h"
#include "bridge/hub/tls_verification.h"
#include "bridge/hub/websocketpp_config.h"

namespace atomemo::hub {

struct WebsocketppClient::Endpoints {
  Endpoints(asio::io_context& context, WebSocketOptions o, HostResolver::Lookup lookup)
      : io(context),
        options(std::move(o)),
        scheduler(context),
        resolver(context, std::move(lookup)) {}

  asio::io_context& io;
  const WebSocketOptions options;
  base::AsioScheduler scheduler;
  HostResolver resolver;
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
  virtual std::string peer() const = 0;
  virtual std::size_t buffered_amount() const = 0;
  virtual void SetReading(bool reading) = 0;
};

// Addresses of the hub that took a connection and then failed it. Another one may be better.
using DoubtfulAddresses = std::set<asio::ip::address>;
constexpr std::size_t kMaxDoubtfulAddresses = 64;

// In bytes. For larger ones it takes several copies and a slow check.
constexpr std::size_t kMaxTextForLibrary = 64 * 1024;

// What a connection has from its transport.
struct Surroundings {
  asio::io_context& io;
  base::Scheduler& scheduler;
  HostResolver& resolver;
  const WebSocketOptions& options;
  std::shared_ptr<const WebSocketTransport::Callbacks> callbacks;
  std::shared_ptr<DoubtfulAddresses> doubtful;
};

template <typename Config>
class ConnectionOf : public Connection, public std::enable_shared_from_this<ConnectionOf<Config>> {
 public:
  using Client = websocketpp::client<Config>;

  explicit ConnectionOf(Surroundings surroundings)
      : around_(std::move(surroundings)), timeout_(around_.io) {}

  void Start(Client& client, const std::string& url) {
    const websocketpp::uri parsed(url);
    if (!parsed.get_valid()) return ReportLater("the URL cannot be used");
    StartTimeout();
    const bool v6 = absl::StrContains(parsed.get_host(), ':');
    // The library leaves an address's brackets away, also where they must be.
    const auto uri = std::make_shared<websocketpp::uri>(
        parsed.get_secure(), absl::StrCat(v6 ? "[" : "", parsed.get_host(), v6 ? "]" : ""),
        parsed.get_port(), parsed.get_resource());
    dialer_.emplace(around_.io, around_.resolver,
                    Dialer::Target{parsed.get_host(), parsed.get_port(), around_.options.proxy,
                                   *around_.doubtful},
                    [this, &client, uri, host = parsed.get_host()](auto socket) {
                      const auto self = this->shared_from_this();
                      OnDialed(client, uri, host, std::move(socket));
                    });
  }

  absl::Status Send(absl::string_view text) override {
    if (!open_) return absl::UnavailableError("the WebSocket is not open");
    const websocketpp::lib::error_code error =
        text.size() > kMaxTextForLibrary
            ? SendPrepared(text)
            : connection_->send(text.data(), text.size(), websocketpp::frame::opcode::text);
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
    dialer_.reset();
    pong_pacer_.reset();
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
    connection_->SetReading(reading);
  }

  std::string peer() const override { return closed_.peer; }

 private:
  void OnDialed(Client& client, const websocketpp::uri_ptr& uri, const std::string& host,
                absl::StatusOr<asio::ip::tcp::socket> socket) {
    closed_.peer = dialer_->peer();
    address_ = dialer_->address();
    if (!socket.ok()) return Report(std::string(socket.status().message()));
    dialed_ = true;
    websocketpp::lib::error_code error;
    connection_ = client.get_connection(uri, error);
    if (error) return Report(error.message());
    connection_->set_max_message_size(around_.options.max_message_bytes);
    connection_->set_open_handshake_timeout(0);  // covered by timeout_
    connection_->set_close_handshake_timeout(kCloseHandshakeMilliseconds);
    connection_->get_next_layer() = *std::move(socket);
    Prepare(client, host);
    SetHandlers();
    client.connect(connection_);
  }

  void Prepare(Client& client, const std::string& host) {
    if constexpr (Config::kSecure) {
      // After the library has set the server's name and before it is sent.
      connection_->set_tcp_pre_init_handler([&client, host](websocketpp::connection_hdl handle) {
        websocketpp::lib::error_code gone;
        OmitAddressFromSni(client.get_con_from_hdl(handle, gone)->get_socket(), host);
      });
      VerifyPeer(connection_->get_socket(), host, verification_);
    }
  }

  // What the library does with a text, but for two further copies and its check that the text is
  // UTF-8, which takes longer than all else: whatever is sent here is.
  websocketpp::lib::error_code SendPrepared(absl::string_view text) {
    namespace frame = websocketpp::frame;
    const auto message = connection_->get_message(frame::opcode::text, 0);
    frame::masking_key_type key{random_()};
    message->set_header(frame::prepare_header(
        frame::basic_header(frame::opcode::text, text.size(), /*fin=*/true, /*mask=*/true),
        frame::extended_header(text.size(), key.i)));
    std::string& payload = message->get_raw_payload();
    payload.assign(text.data(), text.size());
    frame::word_mask_exact(reinterpret_cast<std::uint8_t*>(payload.data()), payload.size(), key);
    message->set_prepared(true);
    return connection_->send(message);
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
      if (!self || self->terminated_) return;
      self->around_.callbacks->on_message(std::move(message->get_raw_payload()));
    });
    connection_->set_ping_handler(
        [weak = this->weak_from_this()](auto, const std::string& payload) {
          const auto self = weak.lock();
          if (self && self->pong_pacer_) self->pong_pacer_->OnPing(payload);
          return false;  // no pong by the library
        });
    pong_pacer_.emplace(around_.scheduler, [this](const std::string& payload) {
      websocketpp::lib::error_code ignored;  // closing
      connection_->pong(payload, ignored);
    });
  }

  void StartTimeout() {
    timeout_.expires_after(absl::ToChronoNanoseconds(around_.options.connect_timeout));
    timeout_.async_wait([weak = this->weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (!error && self && !self->open_ && !self->terminated_) self->OnTimeout();
    });
  }

  void OnTimeout() {
    const std::string awaited =
        dialed_ ? "no answer to the upgrade to a WebSocket" : dialer_->Describe();
    Terminate();
    Report(absl::StrCat("no connection within ",
                        absl::FormatDuration(around_.options.connect_timeout), ": ", awaited));
  }

  void OnOpen() {
    if (terminated_) return;
    timeout_.cancel();
    open_ = true;
    around_.doubtful->clear();
    around_.callbacks->on_open();
  }

  void OnFail() {
    if (terminated_) return;
    const int status = connection_->get_response_code();
    if (status != 0 && status != websocketpp::http::status_code::switching_protocols) {
      return ReportRefusal(status);
    }
    if constexpr (Config::kSecure) {
      if (!verification_->error.empty()) return Report(verification_->error);
      const TlsFailure failure = ExplainTlsFailure(connection_->handshake_error());
      if (!failure.reason.empty()) {
        if (failure.maybe_plain) closed_.scheme_hint = SchemeHint::kMaybePlain;
        return Report(failure.reason);
      }
    } else {
      closed_.scheme_hint = SchemeHint::kMaybeTls;
    }
    Report(connection_->get_ec() == websocketpp::transport::error::eof
               ? "the connection was closed without an answer to the upgrade to a WebSocket"
               : absl::StrCat("no answer to the upgrade to a WebSocket: ",
                              connection_->get_ec().message()));
  }

  void ReportRefusal(int status) {
    closed_.http_status = status;
    closed_.location = connection_->get_response_header("Location");
    closed_.retry_after =
        ParseRetryAfter(connection_->get_response_header("Retry-After"), absl::Now());
    if (!Config::kSecure && status == websocketpp::http::status_code::bad_request) {
      closed_.scheme_hint = SchemeHint::kMaybeTls;
    }
    Report(
        absl::StrCat("HTTP ", status, " ",
                     websocketpp::http::status_code::get_string(connection_->get_response_code())));
  }

  void OnClose() {
    if (terminated_) return;
    const std::uint16_t remote = connection_->get_remote_close_code();
    const std::uint16_t local = connection_->get_local_close_code();
    if (remote != kCloseAbnormal) {
      closed_.code = remote;
      return Report(base::RedactText(connection_->get_remote_close_reason()));
    }
    closed_.code = local;
    closed_.by_bridge = local != kCloseAbnormal;
    Report(closed_.by_bridge ? WhyByBridge() : connection_->get_ec().message());
  }

  // Once the library has closed the connection for what it read, it does not read the hub's answer
  // to that.
  std::string WhyByBridge() const {
    if (closed_.code == kCloseTooBig) {
      return absl::StrCat("the bridge closed it, since the hub sent a message of more than ",
                          around_.options.max_message_bytes, " bytes");
    }
    const std::string& reason = connection_->get_local_close_reason();
    if (reason.empty()) return "closed by the bridge";
    return absl::StrCat("the bridge closed it, since the hub broke the WebSocket protocol: ",
                        reason);
  }

  void ReportLater(std::string reason) {
    asio::post(around_.io, [weak = this->weak_from_this(), reason = std::move(reason)]() mutable {
      if (const auto self = weak.lock()) self->Report(std::move(reason));
    });
  }

  void Report(std::string reason) {
    if (std::exchange(reported_, true)) return;
    timeout_.cancel();
    closed_.was_open = std::exchange(open_, false);
    closed_.reason = std::move(reason);
    const bool at_fault = closed_.http_status == 0 || closed_.http_status >= 500;
    if (dialed_ && !closed_.was_open && at_fault) Doubt();
    around_.callbacks->on_close(closed_);
  }

  void Doubt() {
    if (around_.doubtful->size() >= kMaxDoubtfulAddresses) around_.doubtful->clear();
    if (address_) around_.doubtful->insert(*address_);
  }

  const Surroundings around_;
  const std::shared_ptr<TlsVerification> verification_ = std::make_shared<TlsVerification>();
  asio::steady_timer timeout_;
  typename Config::rng_type random_;
  std::optional<Dialer> dialer_;
  bool dialed_ = false;
  std::optional<asio::ip::address> address_;
  typename Client::connection_ptr connection_;
  std::optional<base::PongPacer> pong_pacer_;
  bool open_ = false;
  bool terminated_ = false;
  bool reported_ = false;
  WebSocketClosed closed_;
};

template <typename Config>
std::shared_ptr<Connection> Open(Surroundings surroundings, websocketpp::client<Config>& client,
                                 const std::string& url) {
  auto connection = std::make_shared<ConnectionOf<Config>>(std::move(surroundings));
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
    Surroundings surroundings{endpoints_->io,       endpoints_->scheduler,
                              endpoints_->resolver, endpoints_->options,
                              callbacks_,           doubtful_};
    if (absl::StartsWith(url, "wss://")) {
      connection_ = Open(std::move(surroundings), endpoints_->tls_client, url);
    } else {
      connection_ = Open(std::move(surroundings), endpoints_->plain_client, url);
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

  std::string peer() const override { return connection_ ? connection_->peer() : ""; }

  std::size_t buffered_amount() const override {
    return connection_ ? connection_->buffered_amount() : 0;
  }

  void SetReading(bool reading) override {
    if (connection_) connection_->SetReading(reading);
  }

 private:
  const std::shared_ptr<Endpoints> endpoints_;
  std::shared_ptr<const Callbacks> callbacks_;
  const std::shared_ptr<DoubtfulAddresses> doubtful_ = std::make_shared<DoubtfulAddresses>();
  std::shared_ptr<Connection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebsocketppClient>> WebsocketppClient::Create(
    asio::io_context& io, WebSocketOptions options, HostResolver::Lookup lookup) {
  absl::StatusOr<std::shared_ptr<asio::ssl::context>> tls =
      MakeTlsClientContext(options.extra_ca_file);
  if (!tls.ok()) return tls.status();
  auto endpoints = std::make_shared<Endpoints>(io, std::move(options), std::move(lookup));
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
