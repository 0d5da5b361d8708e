#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_OPTIONS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_OPTIONS_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "bridge/definition/assemble.h"
#include "bridge/plugin_service/socket_file.h"

namespace atomemo::plugin_service {

struct PluginServerOptions {
  // Where plugins connect. An empty path: not on a Unix socket.
  SocketFileOptions socket;
  // How often the socket's file is looked at, in case somebody deleted it.
  absl::Duration socket_check_interval = absl::Seconds(1);

  // "host:port" to listen on as well; port 0 chooses one. Empty: no TCP. Peers over TCP have no
  // identity that the kernel vouches for: anybody who reaches the port may open sessions.
  std::string tcp_address;
  // PEM files. With both, TCP is TLS.
  std::string tls_cert_file;
  std::string tls_key_file;

  // Told to plugins in `SessionOpened`.
  std::string bridge_version;

  // The largest message in either direction (--max-message-bytes). Larger ones fail the call that
  // they belong to; only what is more than four times as large breaks its stream.
  std::size_t max_message_bytes = 32 * 1024 * 1024;
  // One plugin's definition, as the hub gets it (--max-definition-bytes).
  std::size_t max_definition_bytes = 8 * 1024 * 1024;
  definition::DefaultTexts default_texts;
  // Definitions that wait to be checked (--max-waiting-definitions), and what these and those of
  // sessions that have not published yet hold (--max-waiting-definition-bytes).
  std::size_t max_waiting_definitions = 1000;
  std::size_t max_waiting_definition_bytes = 64 * 1024 * 1024;
  // What may wait to be written on one stream (--max-stream-messages, --max-stream-bytes).
  std::size_t max_stream_messages = 20000;
  std::size_t max_stream_bytes = 64 * 1024 * 1024;

  // HTTP/2 pings that find a plugin whose host has died.
  absl::Duration keepalive_time = absl::Seconds(30);
  absl::Duration keepalive_timeout = absl::Seconds(10);

  // The largest file in either direction (--max-file-bytes).
  std::size_t max_file_bytes = std::size_t{1} << 30;
  // Files moved at once (--max-transfers); as many again times 16 wait.
  std::size_t max_transfers = 8;
  // A transfer that neither the storage nor the plugin moves on for this long fails.
  absl::Duration transfer_stall_timeout = absl::Seconds(60);
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_OPTIONS_H_
