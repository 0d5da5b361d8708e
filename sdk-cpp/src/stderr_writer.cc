#include "sdk-cpp/src/stderr_writer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace atomemo::internal {
namespace {

constexpr std::size_t kMaxQueuedBytes = std::size_t{256} << 10;
// How long a process that exits waits for whoever reads its last lines.
constexpr absl::Duration kExitFlush = absl::Seconds(1);

// Never destroyed: threads may log until the very end.
StderrWriter* g_writer = nullptr;

// The first lines that fit into one write that is not torn; at least one line.
absl::string_view FirstLines(absl::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == absl::string_view::npos) end = lines.find('\n');
  return lines.substr(0, end == absl::string_view::npos ? end : end + 1);
}

// What fails is given up: there is no other place to say so.
void WriteOut(absl::string_view lines) {
  while (!lines.empty()) {
    const absl::string_view next = FirstLines(lines);
    const ssize_t count = write(STDERR_FILENO, next.data(), next.size());
    if (count >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd poll_fd = {STDERR_FILENO, POLLOUT, 0};
      poll(&poll_fd, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

StderrWriter& StderrWriter::Instance() {
  static const bool made = [] {
    g_writer = new StderrWriter();
    // A forked process has neither the thread nor, possibly, a mutex that anybody will release.
    pthread_atfork(nullptr, nullptr, [] { g_writer = new StderrWriter(); });
    std::atexit([] { Instance().Flush(kExitFlush); });
    return true;
  }();
  (void)made;
  return *g_writer;
}

void StderrWriter::Write(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  if (dropped_ > 0 || queued_.size() + line.size() > kMaxQueuedBytes) {
    ++dropped_;
  } else {
    queued_.append(line.data(), line.size());
  }
  if (std::exchange(writing_, true)) return;
  // Signals are for the threads that wait for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { Run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void StderrWriter::Flush(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &StderrWriter::IsIdle), limit);
}

void StderrWriter::Run() {
  std::string lines;
  while (true) {
    std::uint64_t dropped = 0;
    lines.clear();
    {
      absl::MutexLock lock(&mutex_);
      writing_ = !queued_.empty() || dropped_ > 0;
      if (!writing_) return;
      lines.swap(queued_);
      dropped = std::exchange(dropped_, 0);
    }
    if (dropped > 0) {
      absl::StrAppend(&lines,
                      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                      " warning ", dropped,
                      " lines of the log dropped: whoever reads stderr does not keep up\n");
    }
    WriteOut(lines);
  }
}

}  // namespace atomemo::internal
