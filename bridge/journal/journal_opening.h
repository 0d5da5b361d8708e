#ifndef ATOMEMO_BRIDGE_JOURNAL_JOURNAL_OPENING_H_
#define ATOMEMO_BRIDGE_JOURNAL_JOURNAL_OPENING_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bridge/journal/journal_file.h"
#include "bridge/journal/open_calls.h"

namespace atomemo::journal {

// Some 8,000 notes: what 7,000 calls a second note in 0.4 seconds.
constexpr std::size_t kMemoryBytes = std::size_t{1} << 20;

struct OpenedJournal {
  std::unique_ptr<JournalStore> file;
  // Of the earlier bridge.
  OpenCalls calls;
  // Why they are not in the file, which is empty then: a full disk, say.
  absl::Status written;
};

// Opens the journal's file, reads it and what is in memory, and writes what is open there as the
// new generation. Blocks. For errors see JournalFile::Open.
absl::StatusOr<OpenedJournal> OpenJournal(const std::string& path, bool sync,
                                          const std::string& generation);

// The same on a thread of its own, which is left behind if it does not come back.
class JournalOpening {
 public:
  using Result = absl::StatusOr<OpenedJournal>;

  // Begins.
  explicit JournalOpening(std::function<Result()> open);

  // Whether it has come back, within `limit`.
  bool Wait(absl::Duration limit) const;
  // Waits for it. Once only.
  Result Take() const;

 private:
  struct State {
    absl::Mutex mutex;
    std::optional<Result> result ABSL_GUARDED_BY(mutex);

    bool IsDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return result.has_value(); }
  };

  const std::shared_ptr<State> state_;
};

// A journal's file that nobody has waited for. What it had is forgotten: Replace, which opens it,
// comes before Append.
class LateStore : public JournalStore {
 public:
  explicit LateStore(JournalOpening opening) : opening_(std::move(opening)) {}

  absl::Status Append(absl::string_view lines) override;
  absl::Status Replace(absl::string_view lines) override;
  absl::Status Clear() override;
  void Seal() override;

 private:
  std::optional<JournalOpening> opening_;  // until it has come back
  absl::Status error_;
  std::unique_ptr<JournalStore> file_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_JOURNAL_OPENING_H_
