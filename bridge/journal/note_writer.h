#ifndef ATOMEMO_BRIDGE_JOURNAL_NOTE_WRITER_H_
#define ATOMEMO_BRIDGE_JOURNAL_NOTE_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bridge/journal/call_note.h"
#include "bridge/journal/journal_file.h"
#include "bridge/journal/journal_memory.h"
#include "bridge/journal/note_ring.h"
#include "bridge/journal/open_calls.h"

namespace atomemo::journal {

// For operators.
struct JournalHealth {
  // The store is written. If not, the next process would not know the calls of this one, should it
  // be killed now.
  bool ok = true;
  // Why not; or, if it is, what could be lost of the last moments. Empty if all is well.
  std::string problem;
};

// Takes notes from the io thread, and keeps them in a store on a thread of its own.
//
//   io thread ──Add──▶ ring ──────────▶ writing thread ──▶ store
//                 └──▶ overflow ──────────────┘             (blocks, fails)
//
// Notes go through the ring, which a killed process leaves behind. While it is full, because the
// store has not come back, they are gathered by call in `overflow`, where a call that begins and
// ends leaves nothing: the bound is that of open calls. The ring then has a gap, and so has a store
// that fails: should the process be killed meanwhile, what is left is not believed. The writing
// thread knows all open calls, and writes them anew once the store works again.
//
// Of one call's notes the order is kept, always: while `overflow` is in use, nothing goes into the
// ring, and it is taken only when the ring is empty.
class NoteWriter {
 public:
  struct Options {
    // The store is rewritten when it has grown to this size, and twice what open calls need.
    std::size_t compact_bytes = std::size_t{4} << 20;
    // How often a store that fails is tried again; one that fails again and again, less often.
    absl::Duration retry = absl::Seconds(1);
    absl::Duration max_retry = absl::Seconds(10);
    // How long a store may take before `health` says so.
    absl::Duration stalled_after = absl::Seconds(2);
  };

  // `calls` are in the store already, unless `first_write` says why they are not; `memory` is
  // fresh. The thread ends with Stop.
  static std::shared_ptr<NoteWriter> Start(std::unique_ptr<JournalStore> store,
                                           std::unique_ptr<JournalMemory> memory,
                                           absl::string_view generation, OpenCalls calls,
                                           Options options,
                                           absl::Status first_write = absl::OkStatus());
  NoteWriter(const NoteWriter&) = delete;
  NoteWriter& operator=(const NoteWriter&) = delete;

  // For one thread at a time. Never waits for the store, and makes a system call only to wake the
  // writing thread. Ignores calls that are not open, unless it opens them.
  void Add(const CallNote& note);

  // Thread-safe, and the last.
  JournalHealth health() const;

  // Waits until all that was added so far has reached the store or failed; whether it has, within
  // `limit`.
  bool Flush(absl::Duration limit);

  // The same, and ends the thread. One that the store does not let go is left behind.
  bool Stop(absl::Duration limit);

 private:
  // Of one call, while the ring is full.
  struct Overflow {
    bool known_elsewhere;  // it was open before: the ring or the store has it
    std::string records;
  };

  NoteWriter(std::unique_ptr<JournalStore> store, std::unique_ptr<JournalMemory> memory,
             absl::string_view generation, OpenCalls calls, Options options,
             absl::Status first_write);

  // For the thread that adds. `was_open`: before the note.
  void AddToOverflow(const CallNote& note, bool was_open);
  void Wake();

  // For the writing thread.
  void Run();
  // Whether there was something.
  bool TakeFromRing();
  bool TakeFromOverflow();
  // Nothing was taken. False if something has come since.
  bool Settle(std::uint64_t flushes_asked);
  // The notes as lines.
  std::string Apply(absl::string_view records);
  void Write(const std::string& lines);
  // All open calls.
  absl::Status Replace();
  // The store could not be written.
  void StartAnew(const absl::Status& why);
  // Nor written anew: from now on `failing_`, until a Retry succeeds.
  void Fail(const absl::Status& why);
  void Retry();
  void SetBusy(bool busy);
  void CheckMemory();
  // Until there may be something to do.
  void Rest(bool was_busy);
  bool IsCalled() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return woken_ || stopping_ || flushes_asked_ > flushes_done_;
  }

  // Constant after construction.
  const Options options_;
  const std::unique_ptr<JournalMemory> memory_;
  const absl::Status first_write_;

  // For the thread that adds.
  CallSet open_;
  std::string scratch_;
  absl::Time next_overflow_log_ = absl::InfinitePast();

  // For the writing thread.
  std::unique_ptr<JournalStore> store_;
  OpenCalls calls_;
  std::size_t size_ = 0;
  std::size_t compact_at_ = 0;
  bool store_is_outdated_ = false;
  bool failing_ = false;
  absl::Duration retry_;
  absl::Time retry_at_;
  absl::Time failing_since_;
  absl::Time recovered_at_ = absl::InfinitePast();
  bool memory_is_lost_ = false;

  // For both.
  NoteRing ring_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> overflowing_{false};  // set under the mutex

  mutable absl::Mutex mutex_;
  CallMap<Overflow> overflow_ ABSL_GUARDED_BY(mutex_);
  std::string failure_ ABSL_GUARDED_BY(mutex_);
  std::string memory_problem_ ABSL_GUARDED_BY(mutex_);
  absl::Time busy_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t flushes_asked_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t flushes_done_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_NOTE_WRITER_H_
