#include "bridge/plugin_service/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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
// They end before this, however many descriptors the process may have: the kernel's table is as
// long as the highest number in use.
constexpr rlim_t kLastNumber = 1 << 17;
// The last numbers below the process's limit are not for plugins: the hub's connections and files
// need descriptors too.
constexpr rlim_t kReserved = 32;
// How long to wait when the process has no descriptors left.
constexpr int kExhaustedWaitMs = 100;

// The first number that is not for connections.
int NumberLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFirstNumber;
  const rlim_t usable = limit.rlim_cur > kReserved ? limit.rlim_cur - kReserved : 0;
  return static_cast<int>(std::min(usable, kLastNumber));
}

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
    ReportExhausted(std::strerror(errno));
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
  if (fd < 0) {
    ReportExhausted("all are in use");
    return true;
  }
  exhausted_reported_ = false;
  on_connection_(fd, PeerIdentity{credentials.uid, credentials.pid});
  return true;
}

int UnixListener::MoveToFreshNumber(int fd) {
  int moved = Duplicate(fd, next_number_);
  if (moved < 0) moved = Duplicate(fd, kFirstNumber);  // from the start again
  close(fd);
  if (moved >= 0) next_number_ = moved + 1;
  return moved;
}

int UnixListener::Duplicate(int fd, int first_number) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, first_number);
  if (moved < NumberLimit()) return moved;
  close(moved);
  return -1;
}

void UnixListener::ReportExhausted(const char* error) {
  if (std::exchange(exhausted_reported_, true)) return;
  base::LogError(
      "no file descriptor left for a plugin's connection: raise the limit on open files "
      "(ulimit -n, LimitNOFILE=, docker's --ulimit nofile=)",
      {{"error", error}, {"for_plugins", NumberLimit() - kFirstNumber}});
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
