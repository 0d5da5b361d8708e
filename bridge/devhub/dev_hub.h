#ifndef ATOMEMO_BRIDGE_DEVHUB_DEV_HUB_H_
#define ATOMEMO_BRIDGE_DEVHUB_DEV_HUB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bridge/devhub/call_broker.h"

namespace atomemo::devhub {

struct DevHubOptions {
  // Where to listen; port 0 takes any free one.
  std::string host = "127.0.0.1";
  std::uint16_t port = 4000;
  // The key that the debug socket asks for. Not empty.
  std::string api_key = "dev-key";
  // Where uploaded files live. Empty: a folder of its own that goes with the hub.
  std::string files_folder;
  // Names, beside the loopback's and `host`, by which the HTTP API may be reached and which may
  // open sockets from web pages. For instance the name of a container.
  std::vector<std::string> allowed_hosts;

  std::size_t max_channels = 100;                 // of one socket
  std::size_t max_frame_bytes = 8'000'000;        // of one frame from a client, with its header
  std::size_t max_file_bytes = 64u << 20;         // of one upload, and of one body
  std::size_t max_unfinished_bytes = 256u << 20;  // of all bodies that have not come whole
  // How far every channel is behind its socket: heartbeats overtake answers, as at a busy hub.
  absl::Duration channel_lag = absl::ZeroDuration();
  absl::Duration idle_timeout = absl::Seconds(60);
  absl::Duration url_lifetime = absl::Minutes(15);  // of presigned URLs
  CallBroker::Limits call_limits;
};

// A hub to develop and test against: the plugin hub's protocol, files and calls, served locally on
// one port, with an HTTP API (http_api.h). It runs on a thread of its own; Start and Stop are for
// one owner thread.
class DevHub {
 public:
  explicit DevHub(DevHubOptions options);
  // Stops.
  ~DevHub();
  DevHub(const DevHub&) = delete;
  DevHub& operator=(const DevHub&) = delete;

  // Serves from the return on; gives the port. INVALID_ARGUMENT, FAILED_PRECONDITION or UNAVAILABLE
  // name what is wrong with the options. Once only.
  absl::StatusOr<std::uint16_t> Start();

  // Closes every socket with 1012, answers waiting calls with 503, and ends the thread. At most two
  // seconds; stopping twice does nothing.
  void Stop();

 private:
  class Impl;
  const DevHubOptions options_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_DEV_HUB_H_
