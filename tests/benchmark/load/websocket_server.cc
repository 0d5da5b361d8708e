#include "tests/benchmark/load/websocket_server.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace atomemo::benchmark {
namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kLeastRoom = 64 * 1024;
// A buffer that grew beyond this is given back once it is empty.
constexpr std::size_t kKeptOutput = 4 * 1024 * 1024;

// RFC 6455.
constexpr absl::string_view kKeySalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
enum Opcode { kContinuation = 0, kText = 1, kClose = 8, kPing = 9, kPong = 10 };
constexpr unsigned char kFinal = 0x80;
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kLength = 0x7f;
constexpr std::size_t kLength16 = 126;
constexpr std::size_t kLength64 = 127;
constexpr std::size_t kMaskBytes = 4;

void AppendHeader(std::string& out, int opcode, std::size_t size) {
  out.push_back(static_cast<char>(kFinal | opcode));
  char length[sizeof(std::uint64_t)];
  if (size < kLength16) {
    out.push_back(static_cast<char>(size));
  } else if (size <= 0xffff) {
    out.push_back(static_cast<char>(kLength16));
    const std::uint16_t big_endian = htons(static_cast<std::uint16_t>(size));
    std::memcpy(length, &big_endian, sizeof(big_endian));
    out.append(length, sizeof(big_endian));
  } else {
    out.push_back(static_cast<char>(kLength64));
    const std::uint64_t big_endian = htobe64(size);
    std::memcpy(length, &big_endian, sizeof(big_endian));
    out.append(length, sizeof(big_endian));
  }
}

std::size_t LoadBigEndian(const char* data, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(data[i]);
  return value;
}

void Unmask(char* data, std::size_t size, const char* mask) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask, kMaskBytes);
  wide |= wide << 32;
  std::size_t i = 0;
  for (; i + sizeof(wide) <= size; i += sizeof(wide)) {
    std::uint64_t block = 0;
    std::memcpy(&block, data + i, sizeof(block));
    block ^= wide;
    std::memcpy(data + i, &block, sizeof(block));
  }
  for (; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[i % kMaskBytes]);
}

// The value of a header, or "".
std::string FindHeader(absl::string_view head, absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(head);
  const std::size_t at = lower.find(absl::StrCat("\r\n", name, ":"));
  if (at == std::string::npos) return "";
  const std::size_t start = at + name.size() + 3;
  return std::string(
      absl::StripAsciiWhitespace(head.substr(start, head.find("\r\n", start) - start)));
}

std::string AcceptFor(absl::string_view key) {
  const std::string salted = absl::StrCat(key, kKeySalt);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(salted.data()), salted.size(), digest);
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), SHA_DIGEST_LENGTH));
}

}  // namespace

WebSocketServer::WebSocketServer(EpollLoop& loop, Handler& handler)
    : loop_(loop), handler_(handler) {}

WebSocketServer::~WebSocketServer() {
  if (listener_ >= 0) close(listener_);
}

absl::StatusOr<std::uint16_t> WebSocketServer::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, any, size) != 0 || listen(listener_, kBacklog) != 0 ||
      getsockname(listener_, any, &size) != 0) {
    return absl::ErrnoToStatus(errno, "cannot listen");
  }
  loop_.Add(listener_, EPOLLIN, [this](std::uint32_t) { Accept(); });
  return ntohs(address.sin_port);
}

void WebSocketServer::Accept() {
  while (true) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections_[descriptor] = std::make_unique<WebSocketConnection>(*this, descriptor);
    loop_.Add(descriptor, EPOLLIN,
              [this, descriptor](std::uint32_t events) { OnReady(descriptor, events); });
  }
}

void WebSocketServer::OnReady(int descriptor, std::uint32_t events) {
  WebSocketConnection& connection = *connections_.at(descriptor);
  bool alive = true;
  if ((events & EPOLLOUT) != 0) alive = connection.Write();
  if (alive && (events & ~EPOLLOUT) != 0) alive = connection.Read();
  if (alive) return;
  if (connection.open_) handler_.OnClosed(connection);
  loop_.Remove(descriptor);
  connections_.erase(descriptor);
}

void WebSocketServer::Flush() {
  for (const int descriptor : unflushed_) {
    const auto found = connections_.find(descriptor);
    if (found == connections_.end()) continue;
    found->second->unflushed_ = false;
    found->second->Write();  // if that fails, the next read finds out
  }
  unflushed_.clear();
}

WebSocketConnection::WebSocketConnection(WebSocketServer& server, int descriptor)
    : server_(server), descriptor_(descriptor), input_(kReadBytes) {}

WebSocketConnection::~WebSocketConnection() { close(descriptor_); }

void WebSocketConnection::Send(std::initializer_list<absl::string_view> parts) {
  SendFrame(kText, parts);
}

void WebSocketConnection::Abort() { shutdown(descriptor_, SHUT_RDWR); }

void WebSocketConnection::SendFrame(int opcode, std::initializer_list<absl::string_view> parts) {
  std::size_t size = 0;
  for (const absl::string_view part : parts) size += part.size();
  AppendHeader(output_, opcode, size);
  for (const absl::string_view part : parts) output_.append(part.data(), part.size());
  WriteLater();
}

void WebSocketConnection::WriteLater() {
  if (!unflushed_) server_.unflushed_.push_back(descriptor_);
  unflushed_ = true;
}

bool WebSocketConnection::Read() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (input_.size() - end_ < kLeastRoom) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (input_.size() - end_ < kLeastRoom) input_.resize(input_.size() * 2);
  }
  const ssize_t count = read(descriptor_, input_.data() + end_, input_.size() - end_);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  end_ += static_cast<std::size_t>(count);
  if (!open_ && !ReadHandshake()) return true;
  while (!closed_ && ReadFrame()) {
  }
  return !closed_;
}

bool WebSocketConnection::ReadHandshake() {
  const absl::string_view text(input_.data() + begin_, end_ - begin_);
  const std::size_t end = text.find("\r\n\r\n");
  if (end == absl::string_view::npos) return false;
  const std::string head(text.substr(0, end + 2));
  begin_ += end + 4;
  open_ = true;
  absl::StrAppend(&output_, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
                  "Connection: Upgrade\r\nSec-WebSocket-Accept: ",
                  AcceptFor(FindHeader(head, "sec-websocket-key")), "\r\n\r\n");
  WriteLater();
  const std::size_t path = head.find(' ') + 1;
  server_.handler_.OnOpen(*this, absl::string_view(head).substr(path, head.find(' ', path) - path));
  return true;
}

bool WebSocketConnection::ReadFrame() {
  const std::size_t available = end_ - begin_;
  if (available < 2) return false;
  char* const data = input_.data() + begin_;
  const auto first = static_cast<unsigned char>(data[0]);
  const auto second = static_cast<unsigned char>(data[1]);
  std::size_t size = second & kLength;
  std::size_t header = 2;
  if (size == kLength16) header += sizeof(std::uint16_t);
  if (size == kLength64) header += sizeof(std::uint64_t);
  if (available < header) return false;
  if (header > 2) size = LoadBigEndian(data + 2, header - 2);
  const bool masked = (second & kMasked) != 0;
  if (masked) header += kMaskBytes;
  if (available < header + size) return false;
  if (masked) Unmask(data + header, size, data + header - kMaskBytes);
  begin_ += header + size;
  const absl::string_view payload(data + header, size);
  const int opcode = first & 0x0f;
  if (opcode == kClose) {
    SendFrame(kClose, {});
    Write();
    closed_ = true;
  } else if (opcode == kPing) {
    SendFrame(kPong, {payload});
  } else if (opcode == kText && (first & kFinal) != 0) {
    server_.handler_.OnText(*this, payload);
  } else if (opcode == kText || opcode == kContinuation) {
    fragments_.append(payload.data(), payload.size());
    if ((first & kFinal) == 0) return true;
    server_.handler_.OnText(*this, fragments_);
    fragments_.clear();
  }
  return true;
}

bool WebSocketConnection::Write() {
  while (written_ < output_.size()) {
    const ssize_t count =
        send(descriptor_, output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) break;
    written_ += static_cast<std::size_t>(count);
  }
  WaitForRoom(written_ < output_.size());
  if (written_ == output_.size()) {
    written_ = 0;
    output_.clear();
    if (output_.capacity() > kKeptOutput) output_.shrink_to_fit();
  }
  return true;
}

void WebSocketConnection::WaitForRoom(bool wait) {
  if (wait == waits_for_room_) return;
  waits_for_room_ = wait;
  server_.loop_.Change(descriptor_, wait ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

}  // namespace atomemo::benchmark
