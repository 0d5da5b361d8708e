#ifndef ATOMEMO_BRIDGE_JOURNAL_NOTE_RING_H_
#define ATOMEMO_BRIDGE_JOURNAL_NOTE_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::journal {

// Why a ring must not be believed after its process has died: notes are missing in it and in the
// file.
enum RingGap : std::uint32_t {
  kNoGap = 0,
  kOverflowed = 1,  // the ring was full
  kNotWritten = 2,  // the file could not be written
};

// What a dead process left in a ring.
struct RingRemains {
  // See RingGap.
  std::uint32_t gaps = kNoGap;
  // The notes that were not released, oldest first.
  std::vector<std::string> records;
};

// A queue of notes between one thread that makes them and one that writes them to the file, in
// memory of the caller's. In memory that outlives the process (journal_memory.h), a note has
// survived as soon as Push returns: without a system call, and without waiting for any disk.
class NoteRing {
 public:
  // Holds up to `size` bytes less the header; `memory` is aligned to a page, and outlives this.
  // `generation`, up to 32 bytes, says which file the notes belong to.
  NoteRing(void* memory, std::size_t size, absl::string_view generation);
  NoteRing(const NoteRing&) = delete;
  NoteRing& operator=(const NoteRing&) = delete;

  // What is left in `bytes`, the memory of a ring, from a file that anybody may have written.
  // FAILED_PRECONDITION if it belongs to another generation, DATA_LOSS if it is no ring.
  static absl::StatusOr<RingRemains> Read(absl::string_view bytes, absl::string_view generation);

  // For the thread that makes notes. False if there is no room.
  bool Push(absl::string_view record);

  // For the thread that writes them. All records that have been pushed, as SplitRecords takes them;
  // they stay until they are released.
  std::string Copy() const;
  // The first `size` bytes of what Copy gave are where they belong.
  void Release(std::size_t size);

  // For either thread.
  bool empty() const;
  void AddGap(RingGap gap);
  void RemoveGap(RingGap gap);
  std::uint32_t gaps() const { return gaps_.load(); }

 private:
  struct Header;
  std::size_t capacity() const { return size_ - data_offset_; }
  char* data() const { return memory_ + data_offset_; }
  void CopyIn(std::uint64_t position, absl::string_view bytes);

  // Constant after construction.
  char* const memory_;
  const std::size_t size_;
  const std::size_t data_offset_;
  Header* const header_;

  // The bytes ever pushed and released; their remainder is the place. The header has copies for the
  // next process; these are not where somebody else could write.
  std::atomic<std::uint64_t> head_{0};  // written by the thread that makes notes
  std::atomic<std::uint64_t> tail_{0};  // written by the thread that writes them
  std::atomic<std::uint32_t> gaps_{kNoGap};
};

// Appends the record in the form in which NoteRing::Copy gives them.
void AppendRecord(absl::string_view record, std::string& records);

// Cuts what NoteRing::Copy gives. DATA_LOSS, with what stands before, if it is not that.
absl::Status SplitRecords(absl::string_view bytes, std::vector<absl::string_view>& records);

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_NOTE_RING_H_
