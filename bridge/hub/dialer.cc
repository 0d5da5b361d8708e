#include "bridge/hub/dialer.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atomemo::hub {

Dialer::Dialer(asio::io_context& io, HostResolver& resolver, Target target, Done done)
    : target_(std::move(target)), done_(std::move(done)) {
  const std::string& host = target_.proxy ? target_.proxy->host : target_.host;
  const std::uint16_t port = target_.proxy ? target_.proxy->port : target_.port;
  race_ = std::make_shared<AddressRace>(
      io, resolver, AddressRace::Target{host, port, target_.last},
      [this](absl::StatusOr<asio::ip::tcp::socket> socket) { OnConnected(std::move(socket)); });
  race_->Start();
}

Dialer::~Dialer() {
  race_->Cancel();
  if (tunnel_ != nullptr) tunnel_->Cancel();
}

std::string Dialer::Describe() const {
  if (tunnel_ != nullptr) {
    return absl::StrCat("no answer from the proxy ", FormatProxy(*target_.proxy));
  }
  const std::string what = race_->Describe();
  return target_.proxy
             ? absl::StrCat("the proxy ", FormatProxy(*target_.proxy), " cannot be reached: ", what)
             : what;
}

void Dialer::OnConnected(absl::StatusOr<asio::ip::tcp::socket> socket) {
  if (!socket.ok()) {
    if (target_.proxy) {
      socket =
          absl::UnavailableError(absl::StrCat("the proxy ", FormatProxy(*target_.proxy),
                                              " cannot be reached: ", socket.status().message()));
    }
    return End(std::move(socket));
  }
  asio::error_code ignored;
  socket->set_option(asio::ip::tcp::no_delay(true), ignored);
  asio::error_code gone;
  const asio::ip::tcp::endpoint endpoint = socket->remote_endpoint(gone);
  if (!gone) {
    address_ = endpoint.address();
    peer_ = absl::StrCat(target_.proxy ? "the proxy " : "", FormatEndpoint(endpoint));
  }
  if (!target_.proxy) return End(std::move(socket));
  const bool v6 = absl::StrContains(target_.host, ':');
  tunnel_ = std::make_shared<ProxyTunnel>(
      *std::move(socket), *target_.proxy,
      absl::StrCat(v6 ? "[" : "", target_.host, v6 ? "]" : "", ":", target_.port),
      [this](absl::StatusOr<asio::ip::tcp::socket> tunnel) { End(std::move(tunnel)); });
  tunnel_->Start();
}

// The callback may destroy this object.
void Dialer::End(absl::StatusOr<asio::ip::tcp::socket> outcome) {
  const Done done = std::move(done_);
  done(std::move(outcome));
}

}  // namespace atomemo::hub
