#include "bridge/base/asio_scheduler.h"

#include <asio/post.hpp>
#include <chrono>
#include <utility>

namespace atomemo::base {

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

}  // namespace atomemo::base
