#ifndef ATOMEMO_BRIDGE_JOURNAL_JOURNAL_FILE_H_
#define ATOMEMO_BRIDGE_JOURNAL_JOURNAL_FILE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/journal/open_calls.h"

namespace atomemo::journal {

// Where the journal's lines are kept. Each method may block, and fail.
class JournalStore {
 public:
  virtual ~JournalStore() = default;
  // All of the lines or, if it fails, none.
  virtual absl::Status Append(absl::string_view lines) = 0;
  // Puts the lines in the place of all that was there before.
  virtual absl::Status Replace(absl::string_view lines) = 0;
  // What it says is not so any more.
  virtual absl::Status Clear() = 0;
  // Nothing needs to be looked for in memory.
  virtual void Seal() = 0;
};

// As a bridge makes them, so that what stands in a file may become part of a path.
bool IsGeneration(absl::string_view text);

// The journal's file. It has lines that name its generation, which is new for each bridge:
//
//   ["#", generation]
//
// The last one counts: `generation` is empty once nothing is in memory. The other lines are notes
// (call_note.h). For one thread at a time.
class JournalFile : public JournalStore {
 public:
  struct Contents {
    std::string generation;
    OpenCalls calls;
  };

  // Opens or makes the file, and locks it. UNAVAILABLE if another bridge has it locked,
  // INVALID_ARGUMENT if it is no regular file; else the system's error. The message names the path
  // and what to do. A full disk is no error: Replace may make the file later. `generation` is that
  // of what is written from now on. `sync`: Append and Replace return once the disk has it.
  static absl::StatusOr<std::unique_ptr<JournalFile>> Open(const std::string& path,
                                                           const std::string& generation,
                                                           bool sync);
  ~JournalFile() override;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  // What is in it. Lines that cannot be read are skipped; a file of nothing else, or far beyond any
  // journal's size, is moved aside (to `{path}.damaged`): it may be somebody's.
  absl::StatusOr<Contents> Read();

  absl::Status Append(absl::string_view lines) override;
  absl::Status Replace(absl::string_view lines) override;
  absl::Status Clear() override;
  void Seal() override;

 private:
  JournalFile(std::string path, std::string generation, int fd, bool sync);
  absl::Status MoveAside(absl::string_view why);

  const std::string path_;
  const bool sync_;
  const std::string generation_;
  int fd_;  // -1: the file could not be made yet
  std::size_t size_ = 0;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_JOURNAL_FILE_H_
