#ifndef ATOMEMO_BRIDGE_JOURNAL_JOURNAL_MEMORY_H_
#define ATOMEMO_BRIDGE_JOURNAL_JOURNAL_MEMORY_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::journal {

// The file for the notes that are not in `journal` yet: beside it if that is memory (tmpfs), else
// in /dev/shm. Empty if that is none either. The generation, which is random, is part of the name:
// in a folder where everybody may write, nobody can be there first.
std::string MemoryPathFor(const std::string& journal, absl::string_view generation);
// The one in /dev/shm, whatever the journal's folder is, which is not looked at.
std::string SharedMemoryPathFor(absl::string_view generation);

// The whole file, if it is this user's and has `size` bytes. NOT_FOUND if there is none.
absl::StatusOr<std::string> ReadMemoryFile(const std::string& path, std::size_t size);

// Removes the files of bridges that were killed more than a day ago and had no successor: those
// named like `path`, which may be empty, but for the generation, and locked by nobody.
void RemoveAbandonedFiles(const std::string& path, absl::Time now);

// A block of memory. Written as memory is, so no thread waits for a disk, and, if it is a file of
// tmpfs, there for the next process when this one is killed.
class JournalMemory {
 public:
  // Makes the file, all of it allocated, and locks it. If it cannot be made, or `path` is empty,
  // the memory is this process's only.
  JournalMemory(std::string path, std::size_t size);
  ~JournalMemory();
  JournalMemory(const JournalMemory&) = delete;
  JournalMemory& operator=(const JournalMemory&) = delete;

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

  // Why the next process would not find it; OK if it would. Asks the file system (never a disk's).
  absl::Status CheckOutlivesProcess() const;

  // Nobody needs it any more: removes the file.
  void Remove();

 private:
  absl::Status MapFile();

  const std::string path_;
  const std::size_t size_;
  int fd_ = -1;
  void* data_ = nullptr;
  absl::Status file_error_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_JOURNAL_MEMORY_H_
