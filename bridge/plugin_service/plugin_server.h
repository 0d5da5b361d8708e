#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_SERVER_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/plugin_service/options.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {

// The gRPC server that plugins and operators connect to: PluginService, AdminService, the standard
// health service and reflection, on a Unix socket and, when asked for, on TCP.
//
// It moves messages between its own threads and the ports, which are called on `io`'s thread only.
// What plugins send is checked before it gets there; JSON in calls is turned into the encoding that
// a session asked for, on the completion queue's thread.
//
// Start and Shutdown are called on one thread, which must not be the io thread's. The ports and
// `io` must outlive the last task that was posted to `io`, also after this object is gone.
class PluginServer {
 public:
  PluginServer(PluginServerOptions options, router::PluginPort& port,
               const router::StatusPort& status, base::Scheduler& io);
  // Shuts down at once if that has not been done.
  ~PluginServer();

  PluginServer(const PluginServer&) = delete;
  PluginServer& operator=(const PluginServer&) = delete;

  // Listens, and begins to serve. INVALID_ARGUMENT: the options name nothing to listen on, or a
  // certificate that cannot be used. Else see SocketFile::Listen. Called once.
  absl::Status Start();

  // The TCP port, once started. 0 without TCP.
  int tcp_port() const;

  // Takes no new connection and ends every RPC with UNAVAILABLE; RPCs whose plugin does not read
  // that within `timeout` are cut off. `port` hears of the end of every session. Idempotent.
  void Shutdown(absl::Duration timeout);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_PLUGIN_SERVER_H_
