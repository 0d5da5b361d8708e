#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_TURN_QUEUE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_TURN_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bridge/base/scheduler.h"

namespace atomemo::plugin_service {

// Brings what one stream reads to the io thread, in order, one message at a time: then it is the
// others' turn, however many this stream has. Past a bound the reader must pause, so that the
// sender feels it. Thread-safe.
template <typename Message>
class TurnQueue : public std::enable_shared_from_this<TurnQueue<Message>> {
 public:
  struct Limits {
    std::size_t max_messages = 0;
    std::size_t max_bytes = 0;
  };
  // `handle` and `read_on` are called on the io thread. `read_on` is called once for every Push
  // that said no, when there is room again.
  TurnQueue(base::Scheduler& io, Limits limits, std::function<void(Message)> handle,
            std::function<void()> read_on)
      : io_(io), limits_(limits), handle_(std::move(handle)), read_on_(std::move(read_on)) {}

  // Handles all that is queued. On the io thread.
  void Flush() {
    while (HandleOne()) {
    }
  }

  // A message was received whose Push takes a while yet. There is one such message at most.
  void Expect() {
    absl::MutexLock lock(&mutex_);
    expects_ = true;
  }
  // Until the next Push.
  bool expects() const {
    absl::MutexLock lock(&mutex_);
    return expects_;
  }

  // True: there is room for another one. The message is taken in any case.
  [[nodiscard]] bool Push(Message message, std::size_t bytes) {
    absl::MutexLock lock(&mutex_);
    expects_ = false;
    queue_.push_back({std::move(message), bytes});
    bytes_ += bytes;
    paused_ = IsFull();
    if (!std::exchange(turn_posted_, true)) PostTurn();
    return !paused_;
  }

 private:
  struct Entry {
    Message message;
    std::size_t bytes;
  };

  bool IsFull() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return queue_.size() >= limits_.max_messages || bytes_ >= limits_.max_bytes;
  }

  void PostTurn() {
    io_.Post([self = this->shared_from_this()] { self->RunTurn(); });
  }

  void RunTurn() {
    HandleOne();
    absl::MutexLock lock(&mutex_);
    turn_posted_ = !queue_.empty();
    if (turn_posted_) PostTurn();
  }

  // False if there is none.
  bool HandleOne() {
    std::optional<Message> message;
    bool read_on = false;
    {
      absl::MutexLock lock(&mutex_);
      if (queue_.empty()) return false;
      message.emplace(std::move(queue_.front().message));
      bytes_ -= queue_.front().bytes;
      queue_.pop_front();
      read_on = paused_ && !IsFull();
      if (read_on) paused_ = false;
    }
    if (read_on) read_on_();
    handle_(*std::move(message));
    return true;
  }

  base::Scheduler& io_;
  const Limits limits_;
  const std::function<void(Message)> handle_;
  const std::function<void()> read_on_;

  mutable absl::Mutex mutex_;
  std::deque<Entry> queue_ ABSL_GUARDED_BY(mutex_);
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool expects_ ABSL_GUARDED_BY(mutex_) = false;
  // The last Push said no.
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  // A turn is to come or under way.
  bool turn_posted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_TURN_QUEUE_H_
