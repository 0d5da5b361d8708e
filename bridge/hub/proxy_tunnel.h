#ifndef ATOMEMO_BRIDGE_HUB_PROXY_TUNNEL_H_
#define ATOMEMO_BRIDGE_HUB_PROXY_TUNNEL_H_

#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bridge/hub/proxy.h"

namespace atomemo::hub {

// Asks a proxy, to which `socket` is connected, for a tunnel to another host.
//
// Lives on the io thread, as a shared_ptr.
class ProxyTunnel : public std::enable_shared_from_this<ProxyTunnel> {
 public:
  // An error says what the proxy refused, and what to do about it.
  using Done = std::function<void(absl::StatusOr<asio::ip::tcp::socket>)>;

  // `authority` is "host:port", with brackets around an IPv6 address.
  ProxyTunnel(asio::ip::tcp::socket socket, Proxy proxy, std::string authority, Done done);

  // Once. `done` is called once, later, unless Cancel is called first.
  void Start();
  void Cancel();

 private:
  void Read();
  void OnAnswer(std::size_t header_bytes);
  absl::Status Judge(absl::string_view status_line) const;
  void Fail(absl::string_view what);
  void End(absl::StatusOr<asio::ip::tcp::socket> outcome);

  asio::ip::tcp::socket socket_;
  const Proxy proxy_;
  const std::string authority_;
  Done done_;  // null once it has ended
  std::string request_;
  std::string answer_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PROXY_TUNNEL_H_
