#include "bridge/devhub/received_bytes.h"

// The kernel's own header: glibc's <netinet/tcp.h>, which does not go together with it, knows an
// older tcp_info.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace atomemo::devhub {

std::uint64_t ReceivedBytes(int tcp_socket) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (getsockopt(tcp_socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received)) {
    return 0;
  }
  return info.tcpi_bytes_received;
}

}  // namespace atomemo::devhub
