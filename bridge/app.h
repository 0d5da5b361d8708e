#ifndef ATOMEMO_BRIDGE_APP_H_
#define ATOMEMO_BRIDGE_APP_H_

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bridge/hub/hub_client.h"
#include "bridge/hub/websocketpp_transport.h"
#include "bridge/plugin_service/options.h"
#include "bridge/router/options.h"

namespace atomemo {

struct AppOptions {
  hub::WebSocketOptions websocket;
  hub::HubClientOptions hub;
  router::RouterOptions router;
  plugin_service::PluginServerOptions plugin_server;
  // Where calls are noted, for the next bridge should this one be killed. Empty: nowhere.
  std::string journal_path;
  // Whether the disk has the notes, moments later: for a machine that may lose its power.
  bool journal_sync = false;
  // How long Stop lets calls in flight finish and their answers be delivered.
  absl::Duration drain_timeout = absl::Seconds(8);
  // What the io thread does in the place of `io.run()`; for those who measure it.
  std::function<void(asio::io_context& io)> run_io;
};

// The bridge, wired: the hub's client and the router on an io thread of their own, and the plugin
// server on gRPC's. Start and Stop are for one owner thread.
class App {
 public:
  explicit App(AppOptions options);
  // Stops at once if Stop was not called.
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Serves plugins from the return on, and goes on connecting to the hub until Stop. An error says
  // what is wrong with the options or the socket. Once only.
  absl::Status Start();

  // Drains: new calls are refused, those in flight finish within the drain timeout, their answers
  // are delivered, the topics left, the socket's file removed. DATA_LOSS if answers are left that
  // the hub may not have.
  absl::Status Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo

#endif  // ATOMEMO_BRIDGE_APP_H_
