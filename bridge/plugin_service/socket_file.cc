#include "bridge/plugin_service/socket_file.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {
namespace {

constexpr std::size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr int kBacklog = 128;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(what, " ", path));
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::StatusOr<std::optional<gid_t>> FindGroup(const std::string& group) {
  if (group.empty()) return std::nullopt;
  std::uint32_t number = 0;
  if (absl::SimpleAtoi(group, &number)) return static_cast<gid_t>(number);
  std::vector<char> buffer(64 * 1024);
  struct group entry = {};
  struct group* found = nullptr;
  getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("there is no group \"", group, "\""));
  }
  return entry.gr_gid;
}

absl::Status GiveToGroup(const std::string& path, std::optional<gid_t> group) {
  if (!group || chown(path.c_str(), static_cast<uid_t>(-1), *group) == 0) return absl::OkStatus();
  return SystemError("cannot change the group of", path);
}

// Makes the socket's folder if it is missing, and those above it as usual. One that exists is left
// as it is.
absl::Status MakeFolder(const std::string& folder, std::optional<gid_t> group) {
  for (std::size_t end = folder.find('/', 1); end != std::string::npos;
       end = folder.find('/', end + 1)) {
    const std::string parent = folder.substr(0, end);
    if (mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
      return SystemError("cannot make the folder", parent);
    }
  }
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return absl::OkStatus();
    return SystemError("cannot make the folder", folder);
  }
  if (absl::Status status = GiveToGroup(folder, group); !status.ok()) return status;
  if (group && chmod(folder.c_str(), 0750) != 0) {
    return SystemError("cannot set the mode of", folder);
  }
  return absl::OkStatus();
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Whether a process listens on the socket. A full backlog means yes.
absl::StatusOr<bool> SomebodyAnswers(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("cannot make a socket for", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const sockaddr_un address = AddressOf(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return true;
  if (errno == EAGAIN || errno == EINPROGRESS) return true;
  if (errno == ECONNREFUSED || errno == ENOENT) return false;
  return SystemError("cannot tell whether another bridge is listening on", path);
}

// Clears the way for bind: removes a socket that nobody answers, and nothing else.
absl::Status RemoveStale(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return SystemError("cannot look at", path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(absl::StrCat(path, " exists and is not a socket"));
  }
  const absl::StatusOr<bool> live = SomebodyAnswers(path);
  if (!live.ok()) return live.status();
  if (*live) {
    return absl::AlreadyExistsError(absl::StrCat("another bridge is listening on ", path));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SystemError("cannot remove the stale socket", path);
  }
  return absl::OkStatus();
}

// Binds, sets owner and mode, and only then listens: nobody can connect in between.
absl::Status BindAndListen(int fd, const std::string& path, std::optional<gid_t> group) {
  const sockaddr_un address = AddressOf(path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError("cannot bind the socket", path);
  }
  absl::Cleanup unlink_path = [&path] { unlink(path.c_str()); };
  if (absl::Status status = GiveToGroup(path, group); !status.ok()) return status;
  if (chmod(path.c_str(), 0660) != 0) return SystemError("cannot set the mode of", path);
  if (listen(fd, kBacklog) != 0) return SystemError("cannot listen on", path);
  std::move(unlink_path).Cancel();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SocketFile>> SocketFile::Listen(const SocketFileOptions& options) {
  const std::string& path = options.path;
  if (path.empty()) return absl::InvalidArgumentError("the socket's path is empty");
  if (path.size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the socket's path has ", path.size(), " bytes, but Unix sockets allow at most ",
        kMaxPathBytes, ": choose a shorter one than ", path));
  }
  const absl::StatusOr<std::optional<gid_t>> group = FindGroup(options.group);
  if (!group.ok()) return group.status();
  const std::string folder = FolderOf(path);
  if (absl::Status status = MakeFolder(folder, *group); !status.ok()) return status;

  // Two bridges that start at once must not each remove the other's new socket: they take turns.
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return SystemError("cannot open the folder", folder);
  const absl::Cleanup close_folder = [folder_fd] { close(folder_fd); };
  if (flock(folder_fd, LOCK_EX) != 0) return SystemError("cannot lock the folder", folder);

  if (absl::Status status = RemoveStale(path); !status.ok()) return status;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("cannot make a socket for", path);
  absl::Cleanup close_fd = [fd] { close(fd); };
  if (absl::Status status = BindAndListen(fd, path, *group); !status.ok()) return status;
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return SystemError("cannot look at", path);
  std::move(close_fd).Cancel();
  return std::unique_ptr<SocketFile>(new SocketFile(path, fd, info.st_dev, info.st_ino));
}

SocketFile::~SocketFile() {
  if (Check() == State::kOurs) unlink(path_.c_str());
  close(fd_);
}

SocketFile::State SocketFile::Check() const {
  struct stat info = {};
  if (lstat(path_.c_str(), &info) != 0) return State::kMissing;
  return info.st_dev == device_ && info.st_ino == inode_ ? State::kOurs : State::kForeign;
}

}  // namespace atomemo::plugin_service
