#include "bridge/journal/note_ring.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "absl/status/status.h"
#include "bridge/base/invariant.h"

namespace atomemo::journal {
namespace {

constexpr std::uint64_t kMagic = 0x676e697265746f6eu;  // "notering"
constexpr std::size_t kMaxGenerationSize = 32;
constexpr std::size_t kCacheLine = 64;

// Each record has its size in front.
using RecordSize = std::uint32_t;

// `size` bytes from the position on.
std::string CopyOut(absl::string_view data, std::uint64_t position, std::size_t size) {
  const std::size_t begin = position % data.size();
  const std::size_t first = std::min(size, data.size() - begin);
  std::string bytes(data.substr(begin, first));
  bytes.append(data.data(), size - first);
  return bytes;
}

}  // namespace

struct NoteRing::Header {
  std::uint64_t magic;
  std::uint64_t size;
  char generation[kMaxGenerationSize];
  std::atomic<std::uint32_t> gaps;
  alignas(kCacheLine) std::atomic<std::uint64_t> head;
  alignas(kCacheLine) std::atomic<std::uint64_t> tail;
};

NoteRing::NoteRing(void* memory, std::size_t size, absl::string_view generation)
    : memory_(static_cast<char*>(memory)),
      size_(size),
      data_offset_(sizeof(Header)),
      header_(new (memory) Header()) {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
                    std::atomic<std::uint32_t>::is_always_lock_free,
                "another process reads them");
  header_->size = size;
  std::memset(header_->generation, 0, kMaxGenerationSize);
  generation.copy(header_->generation, kMaxGenerationSize);
  header_->magic = kMagic;
}

bool NoteRing::Push(absl::string_view record) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::uint64_t used = head - tail_.load(std::memory_order_acquire);
  if (!ATOMEMO_INVARIANT(used <= capacity())) return false;
  if (record.size() + sizeof(RecordSize) > capacity() - used) return false;
  const auto size = static_cast<RecordSize>(record.size());
  CopyIn(head, absl::string_view(reinterpret_cast<const char*>(&size), sizeof(size)));
  CopyIn(head + sizeof(size), record);
  // A process that is killed before this has not pushed it.
  header_->head.store(head + sizeof(size) + record.size(), std::memory_order_release);
  head_.store(head + sizeof(size) + record.size(), std::memory_order_seq_cst);
  return true;
}

void NoteRing::CopyIn(std::uint64_t position, absl::string_view bytes) {
  const std::size_t begin = position % capacity();
  const std::size_t first = std::min(bytes.size(), capacity() - begin);
  std::memcpy(data() + begin, bytes.data(), first);
  std::memcpy(data(), bytes.data() + first, bytes.size() - first);
}

std::string NoteRing::Copy() const {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = head_.load(std::memory_order_seq_cst);
  if (!ATOMEMO_INVARIANT(head - tail <= capacity())) return "";
  return CopyOut(absl::string_view(data(), capacity()), tail, head - tail);
}

void NoteRing::Release(std::size_t size) {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  if (!ATOMEMO_INVARIANT(size <= head_.load(std::memory_order_relaxed) - tail)) return;
  header_->tail.store(tail + size, std::memory_order_release);
  tail_.store(tail + size, std::memory_order_seq_cst);
}

bool NoteRing::empty() const { return head_.load() == tail_.load(); }

void NoteRing::AddGap(RingGap gap) {
  gaps_.fetch_or(gap);
  header_->gaps.fetch_or(gap);
}

void NoteRing::RemoveGap(RingGap gap) {
  gaps_.fetch_and(~static_cast<std::uint32_t>(gap));
  header_->gaps.fetch_and(~static_cast<std::uint32_t>(gap));
}

void AppendRecord(absl::string_view record, std::string& records) {
  const auto size = static_cast<RecordSize>(record.size());
  records.append(reinterpret_cast<const char*>(&size), sizeof(size));
  records.append(record.data(), record.size());
}

absl::Status SplitRecords(absl::string_view bytes, std::vector<absl::string_view>& records) {
  while (!bytes.empty()) {
    RecordSize size = 0;
    if (bytes.size() < sizeof(size)) return absl::DataLossError("a record's size is cut off");
    std::memcpy(&size, bytes.data(), sizeof(size));
    bytes.remove_prefix(sizeof(size));
    if (size > bytes.size()) return absl::DataLossError("a record is cut off");
    records.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return absl::OkStatus();
}

absl::StatusOr<RingRemains> NoteRing::Read(absl::string_view bytes, absl::string_view generation) {
  const auto field = [bytes](std::size_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  };
  if (bytes.size() <= sizeof(Header) || field(offsetof(Header, magic)) != kMagic ||
      field(offsetof(Header, size)) != bytes.size()) {
    return absl::DataLossError("it is no ring of notes");
  }
  std::string expected(generation.substr(0, kMaxGenerationSize));
  expected.resize(kMaxGenerationSize);
  if (bytes.substr(offsetof(Header, generation), kMaxGenerationSize) != expected) {
    return absl::FailedPreconditionError("it belongs to another file");
  }
  const absl::string_view data = bytes.substr(sizeof(Header));
  const std::uint64_t tail = field(offsetof(Header, tail));
  const std::uint64_t used = field(offsetof(Header, head)) - tail;
  if (used > data.size()) return absl::DataLossError("it holds more than it can");
  RingRemains remains;
  std::memcpy(&remains.gaps, bytes.data() + offsetof(Header, gaps), sizeof(remains.gaps));
  const std::string copied = CopyOut(data, tail, used);
  std::vector<absl::string_view> records;
  if (absl::Status status = SplitRecords(copied, records); !status.ok()) return status;
  for (absl::string_view record : records) remains.records.emplace_back(record);
  return remains;
}

}  // namespace atomemo::journal
