#include "bridge/base/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "bridge/base/signal_free_thread.h"

namespace atomemo::base {
namespace {

// The first lines that fit into one write that is never torn; at least one line.
absl::string_view FirstLines(absl::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == absl::string_view::npos) end = lines.find('\n');
  return lines.substr(0, end == absl::string_view::npos ? end : end + 1);
}

std::uint64_t CountLines(absl::string_view lines) {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

void WaitWritable(int fd) {
  pollfd poll_fd = {fd, POLLOUT, 0};
  poll(&poll_fd, 1, -1);
}

}  // namespace

LineWriter::LineWriter(int fd, std::size_t max_bytes, Notice notice)
    : fd_(fd), max_bytes_(max_bytes), notice_(std::move(notice)) {}

LineWriter::~LineWriter() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void LineWriter::Write(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  if (dropped_ > 0 || queued_.size() + line.size() > max_bytes_) {
    ++dropped_;
  } else {
    queued_.append(line.data(), line.size());
  }
  if (!thread_.joinable()) thread_ = StartWithoutSignals([this] { Run(); });
}

bool LineWriter::Flush(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(this, &LineWriter::IsIdle), limit);
}

void LineWriter::Run() {
  std::string lines;
  std::uint64_t missing = 0;
  while (true) {
    std::uint64_t dropped = 0;
    lines.clear();
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      mutex_.Await(absl::Condition(this, &LineWriter::HasWork));
      if (queued_.empty() && dropped_ == 0) return;
      writing_ = true;
      lines.swap(queued_);
      dropped = std::exchange(dropped_, 0);
    }
    // What a full disk has swallowed is told before what may get through again.
    if (missing > 0 && WriteOut(notice_(missing)) == 0) missing = 0;
    missing += WriteOut(lines) + dropped;
    if (dropped > 0 && WriteOut(notice_(missing)) == 0) missing = 0;
  }
}

std::uint64_t LineWriter::WriteOut(absl::string_view lines) {
  if (torn_ && WriteSome("\n") != 1) return CountLines(lines);
  torn_ = false;
  while (!lines.empty()) {
    const ssize_t count = WriteSome(FirstLines(lines));
    if (count < 0) return CountLines(lines);
    if (count == 0) continue;
    torn_ = lines[static_cast<std::size_t>(count) - 1] != '\n';
    lines.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

// As write(2), but waits where that would not.
ssize_t LineWriter::WriteSome(absl::string_view text) const {
  while (true) {
    const ssize_t count = write(fd_, text.data(), text.size());
    if (count >= 0) return count;
    if (errno == EAGAIN) {
      WaitWritable(fd_);
    } else if (errno != EINTR) {
      return count;
    }
  }
}

}  // namespace atomemo::base
