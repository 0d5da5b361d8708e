#ifndef ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_
#define ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_

#include <cstddef>
#include <cstdint>
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

// The calls that run, and the finished answers that the hub does not surely have yet. Outlives
// sessions: this is what makes a call run once and its answer arrive although the bridge restarts.
// Thread-safe.
class CallTable {
 public:
  // Kept answers are bounded in number and in bytes; past that the oldest are given up.
  CallTable(int max_kept, std::int64_t max_kept_bytes)
      : max_kept_(max_kept), max_kept_bytes_(max_kept_bytes) {}

  enum class Admission {
    kNew,       // run it
    kRunning,   // it runs already: its answer will come
    kAnswered,  // it has run: send `reply` again
  };
  struct Admitted {
    Admission admission;
    Reply reply;
  };
  Admitted Admit(const std::string& request_id, std::shared_ptr<LiveCallControl> control)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Nobody waits for the call any more: its handler is told, and its answer is not kept.
  void Cancel(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);
  void CancelAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // The call has an answer, to be kept unless the call was cancelled. Returns how many kept answers
  // were given up to make room.
  int Keep(const std::string& request_id, Reply reply) ABSL_LOCKS_EXCLUDED(mutex_);
  // The call's answer has been sent, or there is no session to send it on.
  void End(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The hub has the answer, or will never take it.
  void Forget(const std::string& request_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The kept answers, oldest first, without those that are too late to be of use.
  std::vector<Reply> Kept() ABSL_LOCKS_EXCLUDED(mutex_);

  // The calls that run or have a kept answer, each once.
  std::vector<std::string> Open() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until no call runs; false if some still run at `deadline`.
  bool WaitIdle(absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mutex_);
  std::size_t running() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct KeptAnswer {
    std::string request_id;
    Reply reply;
    std::int64_t bytes = 0;
    absl::Time deadline;
  };
  using KeptList = std::list<KeptAnswer>;

  bool Idle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return running_.empty(); }
  void Drop(KeptList::iterator kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int max_kept_;
  const std::int64_t max_kept_bytes_;

  mutable absl::Mutex mutex_;
  struct Running {
    std::shared_ptr<LiveCallControl> control;
    bool abandoned = false;
  };
  std::unordered_map<std::string, Running> running_ ABSL_GUARDED_BY(mutex_);
  // Oldest first, with an index by request id.
  KeptList kept_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, KeptList::iterator> kept_by_id_ ABSL_GUARDED_BY(mutex_);
  std::int64_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_TABLE_H_
