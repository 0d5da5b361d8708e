#ifndef ATOMEMO_BRIDGE_DEVHUB_RECEIVED_BYTES_H_
#define ATOMEMO_BRIDGE_DEVHUB_RECEIVED_BYTES_H_

#include <cstdint>

namespace atomemo::devhub {

// What has arrived on a TCP connection in all, as the kernel counts it; 0 where it does not tell.
std::uint64_t ReceivedBytes(int tcp_socket);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_RECEIVED_BYTES_H_
