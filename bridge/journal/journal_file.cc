#include "bridge/journal/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/base/json.h"
#include "bridge/base/log.h"

namespace atomemo::journal {
namespace {

constexpr mode_t kFileMode = 0600;
// Beyond what a bridge with all its limits reached would write.
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;
// Of a file that is made anew, for what is appended next: on a disk that is all but full, the
// journal would else come and go.
constexpr off_t kRoom = 16 << 10;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

// Not so when its owner has put another file in its place since it was opened.
bool IsStillAt(const std::string& path, int fd) {
  struct stat opened = {}, there = {};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &there) == 0 && SameFile(opened, there);
}

// An open, locked, regular file.
absl::StatusOr<int> OpenLocked(const std::string& path, int flags) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags,
           kFileMode);
  if (fd < 0) {
    return SystemError("cannot open the journal (choose another place with --journal)", path);
  }
  absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info = {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the journal ", path, " is not a regular file (choose another place with --journal)"));
  }
  const bool is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (!is_locked && errno != EWOULDBLOCK) return SystemError("cannot lock the journal", path);
  if (!is_locked || !IsStillAt(path, fd)) {
    return absl::UnavailableError(absl::StrCat("another bridge has locked the journal ", path,
                                               ": stop it, or give this one its own --socket"));
  }
  std::move(close_fd).Cancel();
  return fd;
}

absl::Status WriteAll(int fd, absl::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return SystemError("cannot write the journal", path);
    }
  }
  return absl::OkStatus();
}

absl::Status Reserve(int fd, std::size_t size, const std::string& path) {
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size), kRoom) == 0 ||
      errno == EOPNOTSUPP || errno == ENOSYS) {
    return absl::OkStatus();
  }
  return SystemError("cannot make room for the journal", path);
}

// A file that was renamed is there after a crash once its folder is on the disk.
absl::Status SyncFolderOf(const std::string& file) {
  const std::filesystem::path path(file);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("cannot open", folder);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  return fsync(fd) == 0 ? absl::OkStatus() : SystemError("cannot sync", folder);
}

// Hands over each line up to the end of the file, or kMaxFileBytes. Of a line that is too long only
// the beginning.
absl::Status ReadLines(int fd, const std::string& path,
                       const std::function<void(absl::string_view)>& take) {
  std::string line;
  char buffer[64 << 10];
  std::size_t total = 0;
  while (total <= kMaxFileBytes) {
    const ssize_t count = pread(fd, buffer, sizeof(buffer), static_cast<off_t>(total));
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read the journal", path);
    total += static_cast<std::size_t>(count);
    absl::string_view rest(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = rest.find('\n')) != absl::string_view::npos;) {
      line.append(rest.data(), end);
      rest.remove_prefix(end + 1);
      take(line);
      line.clear();
    }
    if (line.size() < kMaxLineBytes) line.append(rest.data(), rest.size());
  }
  if (!line.empty()) take(line);
  return absl::OkStatus();
}

std::string GenerationLine(absl::string_view generation) {
  return absl::StrCat("[\"#\",\"", generation, "\"]\n");
}

std::optional<std::string> ParseGenerationLine(absl::string_view line) {
  const absl::StatusOr<base::Json> json = base::ParseJson(line, /*max_depth=*/2);
  if (!json.ok() || !json->is_array() || json->size() != 2 || (*json)[0] != "#" ||
      !(*json)[1].is_string()) {
    return std::nullopt;
  }
  std::string generation = (*json)[1].get<std::string>();
  if (!generation.empty() && !IsGeneration(generation)) return std::nullopt;
  return generation;
}

}  // namespace

bool IsGeneration(absl::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

JournalFile::JournalFile(std::string path, std::string generation, int fd, bool sync)
    : path_(std::move(path)), sync_(sync), generation_(std::move(generation)), fd_(fd) {
  (void)ATOMEMO_INVARIANT(IsGeneration(generation_));
}

JournalFile::~JournalFile() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<JournalFile>> JournalFile::Open(const std::string& path,
                                                               const std::string& generation,
                                                               bool sync) {
  absl::StatusOr<int> fd = OpenLocked(path, 0);
  if (absl::IsResourceExhausted(fd.status())) fd = -1;
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<JournalFile>(new JournalFile(path, generation, *fd, sync));
}

absl::StatusOr<JournalFile::Contents> JournalFile::Read() {
  if (fd_ < 0) return Contents();
  struct stat info = {};
  if (fstat(fd_, &info) != 0) return SystemError("cannot read the journal", path_);
  if (info.st_size > static_cast<off_t>(kMaxFileBytes)) {
    absl::Status moved = MoveAside("it is larger than a journal can be");
    if (!moved.ok()) return moved;
    return Contents();
  }
  Contents contents;
  std::size_t read = 0;
  std::size_t skipped = 0;
  absl::Status status = ReadLines(fd_, path_, [&](absl::string_view line) {
    if (line.empty()) return;
    if (const std::optional<OwnedNote> note = ParseNoteLine(line)) {
      contents.calls.Apply(note->view());
    } else if (std::optional<std::string> generation = ParseGenerationLine(line)) {
      contents.generation = *std::move(generation);
    } else {
      ++skipped;
      return;
    }
    ++read;
  });
  if (!status.ok()) return status;
  if (skipped == 0) return contents;
  if (read == 0) {
    if (status = MoveAside("nothing in it is a note"); !status.ok()) return status;
    return Contents();
  }
  base::LogWarning("lines of the journal cannot be read: they are skipped",
                   {{"path", path_}, {"lines", skipped}});
  return contents;
}

absl::Status JournalFile::MoveAside(absl::string_view why) {
  const std::string aside = path_ + ".damaged";
  if (rename(path_.c_str(), aside.c_str()) != 0) return SystemError("cannot move aside", path_);
  base::LogError("the journal is no journal: it is moved aside, and what it knew is lost",
                 {{"path", path_}, {"reason", why}, {"moved_to", aside}});
  return absl::OkStatus();
}

absl::Status JournalFile::Append(absl::string_view lines) {
  if (fd_ < 0 || !IsStillAt(path_, fd_)) {
    return absl::UnavailableError(absl::StrCat("the journal ", path_, " is not there any more"));
  }
  absl::Status status = WriteAll(fd_, lines, path_);
  if (status.ok() && sync_ && fdatasync(fd_) != 0) {
    status = SystemError("cannot sync the journal", path_);
  }
  if (status.ok()) {
    size_ += lines.size();
  } else {
    // If that fails too, a line is cut off, which is skipped by whoever reads it.
    (void)!ftruncate(fd_, static_cast<off_t>(size_));
  }
  return status;
}

// The new file takes the old one's place whole, and is locked before it does.
absl::Status JournalFile::Replace(absl::string_view lines) {
  const std::string next = path_ + ".next";
  unlink(next.c_str());
  const absl::StatusOr<int> fd = OpenLocked(next, O_EXCL);
  if (!fd.ok()) return fd.status();
  const std::string text = absl::StrCat(GenerationLine(generation_), lines);
  absl::Status status = WriteAll(*fd, text, next);
  if (status.ok()) status = Reserve(*fd, text.size(), next);
  if (status.ok() && sync_ && fdatasync(*fd) != 0) {
    status = SystemError("cannot sync the journal", next);
  }
  struct stat there = {};
  if (status.ok() && lstat(path_.c_str(), &there) == 0 && (fd_ < 0 || !IsStillAt(path_, fd_))) {
    status = absl::UnavailableError(
        absl::StrCat("somebody has put another file in the place of the journal ", path_));
  }
  if (status.ok() && rename(next.c_str(), path_.c_str()) != 0) {
    status = SystemError("cannot replace the journal", path_);
  }
  if (!status.ok()) {
    close(*fd);
    unlink(next.c_str());
    return status;
  }
  if (fd_ >= 0) close(fd_);
  fd_ = *fd;
  size_ = text.size();
  return sync_ ? SyncFolderOf(path_) : absl::OkStatus();
}

absl::Status JournalFile::Clear() {
  size_ = 0;
  if (fd_ < 0 || !IsStillAt(path_, fd_)) return absl::OkStatus();
  if (ftruncate(fd_, 0) != 0) {
    return unlink(path_.c_str()) == 0 ? absl::OkStatus()
                                      : SystemError("cannot empty the journal", path_);
  }
  // There was room for this line before. It leads the next bridge to the memory, which says more.
  const std::string line = GenerationLine(generation_);
  if (WriteAll(fd_, line, path_).ok()) {
    size_ = line.size();
  } else {
    (void)!ftruncate(fd_, 0);
  }
  return absl::OkStatus();
}

void JournalFile::Seal() { (void)Append(GenerationLine("")); }

}  // namespace atomemo::journal
