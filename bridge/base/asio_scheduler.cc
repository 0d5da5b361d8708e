#include "bridge/base/asio_scheduler.h"

#include <malloc.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "bridge/base/signal_free_thread.h"

namespace atomemo::base {

namespace {

// What is worked on aside is large, and took many times its size in small pieces, which malloc
// keeps for the next one. Looked at soon, and once more when answers have settled and are gone.
constexpr std::chrono::seconds kTrimAfter{1};
constexpr std::chrono::seconds kTrimAgainAfter{5};

void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

struct AsioScheduler::Aside {
  Aside() : thread(StartWithoutSignals([this] { queue.run(); })) {}
  ~Aside() {
    queue.stop();
    thread.join();
  }

  // Gives what has become free by then back to the system. On the thread.
  void TrimSoon() {
    trim_again = true;
    if (!std::exchange(trim_is_due, true)) TrimAfter(kTrimAfter);
  }
  void TrimAfter(std::chrono::seconds delay) {
    trim_timer.expires_after(delay);
    trim_timer.async_wait([this](const asio::error_code& error) {
      if (error) return;
      ReturnFreeMemory();
      trim_is_due = std::exchange(trim_again, false);
      if (trim_is_due) TrimAfter(kTrimAgainAfter);
    });
  }

  asio::io_context queue{1};
  const asio::executor_work_guard<asio::io_context::executor_type> work{queue.get_executor()};
  asio::steady_timer trim_timer{queue};
  bool trim_is_due = false;
  bool trim_again = false;
  std::thread thread;
};

AsioScheduler::AsioScheduler(asio::io_context& io) : io_(io) {}

AsioScheduler::~AsioScheduler() = default;

absl::Time AsioScheduler::Now() const {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return absl::UnixEpoch() + absl::FromChrono(since_start);
}

Scheduler::TimerId AsioScheduler::After(absl::Duration delay, Task task) {
  const TimerId id = ++last_id_;
  auto timer = std::make_unique<asio::steady_timer>(io_);
  timer->expires_after(absl::ToChronoNanoseconds(std::max(delay, absl::ZeroDuration())));
  timer->async_wait([this, id, task = std::move(task)](const asio::error_code& error) {
    // A timer cancelled after it fired arrives without an error: the map is the truth. After
    // destruction only operation_aborted can arrive, so `this` is not touched then.
    if (error || timers_.erase(id) == 0) return;
    task();
  });
  timers_.emplace(id, std::move(timer));
  return id;
}

void AsioScheduler::Cancel(TimerId id) { timers_.erase(id); }

void AsioScheduler::Post(Task task) { asio::post(io_, std::move(task)); }

void AsioScheduler::RunAside(Task work, Task done) {
  std::call_once(aside_started_, [this] { aside_ = std::make_unique<Aside>(); });
  asio::post(aside_->queue, [this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;  // what it holds may take long to go
    aside_->TrimSoon();
    if (done != nullptr) Post(std::move(done));
  });
}

}  // namespace atomemo::base
