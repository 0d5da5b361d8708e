#ifndef ATOMEMO_BRIDGE_BASE_LINE_WRITER_H_
#define ATOMEMO_BRIDGE_BASE_LINE_WRITER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace atomemo::base {

// Writes lines to a file descriptor on a thread of its own, so that nobody ever waits for whoever
// reads them. Lines wait in a bounded queue; what finds it full is dropped and counted, and a
// notice in its place, as soon as there is room, says how many.
//
// A line of at most PIPE_BUF bytes is never mixed with what other processes write to the same pipe.
// Thread-safe. Its thread starts with the first line, and takes no signals.
class LineWriter {
 public:
  // A line that says how many lines were dropped.
  using Notice = std::function<std::string(std::uint64_t dropped)>;

  // The queue holds up to `max_bytes`, and as much again may be on its way out.
  LineWriter(int fd, std::size_t max_bytes, Notice notice);
  // Waits until all is written, so somebody must read (or the other end be closed).
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends with a line break.
  void Write(absl::string_view line);

  // Waits until all that was written so far is out, or `limit` has passed; whether it is out. What
  // failed counts as out.
  bool Flush(absl::Duration limit);

 private:
  void Run();
  // The number of lines that could not be written.
  std::uint64_t WriteOut(absl::string_view lines);
  ssize_t WriteSome(absl::string_view text) const;
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !queued_.empty() || dropped_ > 0 || stopping_;
  }
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return queued_.empty() && dropped_ == 0 && !writing_;
  }

  // Constant after construction.
  const int fd_;
  const std::size_t max_bytes_;
  const Notice notice_;

  // For the writing thread: the last line was not written to its end.
  bool torn_ = false;

  absl::Mutex mutex_;
  std::string queued_ ABSL_GUARDED_BY(mutex_);
  // Lines dropped behind what is queued: until the queue is taken, all further ones are, too, so
  // that the notice stands where they are missing.
  std::uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_LINE_WRITER_H_
