#ifndef ATOMEMO_SDK_CPP_SRC_SIGNAL_WATCH_H_
#define ATOMEMO_SDK_CPP_SRC_SIGNAL_WATCH_H_

#include <signal.h>

#include <functional>
#include <thread>

namespace atomemo::internal {

// Calls `on_signal` on a thread of its own at the first SIGTERM or SIGINT; a second one ends the
// process. The destructor puts back what was there before. At most one at a time in a process.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void()> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  int read_end_ = -1;
  int write_end_ = -1;
  struct sigaction old_term_ = {};
  struct sigaction old_int_ = {};
  std::thread thread_;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_SIGNAL_WATCH_H_
