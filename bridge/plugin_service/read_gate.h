#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_READ_GATE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_READ_GATE_H_

#include <cstddef>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace atomemo::plugin_service {

// Decides when a stream may read on: messages that were read but not yet consumed by another thread
// are bounded, and the sender feels it. Thread-safe.
class ReadGate {
 public:
  ReadGate(std::size_t max_messages, std::size_t max_bytes)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  // A message was read. True: read on now; false: read on when Consumed returns true.
  [[nodiscard]] bool Admit(std::size_t bytes) {
    absl::MutexLock lock(&mutex_);
    ++messages_;
    bytes_ += bytes;
    paused_ = IsFull();
    return !paused_;
  }

  // A message was consumed. True: it is this caller who must read on.
  [[nodiscard]] bool Consumed(std::size_t bytes) {
    absl::MutexLock lock(&mutex_);
    --messages_;
    bytes_ -= bytes;
    return paused_ && !IsFull() && std::exchange(paused_, false);
  }

 private:
  bool IsFull() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return messages_ >= max_messages_ || bytes_ >= max_bytes_;
  }

  const std::size_t max_messages_;
  const std::size_t max_bytes_;
  absl::Mutex mutex_;
  std::size_t messages_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_READ_GATE_H_
