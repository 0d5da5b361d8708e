#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_PHOENIX_HUB_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_PHOENIX_HUB_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/benchmark/load/driver.h"
#include "tests/benchmark/load/payload.h"
#include "tests/benchmark/load/websocket_server.h"

namespace atomemo::benchmark {

// A hub that does nothing but call: takes every socket, topic and definition, and looks no further
// into an answer than it must. A socket whose path is "/raw/NAME" speaks no Phoenix: the topic
// "NAME" is called over it from the start, and whatever comes back with a call's id is its answer.
// For the loop's thread.
class PhoenixHub : public WebSocketServer::Handler {
 public:
  struct Options {
    Content content = Content::kText;
    // How late the replies to heartbeats are.
    absl::Duration heartbeat_delay;
  };

  explicit PhoenixHub(const Options& options);

  Driver& driver() { return driver_; }
  // Sends what is due. How long there is nothing else to do.
  absl::Duration Tick();

 private:
  struct Topic {
    WebSocketConnection* connection = nullptr;
    std::string join_ref;  // as JSON
  };
  struct LateReply {
    Meter::Clock::time_point due;
    WebSocketConnection* connection;
    std::string text;
  };
  struct Head;  // the first four elements of a Phoenix frame

  void OnOpen(WebSocketConnection& connection, absl::string_view path) override;
  void OnText(WebSocketConnection& connection, absl::string_view text) override;
  void OnClosed(WebSocketConnection& connection) override;

  void OnAnswer(absl::string_view text, bool good);
  void OnHeartbeat(WebSocketConnection& connection, const Head& head);
  void Connect(absl::string_view topic, WebSocketConnection& connection,
               absl::string_view join_ref);
  void SendCall(std::size_t topic, std::uint64_t id, std::size_t bytes);

  const Options options_;
  Payloads payloads_;
  Driver driver_;
  std::vector<Topic> topics_;  // by the driver's index
  std::deque<LateReply> late_replies_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_PHOENIX_HUB_H_
