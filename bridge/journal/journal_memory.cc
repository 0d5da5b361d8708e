#include "bridge/journal/journal_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <new>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/journal/journal_file.h"

namespace atomemo::journal {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr char kSharedMemory[] = "/dev/shm";
constexpr absl::Duration kAbandonedAfter = absl::Hours(24);

bool IsMemory(const std::string& folder) {
  struct statfs info = {};
  return statfs(folder.c_str(), &info) == 0 &&
         (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

// Whatever somebody may have put there: no link is followed, and no FIFO waited for. -1 if it is
// not a file of this user's.
int OpenOwn(const std::string& path, struct stat& info) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return -1;
  if (fstat(fd, &info) == 0) {
    if (S_ISREG(info.st_mode) && info.st_uid == geteuid()) return fd;
    errno = EPERM;
  }
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

void RemoveIfAbandoned(const std::string& path, absl::Time now) {
  struct stat info = {};
  const int fd = OpenOwn(path, info);
  if (fd < 0) return;
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (absl::FromTimeT(info.st_mtime) + kAbandonedAfter > now) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlink(path.c_str());
}

}  // namespace

std::string MemoryPathFor(const std::string& journal, absl::string_view generation) {
  const std::filesystem::path path(journal);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  if (IsMemory(folder)) return absl::StrCat(journal, ".", generation);
  return SharedMemoryPathFor(generation);
}

std::string SharedMemoryPathFor(absl::string_view generation) {
  if (!IsMemory(kSharedMemory)) return "";
  return absl::StrCat(kSharedMemory, "/atomemo-journal.", generation);
}

absl::StatusOr<std::string> ReadMemoryFile(const std::string& path, std::size_t size) {
  struct stat info = {};
  const int fd = OpenOwn(path, info);
  if (fd < 0) return SystemError("cannot open", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (info.st_size != static_cast<off_t>(size)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not the journal's"));
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = read(fd, bytes.data() + done, size - done);
    if (count == 0) return absl::DataLossError(absl::StrCat(path, " has become shorter"));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return SystemError("cannot read", path);
    }
  }
  return bytes;
}

void RemoveAbandonedFiles(const std::string& path, absl::Time now) {
  if (path.empty()) return;
  const std::filesystem::path own(path);
  const std::string prefix = own.stem().string() + ".";
  DIR* const folder = opendir(own.parent_path().empty() ? "." : own.parent_path().c_str());
  if (folder == nullptr) return;
  const absl::Cleanup close_folder = [folder] { closedir(folder); };
  while (const dirent* const entry = readdir(folder)) {
    absl::string_view generation = entry->d_name;
    if (!absl::ConsumePrefix(&generation, prefix) || !IsGeneration(generation)) continue;
    RemoveIfAbandoned((own.parent_path() / entry->d_name).string(), now);
  }
}

JournalMemory::JournalMemory(std::string path, std::size_t size)
    : path_(std::move(path)), size_(size), file_error_(MapFile()) {
  if (data_ != nullptr) return;
  data_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED) throw std::bad_alloc();
}

absl::Status JournalMemory::MapFile() {
  if (path_.empty()) {
    return absl::UnavailableError(
        absl::StrCat("neither the journal's folder nor ", kSharedMemory, " is memory (tmpfs)"));
  }
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (fd < 0) return SystemError("cannot make", path_);
  absl::Cleanup undo = [this, fd] {
    unlink(path_.c_str());
    close(fd);
  };
  // All of it now: a page that there is no room for when it is written would be a SIGBUS.
  if (const int error = posix_fallocate(fd, 0, static_cast<off_t>(size_)); error != 0) {
    errno = error;
    return SystemError("cannot allocate", path_);
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return SystemError("cannot lock", path_);
  void* const data = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (data == MAP_FAILED) return SystemError("cannot map", path_);
  mlock(data, size_);  // If that is allowed: what was swapped out would have to come from a disk.
  std::move(undo).Cancel();
  fd_ = fd;
  data_ = data;
  return absl::OkStatus();
}

JournalMemory::~JournalMemory() {
  munmap(data_, size_);
  if (fd_ >= 0) close(fd_);
}

absl::Status JournalMemory::CheckOutlivesProcess() const {
  if (!file_error_.ok()) return file_error_;
  struct stat opened = {}, there = {};
  if (fstat(fd_, &opened) == 0 && lstat(path_.c_str(), &there) == 0 &&
      opened.st_ino == there.st_ino && opened.st_dev == there.st_dev) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("somebody has removed ", path_));
}

void JournalMemory::Remove() {
  if (CheckOutlivesProcess().ok()) unlink(path_.c_str());
}

}  // namespace atomemo::journal
