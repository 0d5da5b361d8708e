#include "bridge/base/blocking_calls.h"

#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "bridge/base/signal_free_thread.h"

namespace atomemo::base {

struct BlockingCalls::Shared {
  absl::Mutex mutex;
  // Null once nobody wants a result any more.
  std::function<void(Task)> post ABSL_GUARDED_BY(mutex);
  std::size_t running ABSL_GUARDED_BY(mutex) = 0;

  bool wanted() {
    absl::MutexLock lock(&mutex);
    return post != nullptr;
  }

  // On the thread.
  static void Finish(const std::shared_ptr<Shared>& self, Task result) {
    absl::MutexLock lock(&self->mutex);
    --self->running;
    if (self->post == nullptr) return;
    self->post([self, result = std::move(result)] {
      if (self->wanted()) result();
    });
  }
};

BlockingCalls::BlockingCalls(std::function<void(Task)> post, std::size_t max_threads)
    : shared_(std::make_shared<Shared>()), max_threads_(max_threads) {
  absl::MutexLock lock(&shared_->mutex);
  shared_->post = std::move(post);
}

BlockingCalls::~BlockingCalls() {
  absl::MutexLock lock(&shared_->mutex);
  shared_->post = nullptr;
}

absl::Status BlockingCalls::Run(std::function<Task()> work) {
  absl::MutexLock lock(&shared_->mutex);
  if (shared_->running >= max_threads_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the ", max_threads_, " look-ups and reads under way do not end"));
  }
  try {
    StartWithoutSignals([shared = shared_, work = std::move(work)] {
      Shared::Finish(shared, work());
    }).detach();
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("no further thread: ", error.what()));
  }
  ++shared_->running;
  return absl::OkStatus();
}

}  // namespace atomemo::base
