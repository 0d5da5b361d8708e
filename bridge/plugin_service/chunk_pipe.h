#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_CHUNK_PIPE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_CHUNK_PIPE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace atomemo::plugin_service {

// Carries an upload's bytes from the completion queue's thread to the one that sends them on. Holds
// few: `on_consumed` asks for the next chunk only when the one before was taken. Thread-safe.
class ChunkPipe {
 public:
  // `on_consumed` is called on the reading thread.
  ChunkPipe(std::size_t expected_bytes, std::function<void()> on_consumed);

  // INVALID_ARGUMENT, for this and the reader, when more comes than was announced.
  absl::Status Write(std::string chunk);

  // Nothing more is written. OK: all should be there; INVALID_ARGUMENT, for this and the reader, if
  // less came than was announced.
  absl::Status Close(absl::Status why);

  // Waits for bytes: at least one, or the error that Write or Close left, or DEADLINE_EXCEEDED.
  absl::StatusOr<std::size_t> Read(char* buffer, std::size_t size, absl::Duration timeout);

  // Waits until everything announced was written and the writer closed the pipe.
  absl::Status WaitForEnd(absl::Duration timeout);

 private:
  bool Readable() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !chunk_.empty() || closed_; }
  bool Closed() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_.has_value(); }
  absl::Status Fail(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t expected_bytes_;
  const std::function<void()> on_consumed_;

  absl::Mutex mutex_;
  std::string chunk_ ABSL_GUARDED_BY(mutex_);
  std::size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // of chunk_
  std::size_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_CHUNK_PIPE_H_
