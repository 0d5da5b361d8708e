#include "sdk-cpp/src/signal_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace atomemo::internal {
namespace {

// Written by the signal handler.
std::atomic<int> signal_pipe{-1};
std::atomic<bool> signalled{false};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

constexpr char kSignal = 's';
constexpr char kQuit = 'q';

void HandleSignal(int number) {
  if (signalled.exchange(true)) _exit(128 + number);
  const int old_errno = errno;
  const char byte = kSignal;
  if (write(signal_pipe.load(), &byte, 1) < 0) _exit(128 + number);
  errno = old_errno;
}

}  // namespace

SignalWatch::SignalWatch(std::function<void()> on_signal) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;  // Out of descriptors: signals then end the process.
  read_end_ = ends[0];
  write_end_ = ends[1];
  thread_ = std::thread([fd = read_end_, on_signal = std::move(on_signal)] {
    char byte = 0;
    while (true) {
      const ssize_t count = read(fd, &byte, 1);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0 || byte == kQuit) return;
      on_signal();
    }
  });
  signalled = false;
  signal_pipe = write_end_;
  struct sigaction action = {};
  action.sa_handler = &HandleSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &old_term_);
  sigaction(SIGINT, &action, &old_int_);
}

SignalWatch::~SignalWatch() {
  if (!thread_.joinable()) return;
  sigaction(SIGTERM, &old_term_, nullptr);
  sigaction(SIGINT, &old_int_, nullptr);
  while (write(write_end_, &kQuit, 1) < 0 && errno == EINTR) {
  }
  thread_.join();
  close(read_end_);
  close(write_end_);
}

}  // namespace atomemo::internal
