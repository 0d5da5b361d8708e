#include "bridge/base/log_throttle.h"

#include <utility>

namespace atomemo::base {

LogThrottle::~LogThrottle() {
  scheduler_.Cancel(timer_);
  LogWaiting();
}

void LogThrottle::Log(Line line) {
  if (timer_ != Scheduler::kNoTimer) {
    if (waiting_++ == 0) line_ = std::move(line);
    return;
  }
  timer_ = scheduler_.After(every_, [this] { OnTimer(); });
  line(1);
}

void LogThrottle::OnTimer() {
  timer_ = Scheduler::kNoTimer;
  if (waiting_ == 0) return;
  timer_ = scheduler_.After(every_, [this] { OnTimer(); });
  LogWaiting();
}

void LogThrottle::LogWaiting() {
  if (waiting_ == 0) return;
  std::exchange(line_, nullptr)(std::exchange(waiting_, 0));
}

}  // namespace atomemo::base
