#ifndef ATOMEMO_BRIDGE_BASE_PONG_PACER_H_
#define ATOMEMO_BRIDGE_BASE_PONG_PACER_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"

namespace atomemo::base {

// Decides which pings of a peer are answered, so that pongs do not pile up for one that floods and
// does not read: one at once, and of those that come soon after it only the latest (RFC
// 6455, 5.5.3).
//
// Lives on the io thread.
class PongPacer {
 public:
  using Send = std::function<void(const std::string& payload)>;
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);

  // `send` sends a pong.
  PongPacer(Scheduler& scheduler, Send send) : scheduler_(scheduler), send_(std::move(send)) {}
  ~PongPacer() { scheduler_.Cancel(timer_); }
  PongPacer(const PongPacer&) = delete;
  PongPacer& operator=(const PongPacer&) = delete;

  void OnPing(const std::string& payload) {
    if (timer_ != Scheduler::kNoTimer) {
      held_ = payload;
    } else {
      Answer(payload);
    }
  }

 private:
  void Answer(const std::string& payload) {
    timer_ = scheduler_.After(kInterval, [this] {
      timer_ = Scheduler::kNoTimer;
      if (const auto held = std::exchange(held_, std::nullopt)) Answer(*held);
    });
    send_(payload);
  }

  Scheduler& scheduler_;
  const Send send_;
  std::optional<std::string> held_;
  Scheduler::TimerId timer_ = Scheduler::kNoTimer;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_PONG_PACER_H_
