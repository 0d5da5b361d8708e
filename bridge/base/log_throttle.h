#ifndef ATOMEMO_BRIDGE_BASE_LOG_THROTTLE_H_
#define ATOMEMO_BRIDGE_BASE_LOG_THROTTLE_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"

namespace atomemo::base {

// Makes of a flood of like events one log line a second. Of events that come closer together than
// `every`, the first is logged at once, and the others together at the end of that time:
//
//   refusals_.Log([topic = std::string(topic)](std::uint64_t count) {
//     LogWarning("call refused", {{"topic", topic}, {"count", count}});
//   });
//
// Lives on the io thread. What is still to be logged when it goes is logged then.
class LogThrottle {
 public:
  // Logs one line for so many events. Owns all that it names: it may run later.
  using Line = std::function<void(std::uint64_t count)>;

  explicit LogThrottle(Scheduler& scheduler, absl::Duration every = absl::Seconds(1))
      : scheduler_(scheduler), every_(every) {}
  ~LogThrottle();
  LogThrottle(const LogThrottle&) = delete;
  LogThrottle& operator=(const LogThrottle&) = delete;

  // One more event. Of those that are logged together, the first one's line is written; the others'
  // are dropped unused.
  void Log(Line line);

 private:
  void OnTimer();
  void LogWaiting();

  Scheduler& scheduler_;
  const absl::Duration every_;
  Line line_;  // of the first event that waits
  std::uint64_t waiting_ = 0;
  Scheduler::TimerId timer_ = Scheduler::kNoTimer;  // runs while events have to wait
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_LOG_THROTTLE_H_
