#include "bridge/base/signal_free_thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace atomemo::base {
namespace {

// On the calling thread, as long as it lives: also when no thread can be started.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::thread StartWithoutSignals(std::function<void()> run) {
  const AllSignalsBlocked blocked;
  return std::thread(std::move(run));
}

}  // namespace atomemo::base
