// Preloaded (LD_PRELOAD) into a process, counts its allocations in the file $COUNT_ALLOCATIONS: two
// 64-bit numbers in the machine's byte order, how many there were and how many bytes they asked
// for.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
// glibc's own.
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* old, std::size_t size);               // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT
}

namespace {

struct Counts {
  std::atomic<std::uint64_t> allocations;
  std::atomic<std::uint64_t> bytes;
};

Counts before_start;  // what is allocated before there is a file
Counts* counts = &before_start;

void Count(std::size_t bytes) {
  counts->allocations.fetch_add(1, std::memory_order_relaxed);
  counts->bytes.fetch_add(bytes, std::memory_order_relaxed);
}

__attribute__((constructor)) void MapFile() {
  const char* const path = std::getenv("COUNT_ALLOCATIONS");
  if (path == nullptr) return;
  constexpr int kMode = 0600;
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (file < 0) return;
  void* const mapped =
      ftruncate(file, sizeof(Counts)) == 0
          ? mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
          : MAP_FAILED;
  close(file);
  if (mapped != MAP_FAILED) counts = static_cast<Counts*>(mapped);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  Count(size);
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  Count(count * size);
  return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  Count(size);
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  Count(size);
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  *result = memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}

}  // extern "C"
