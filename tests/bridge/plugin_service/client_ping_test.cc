// A client's keepalive: pings as often as it likes.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/bridge/plugin_service/unix_address.h"

namespace atomemo::plugin_service {
namespace {

// HTTP/2: a frame is its payload's length, type, flags, a stream's number, and the payload.
constexpr std::size_t kFrameHeader = 9;
constexpr char kSettings = 4;
constexpr char kPing = 6;
constexpr char kGoAway = 7;
constexpr char kAck = 1;

std::string Frame(char type, const std::string& payload) {
  std::string frame(kFrameHeader, '\0');
  frame[2] = static_cast<char>(payload.size());
  frame[3] = type;
  return frame + payload;
}

// A client that speaks just enough HTTP/2 to be let in.
class PingingClient {
 public:
  explicit PingingClient(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    const UnixAddress address(path);
    EXPECT_EQ(connect(fd_, address.get(), UnixAddress::size()), 0);
    Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, ""));
  }
  ~PingingClient() { close(fd_); }

  // Whether the ping was answered, before anything that ends the connection.
  bool Ping() {
    Write(Frame(kPing, "12345678"));
    for (;;) {
      const std::string header = Read(kFrameHeader);
      if (header.size() < kFrameHeader || header[3] == kGoAway) return false;
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
      Read(static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2)));
      if (header[3] == kPing && header[4] == kAck) return true;
    }
  }

 private:
  void Write(const std::string& bytes) {
    ASSERT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string Read(std::size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = size == 0 ? 0 : recv(fd_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  const int fd_;
};

class ClientPingTest : public ServiceTest {};

TEST_F(ClientPingTest, AnyNumberOfPingsIsAnsweredWithoutACallOpen) {
  StartServer();
  PingingClient client(options_.socket.path);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.Ping()) << "ping " << i;
}

}  // namespace
}  // namespace atomemo::plugin_service
