#ifndef ATOMEMO_BRIDGE_CLI_STOP_SIGNAL_H_
#define ATOMEMO_BRIDGE_CLI_STOP_SIGNAL_H_

#include <csignal>

namespace atomemo::cli {

// SIGTERM, SIGINT and (but for nohup) SIGHUP as something to wait for. Made before any other thread
// starts, so that all inherit the mask.
class StopSignal {
 public:
  StopSignal();

  // Blocks until the first signal. A second one, while what follows takes its time, ends the
  // process at once with the exit code 128 + signal.
  void Wait();

 private:
  sigset_t signals_;
};

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_STOP_SIGNAL_H_
