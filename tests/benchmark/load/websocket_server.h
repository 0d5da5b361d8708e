#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_WEBSOCKET_SERVER_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_WEBSOCKET_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/benchmark/load/epoll_loop.h"

namespace atomemo::benchmark {

class WebSocketConnection;

// A WebSocket server that is cheap enough to drive what is measured: raw epoll, one read a wake-up,
// and one write for all that was sent in one turn. Takes every client, closes none, checks little.
// For the loop's thread.
class WebSocketServer {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnOpen(WebSocketConnection& connection, absl::string_view path) = 0;
    // `text` is valid for the call.
    virtual void OnText(WebSocketConnection& connection, absl::string_view text) = 0;
    virtual void OnClosed(WebSocketConnection& connection) = 0;
  };

  // Both must outlive the server.
  WebSocketServer(EpollLoop& loop, Handler& handler);
  ~WebSocketServer();

  // On a free port of the loopback.
  absl::StatusOr<std::uint16_t> Listen();
  // Writes what was sent since the last time. To be called before each wait.
  void Flush();

 private:
  friend class WebSocketConnection;
  void Accept();
  void OnReady(int descriptor, std::uint32_t events);

  EpollLoop& loop_;
  Handler& handler_;
  int listener_ = -1;
  absl::flat_hash_map<int, std::unique_ptr<WebSocketConnection>> connections_;
  std::vector<int> unflushed_;
};

class WebSocketConnection {
 public:
  WebSocketConnection(WebSocketServer& server, int descriptor);
  ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  // One text message made of these parts; it leaves with the next flush.
  void Send(std::initializer_list<absl::string_view> parts);
  // Breaks the connection off. Handler::OnClosed follows.
  void Abort();

 private:
  friend class WebSocketServer;
  // False once the connection is gone.
  bool Read();
  bool Write();
  bool ReadHandshake();
  // Handles the next whole frame, if there is one.
  bool ReadFrame();
  void SendFrame(int opcode, std::initializer_list<absl::string_view> parts);
  void WriteLater();
  void WaitForRoom(bool wait);

  WebSocketServer& server_;
  const int descriptor_;
  bool open_ = false;
  bool closed_ = false;
  bool unflushed_ = false;
  bool waits_for_room_ = false;
  // What was read and not yet handled: from begin_ to end_.
  std::vector<char> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string fragments_;
  std::string output_;
  std::size_t written_ = 0;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_WEBSOCKET_SERVER_H_
