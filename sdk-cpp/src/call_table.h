#ifndef ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_
#define ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "sdk-cpp/src/bridge_stream.h"
#include "sdk-cpp/src/call_control.h"

namespace atomemo::internal {

// The calls that the plugin has, and the finished answers that the hub does not surely have yet.
// Outlives sessions: this is what makes a call run once and its answer arrive although the bridge
// restarts. Thread-safe.
//
// A kept answer is given up for nothing but its age. What is bounded is how many calls are started:
// one that would have an answer too many waits until the hub has taken some.
class CallTable {
 public:
  // No call is started while running calls and kept answers together are `max_kept`, or kept
  // answers have `max_kept_bytes`. Both are 1 at least.
  CallTable(int max_kept, std::int64_t max_kept_bytes)
      : max_kept_(static_cast<std::size_t>(std::max(max_kept, 1))),
        max_kept_bytes_(std::max<std::int64_t>(max_kept_bytes, 1)) {}

  enum class Admission {
    kStarted,   // it runs for the first time
    kWaiting,   // it will, once there is room
    kKnown,     // it runs or waits already: its answer will come
    kAnswered,  // it has run: send `answer` again
  };
  struct Admitted {
    Admission admission;
    PluginMessagePtr answer;
  };
  // `start` has the call run, and must not block. It is called once, in here or, for a call that
  // waits, in whichever function below makes room; never if the call is in the table already.
  Admitted Admit(const std::string& request_id, std::shared_ptr<LiveCallControl> control,
                 std::function<void()> start) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nobody waits for the call any more: its handler is told, and its answer is not kept. If it
  // waits, it is started, so that it can be answered.
  void Cancel(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells every handler; answers are kept.
  void CancelAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // The call has an answer, to be kept unless the call was cancelled.
  void End(const std::string& request_id, PluginMessagePtr answer) ABSL_LOCKS_EXCLUDED(mutex_);

  // The hub has the answer, or will never take it.
  void Forget(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The kept answers, oldest first, without those that are too late to be of use.
  std::vector<PluginMessagePtr> Kept() ABSL_LOCKS_EXCLUDED(mutex_);
  std::size_t kept() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The calls that run, wait or have an answer that is of use.
  std::vector<std::string> Open() ABSL_LOCKS_EXCLUDED(mutex_);
  bool empty() const ABSL_LOCKS_EXCLUDED(mutex_);
  // How many calls run or wait.
  std::size_t running() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  //   Waiting ──▶ Running ──▶ Kept ──▶ (gone)
  //      └───────────┴──▶ Abandoned ──────▲
  enum class State { kWaiting, kRunning, kAbandoned, kKept };
  struct Call {
    State state = State::kWaiting;
    std::shared_ptr<LiveCallControl> control;
    std::function<void()> start;  // while it waits
    PluginMessagePtr answer;      // once it is kept
    std::int64_t answer_bytes = 0;
    // Its place in `waiting_` or `kept_`.
    std::list<const std::string*>::iterator place;
  };
  using Calls = std::unordered_map<std::string, Call>;
  using Starts = std::vector<std::function<void()>>;

  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return kept_.size() + running_ < max_kept_ && kept_bytes_ < max_kept_bytes_;
  }
  // The two halves of every step.
  void Enter(State state, Calls::value_type& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(const Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes a waiting call out, and what starts it.
  std::function<void()> Start(State state, Calls::value_type& call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has the waiting calls for which there is room run.
  void StartWhatFits(Starts& starts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Calls::iterator call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Not under the mutex: a start may come back here.
  static void Run(const Starts& starts);

  const std::size_t max_kept_;
  const std::int64_t max_kept_bytes_;

  mutable absl::Mutex mutex_;
  Calls calls_ ABSL_GUARDED_BY(mutex_);
  // The ids of those that wait, and of those that have a kept answer; oldest first.
  std::list<const std::string*> waiting_ ABSL_GUARDED_BY(mutex_);
  std::list<const std::string*> kept_ ABSL_GUARDED_BY(mutex_);
  std::int64_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // So many answers are still to be kept.
  std::size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_
