#ifndef ATOMEMO_TESTS_BRIDGE_DEVHUB_RAW_WEBSOCKET_H_
#define ATOMEMO_TESTS_BRIDGE_DEVHUB_RAW_WEBSOCKET_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::devhub {

// A WebSocket client that hides nothing: it sends whatever frame a test wants, broken ones too.
// Blocking; whatever does not come within ten seconds counts as the end of the connection.
class RawWebSocket {
 public:
  enum Opcode { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

  struct Frame {
    int opcode = -1;  // -1: the connection has ended
    std::string payload;
    // Of a close frame.
    int close_code() const;
  };

  // Connects and asks for `target` ("/debug_socket/websocket?..."). `headers` are further lines,
  // each with its "\r\n".
  RawWebSocket(std::uint16_t port, const std::string& target, const std::string& headers = "");
  ~RawWebSocket();
  RawWebSocket(const RawWebSocket&) = delete;
  RawWebSocket& operator=(const RawWebSocket&) = delete;

  // The response to the handshake: its status, 101 when the WebSocket is open, and its whole text.
  int status() const { return status_; }
  const std::string& response() const { return response_; }

  void Send(absl::string_view payload, int opcode = kText, bool final = true);
  // A text frame's header that announces `length` bytes, without any of them.
  void SendHeaderOnly(std::uint64_t length);
  // Bytes as they are, without a frame around them.
  void SendBytes(absl::string_view bytes);
  Frame Receive();

 private:
  std::string ReadExactly(std::size_t size);

  int fd_ = -1;
  int status_ = 0;
  std::string response_;
  std::string unread_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_TESTS_BRIDGE_DEVHUB_RAW_WEBSOCKET_H_
