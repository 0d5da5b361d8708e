#ifndef ATOMEMO_SDK_SRC_STDERR_WRITER_H_
#define ATOMEMO_SDK_SRC_STDERR_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace atomemo::internal {

// Writes lines to stderr on a thread of its own, which lives while there are any, so that no call
// waits for whoever reads them. What a queue of 256 KiB does not hold is dropped, and as soon as
// something gets through again, a line says how many. One for the process, for its whole life.
// Thread-safe.
class StderrWriter {
 public:
  static StderrWriter& Instance();

  // `line` ends with a line break.
  void Write(absl::string_view line);

  // Waits until what was written so far is out, but no longer than `limit`. A process that exits
  // does that itself.
  void Flush(absl::Duration limit);

 private:
  void Run();
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !writing_; }

  absl::Mutex mutex_;
  std::string queued_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  // The thread lives.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_SRC_STDERR_WRITER_H_
