#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SOCKET_FILE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SOCKET_FILE_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::plugin_service {

struct SocketFileOptions {
  std::string path;
  // A group's name or number. Its members may connect. Empty: the bridge's own group.
  std::string group;
};

// A Unix socket that listens at a path. Its descriptor is non-blocking.
class SocketFile {
 public:
  // Makes the folder (0700, or 0750 with a group) if it is missing, and the socket (0660). A socket
  // at the path on which nobody listens any more is replaced.
  //
  // INVALID_ARGUMENT: the path is empty or too long, or the group is not known. ALREADY_EXISTS:
  // another bridge listens there, or something that is not a socket is there. Else the system's
  // error.
  static absl::StatusOr<std::unique_ptr<SocketFile>> Listen(const SocketFileOptions& options);

  // Unlinks the file if it is still this socket.
  ~SocketFile();

  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  int fd() const { return fd_; }

  enum class State { kOurs, kMissing, kForeign };
  // What stands at the path now.
  State Check() const;

 private:
  SocketFile(std::string path, int fd, dev_t device, ino_t inode)
      : path_(std::move(path)), fd_(fd), device_(device), inode_(inode) {}

  const std::string path_;
  const int fd_;
  const dev_t device_;
  const ino_t inode_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SOCKET_FILE_H_
