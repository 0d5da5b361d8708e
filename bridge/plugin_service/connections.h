#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_CONNECTIONS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_CONNECTIONS_H_

#include <string>

namespace atomemo::plugin_service {

// Ends every connection that this process has accepted on the Unix socket at `socket_path` or on
// `tcp_port` (empty or 0: none), whoever owns its descriptor. What was sent arrives; whatever was
// under way fails at the other end as a connection that is lost.
void EndConnections(const std::string& socket_path, int tcp_port);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_CONNECTIONS_H_
