#include "bridge/cli/stop_signal.h"

#include <unistd.h>

#include <thread>

#include "absl/time/time.h"
#include "bridge/base/log.h"

namespace atomemo::cli {
namespace {

// For whoever does not want to wait.
constexpr absl::Duration kLastWords = absl::Milliseconds(100);

}  // namespace

StopSignal::StopSignal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  // A terminal that goes away ends the program in order, too; under nohup it is not to be heard.
  struct sigaction hangup = {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  // A peer that goes away is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // Nor is a file that may not grow any more (ulimit -f).
  std::signal(SIGXFSZ, SIG_IGN);
}

void StopSignal::Wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  std::thread([signals = signals_] {
    int second = 0;
    sigwait(&signals, &second);
    base::FlushLog(kLastWords);
    _exit(128 + second);
  }).detach();
}

}  // namespace atomemo::cli
