#ifndef ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_UNIX_ADDRESS_H_
#define ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_UNIX_ADDRESS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace atomemo::plugin_service {

// The address of the socket file at `path`, for bind and connect. A path that is too long is cut.
struct UnixAddress {
  explicit UnixAddress(const std::string& path) {
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  static constexpr socklen_t size() { return sizeof(sockaddr_un); }

  sockaddr_un address = {};
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_UNIX_ADDRESS_H_
