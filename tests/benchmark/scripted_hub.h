#ifndef ATOMEMO_TESTS_BENCHMARK_SCRIPTED_HUB_H_
#define ATOMEMO_TESTS_BENCHMARK_SCRIPTED_HUB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "tests/benchmark/load/epoll_loop.h"
#include "tests/benchmark/load/websocket_server.h"

namespace atomemo::benchmark {

// A hub on a thread of its own that takes every topic, counts, and does what it is told. Its
// methods may be called on any thread; they return at once.
class ScriptedHub : private WebSocketServer::Handler {
 public:
  ScriptedHub();
  ~ScriptedHub() override;

  std::uint16_t port() const { return port_; }
  // Of calls.
  int answers() const { return answers_; }
  int registrations() const { return registrations_; }

  void Push(const std::string& topic, const std::string& event, std::string payload);
  // The topic's channel crashes.
  void Crash(const std::string& topic);
  // Breaks off all connections.
  void AbortConnections();
  // Until their release nothing of the kind is replied to.
  void HoldJoins();
  void ReleaseJoins();
  void HoldHeartbeats();
  void ReleaseHeartbeats();
  // What a plugin's call to the hub is answered with: the text of a JSON value.
  void set_hub_call_data(std::string data);

 private:
  struct Held {
    bool holds = false;
    std::vector<std::pair<WebSocketConnection*, std::string>> replies;
  };
  struct Topic {
    WebSocketConnection* connection;
    std::string join_ref;  // as JSON
  };

  void OnOpen(WebSocketConnection& connection, absl::string_view path) override;
  void OnText(WebSocketConnection& connection, absl::string_view text) override;
  void OnClosed(WebSocketConnection& connection) override;

  // Runs `task` on the hub's thread.
  void Post(std::function<void()> task);
  void RunPosted();
  static void Reply(Held& held, WebSocketConnection& connection, std::string text);
  static void Release(Held& held);

  std::atomic<int> answers_{0};
  std::atomic<int> registrations_{0};
  std::uint16_t port_ = 0;

  absl::Mutex mutex_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);

  // On the hub's thread.
  EpollLoop loop_;
  WebSocketServer server_{loop_, *this};
  std::set<WebSocketConnection*> connections_;
  std::map<std::string, Topic, std::less<>> topics_;
  Held joins_;
  Held heartbeats_;
  std::string hub_call_data_ = "null";
  std::thread thread_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_SCRIPTED_HUB_H_
