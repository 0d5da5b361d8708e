#ifndef ATOMEMO_BRIDGE_BASE_ASIO_SCHEDULER_H_
#define ATOMEMO_BRIDGE_BASE_ASIO_SCHEDULER_H_

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "bridge/base/scheduler.h"

namespace atomemo::base {

// The Scheduler of the running bridge: timers and posts on an asio::io_context that one thread
// runs. The io_context must outlive this object; timers still pending at destruction never run.
class AsioScheduler : public Scheduler {
 public:
  explicit AsioScheduler(asio::io_context& io);
  ~AsioScheduler() override;
  AsioScheduler(const AsioScheduler&) = delete;
  AsioScheduler& operator=(const AsioScheduler&) = delete;

  absl::Time Now() const override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId id) override;
  void Post(Task task) override;
  // The thread starts with the first call. What waits at this object's destruction never runs; what
  // runs then is waited for.
  void RunAside(Task work, Task done) override;

 private:
  struct Aside;

  asio::io_context& io_;
  TimerId last_id_ = kNoTimer;
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers_;
  std::once_flag aside_started_;
  std::unique_ptr<Aside> aside_;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_ASIO_SCHEDULER_H_
