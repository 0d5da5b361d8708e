#ifndef ATOMEMO_BRIDGE_HUB_DIALER_H_
#define ATOMEMO_BRIDGE_HUB_DIALER_H_

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "bridge/hub/address_race.h"
#include "bridge/hub/host_resolver.h"
#include "bridge/hub/proxy.h"
#include "bridge/hub/proxy_tunnel.h"

namespace atomemo::hub {

// Makes one TCP connection to a host, straight or through a proxy.
//
// Lives on the io thread; `resolver` must outlive it. May be destroyed at any time, which gives up.
class Dialer {
 public:
  struct Target {
    // A name or an address, without brackets.
    std::string host;
    std::uint16_t port = 0;
    std::optional<Proxy> proxy;
    // Addresses (the host's, or the proxy's if there is one) to try when no other is left.
    std::set<asio::ip::address> last;
  };
  // An error says, for a person, what failed where.
  using Done = std::function<void(absl::StatusOr<asio::ip::tcp::socket>)>;

  // `done` is called once, later, unless this object is destroyed first. It may destroy it.
  Dialer(asio::io_context& io, HostResolver& resolver, Target target, Done done);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // What is waited for and what went wrong so far, for a person.
  std::string Describe() const;

  // What was connected to: "10.0.0.1:443" or "the proxy 10.0.0.1:3128". Empty before.
  const std::string& peer() const { return peer_; }
  std::optional<asio::ip::address> address() const { return address_; }

 private:
  void OnConnected(absl::StatusOr<asio::ip::tcp::socket> socket);
  void End(absl::StatusOr<asio::ip::tcp::socket> outcome);

  const Target target_;
  Done done_;
  std::shared_ptr<AddressRace> race_;
  std::shared_ptr<ProxyTunnel> tunnel_;
  std::string peer_;
  std::optional<asio::ip::address> address_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_DIALER_H_
