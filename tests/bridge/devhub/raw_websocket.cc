#include "tests/bridge/devhub/raw_websocket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace atomemo::devhub {
namespace {

constexpr timeval kPatience = {10, 0};
constexpr int kFinal = 0x80;
constexpr int kMasked = 0x80;

std::string BigEndian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::uint64_t FromBigEndian(absl::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string Header(int first, std::uint64_t length) {
  std::string header(1, static_cast<char>(first));
  if (length < 126) {
    header += static_cast<char>(kMasked | length);
  } else if (length < 65536) {
    header += static_cast<char>(kMasked | 126) + BigEndian(length, 2);
  } else {
    header += static_cast<char>(kMasked | 127) + BigEndian(length, 8);
  }
  return header + std::string(4, '\0');  // a mask of zeros leaves the payload as it is
}

void SendAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

int RawWebSocket::Frame::close_code() const {
  if (opcode != kClose || payload.size() < 2) return 0;
  return static_cast<int>(FromBigEndian(payload.substr(0, 2)));
}

RawWebSocket::RawWebSocket(std::uint16_t port, const std::string& target,
                           const std::string& headers)
    : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  SendAll(fd_, absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: localhost:", port,
                            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                            headers, "\r\n"));
  while (response_.find("\r\n\r\n") == std::string::npos) {
    const std::string byte = ReadExactly(1);
    if (byte.empty()) return;
    response_ += byte;
  }
  (void)absl::SimpleAtoi(response_.substr(9, 3), &status_);
}

RawWebSocket::~RawWebSocket() { close(fd_); }

void RawWebSocket::Send(absl::string_view payload, int opcode, bool final) {
  SendAll(fd_, absl::StrCat(Header((final ? kFinal : 0) | opcode, payload.size()), payload));
}

void RawWebSocket::SendHeaderOnly(std::uint64_t length) {
  SendAll(fd_, Header(kFinal | kText, length));
}

void RawWebSocket::SendBytes(absl::string_view bytes) { SendAll(fd_, bytes); }

RawWebSocket::Frame RawWebSocket::Receive() {
  const std::string head = ReadExactly(2);
  if (head.size() < 2) return {};
  std::uint64_t length = static_cast<unsigned char>(head[1]);
  if (length == 126) length = FromBigEndian(ReadExactly(2));
  if (length == 127) length = FromBigEndian(ReadExactly(8));
  return {head[0] & 0x0f, ReadExactly(length)};
}

std::string RawWebSocket::ReadExactly(std::size_t size) {
  std::string buffer(65536, '\0');
  while (unread_.size() < size) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return "";
    unread_.append(buffer, 0, static_cast<std::size_t>(got));
  }
  std::string bytes = unread_.substr(0, size);
  unread_.erase(0, size);
  return bytes;
}

}  // namespace atomemo::devhub
