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

#include <google/protobuf/message.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "sdk-cpp/src/call_control.h"

namespace atomemo::internal {

// The five call streams of the contract.
enum class StreamKind { kAuthenticate, kOAuth2, kInvoke, kListResources, kMapResource };

// An answer as it goes on the wire: a reply message of the stream's type.
struct Reply {
  StreamKind stream = StreamKind::kInvoke;
  std::shared_ptr<const google::protobuf::Message> message;
};

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
    kAnswered,  // it has run: send `reply` again
  };
  struct Admitted {
    Admission admission;
    Reply reply;
  };
  // `start` has the call run, and must not block. It is called once, in here or, for a call that
  // waits, in whichever function below makes room; never if the call is in the table already.
  Admitted Admit(const std::string& request_id, std::shared_ptr<LiveCallControl> control,
                 std::function<void()> start) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nobody waits for the call any more: its handler is told, and its answer is not kept. If it
  // waits, it is started, so that it can be answered.
  void Cancel(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);
  void CancelAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // The call has an answer, to be kept unless the call was cancelled.
  void Keep(const std::string& request_id, Reply reply) ABSL_LOCKS_EXCLUDED(mutex_);
  // The call's answer has been sent, or there is no session to send it on.
  void End(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The hub has the answer, or will never take it.
  void Forget(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The kept answers, oldest first, without those that are too late to be of use.
  std::vector<Reply> Kept() ABSL_LOCKS_EXCLUDED(mutex_);
  std::size_t kept() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The calls that run, wait or have a kept answer, each once.
  std::vector<std::string> Open() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until no call runs or waits; false if some still do at `deadline`.
  bool WaitIdle(absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Waiting ones too.
  std::size_t running() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Starts = std::vector<std::function<void()>>;
  struct ActiveCall {
    std::shared_ptr<LiveCallControl> control;
    // While the call waits; and its place among those that do.
    std::function<void()> start;
    std::list<std::string>::iterator place;
    // It runs and has no answer yet, and that will be kept.
    bool counts = false;
    bool abandoned = false;
  };
  struct KeptAnswer {
    std::string request_id;
    Reply reply;
    std::int64_t bytes = 0;
    absl::Time deadline;
  };
  using KeptList = std::list<KeptAnswer>;

  bool Idle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return active_.empty(); }
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return kept_.size() + expected_ < max_kept_ && kept_bytes_ < max_kept_bytes_;
  }
  // What starts the waiting calls for which there is room.
  Starts TakeStarts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What starts this one.
  std::function<void()> TakeStart(ActiveCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetCounts(ActiveCall& call, bool counts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Not under the mutex: a start may come back here.
  static void Run(const Starts& starts);
  void Drop(KeptList::iterator kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t max_kept_;
  const std::int64_t max_kept_bytes_;

  mutable absl::Mutex mutex_;
  std::unordered_map<std::string, ActiveCall> active_ ABSL_GUARDED_BY(mutex_);
  // The ids of calls that wait, oldest first.
  std::list<std::string> waiting_ ABSL_GUARDED_BY(mutex_);
  // How many active calls count: so many answers are still to be kept.
  std::size_t expected_ ABSL_GUARDED_BY(mutex_) = 0;
  // Oldest first, with an index by request id.
  KeptList kept_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, KeptList::iterator> kept_by_id_ ABSL_GUARDED_BY(mutex_);
  std::int64_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_
