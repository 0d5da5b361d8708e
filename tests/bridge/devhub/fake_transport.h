#ifndef ATOMEMO_TESTS_BRIDGE_DEVHUB_FAKE_TRANSPORT_H_
#define ATOMEMO_TESTS_BRIDGE_DEVHUB_FAKE_TRANSPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bridge/devhub/server_socket.h"

namespace atomemo::devhub {

// A WebSocket that records what the hub does to it.
class FakeTransport : public SocketTransport {
 public:
  void Send(const std::string& text) override {
    sent.push_back(text);
    if (!peer_reads) unsent_bytes += text.size();
  }
  void Close(std::uint16_t code, const std::string&) override { close_code = code; }
  void Abort() override { aborted = true; }
  std::size_t UnsentBytes() const override { return unsent_bytes; }
  std::uint64_t ReceivedBytes() const override { return received_bytes; }

  // What was sent since the last call.
  std::vector<std::string> TakeSent() { return std::exchange(sent, {}); }

  std::vector<std::string> sent;
  int close_code = 0;
  bool aborted = false;
  std::size_t unsent_bytes = 0;
  std::uint64_t received_bytes = 0;
  bool peer_reads = true;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_TESTS_BRIDGE_DEVHUB_FAKE_TRANSPORT_H_
