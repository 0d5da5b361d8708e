#include "bridge/plugin_service/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"

namespace atomemo::plugin_service {
namespace {

// Connections' numbers start here, above those that the process opens for itself.
constexpr int kFirstNumber = 64;
// How long to wait when the process has no descriptors left.
constexpr int kExhaustedWaitMs = 100;

}  // namespace

UnixListener::UnixListener(SocketFileOptions options, absl::Duration check_interval,
                           OnConnection on_connection)
    : options_(std::move(options)),
      check_interval_(check_interval),
      on_connection_(std::move(on_connection)),
      next_number_(kFirstNumber) {}

UnixListener::~UnixListener() { Stop(); }

absl::Status UnixListener::Start() {
  absl::StatusOr<std::unique_ptr<SocketFile>> file = SocketFile::Listen(options_);
  if (!file.ok()) return file.status();
  stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd_ < 0) return absl::ErrnoToStatus(errno, "cannot make an event descriptor");
  file_ = *std::move(file);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void UnixListener::Stop() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_fd_, 1);
  thread_.join();
  file_.reset();
  close(stop_fd_);
}

void UnixListener::Run() {
  using Clock = std::chrono::steady_clock;
  const auto interval = absl::ToChronoMilliseconds(check_interval_);
  Clock::time_point next_check = Clock::now() + interval;
  for (;;) {
    pollfd fds[] = {{stop_fd_, POLLIN, 0}, {file_->fd(), POLLIN, 0}};
    poll(fds, 2, static_cast<int>(interval.count()));
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) AcceptAll();
    if (Clock::now() < next_check) continue;
    KeepFile();
    next_check = Clock::now() + interval;
  }
}

void UnixListener::AcceptAll() {
  while (AcceptOne()) {
  }
}

bool UnixListener::AcceptOne() {
  const int accepted = accept4(file_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    base::LogError("cannot accept a plugin's connection", {{"error", std::strerror(errno)}});
    pollfd stop = {stop_fd_, POLLIN, 0};
    poll(&stop, 1, kExhaustedWaitMs);
    return false;
  }
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    base::LogError("cannot tell who connects", {{"error", std::strerror(errno)}});
    close(accepted);
    return true;
  }
  const int fd = MoveToFreshNumber(accepted);
  if (fd >= 0) on_connection_(fd, PeerIdentity{credentials.uid, credentials.pid});
  return true;
}

int UnixListener::MoveToFreshNumber(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, next_number_);
  if (moved < 0) moved = fcntl(fd, F_DUPFD_CLOEXEC, kFirstNumber);  // from the start again
  if (moved < 0) base::LogError("no descriptor for a plugin", {{"error", std::strerror(errno)}});
  close(fd);
  if (moved >= 0) next_number_ = moved + 1;
  return moved;
}

void UnixListener::KeepFile() {
  const SocketFile::State state = file_->Check();
  if (state == SocketFile::State::kOurs) return;
  if (state == SocketFile::State::kForeign) {
    if (!std::exchange(foreign_reported_, true)) {
      base::LogError("another process has put its own file in the socket's place",
                     {{"path", options_.path}});
    }
    return;
  }
  absl::StatusOr<std::unique_ptr<SocketFile>> made = SocketFile::Listen(options_);
  if (!made.ok()) {
    base::LogError("the socket was deleted and cannot be made again",
                   {{"path", options_.path}, {"error", made.status().ToString()}});
    return;
  }
  base::LogWarning("the socket was deleted: made it again", {{"path", options_.path}});
  AcceptAll();  // who connected before the file was deleted
  file_ = *std::move(made);
}

}  // namespace atomemo::plugin_service
