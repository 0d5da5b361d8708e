#include "bridge/plugin_service/connections.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"

namespace atomemo::plugin_service {
namespace {

std::vector<int> OpenDescriptors() {
  std::vector<int> descriptors;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return descriptors;
  while (const dirent* entry = readdir(folder.get())) {
    int fd = -1;
    if (absl::SimpleAtoi(entry->d_name, &fd)) descriptors.push_back(fd);
  }
  return descriptors;
}

// Whether this is an end that was accepted on the path or the port.
bool WasAccepted(int fd, const std::string& socket_path, int tcp_port) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens != 0) return false;
  union {
    sockaddr any;
    sockaddr_un local;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
  } name = {};
  size = sizeof(name);
  if (getsockname(fd, &name.any, &size) != 0) return false;
  switch (name.any.sa_family) {
    case AF_UNIX:
      return size > offsetof(sockaddr_un, sun_path) && !socket_path.empty() &&
             name.local.sun_path == socket_path;
    case AF_INET:
      return tcp_port != 0 && ntohs(name.ipv4.sin_port) == tcp_port;
    case AF_INET6:
      return tcp_port != 0 && ntohs(name.ipv6.sin6_port) == tcp_port;
    default:
      return false;
  }
}

}  // namespace

void EndConnections(const std::string& socket_path, int tcp_port) {
  for (const int fd : OpenDescriptors()) {
    // A descriptor of our own cannot be closed, and its number given to another file, meanwhile.
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) continue;
    if (WasAccepted(own, socket_path, tcp_port)) shutdown(own, SHUT_RDWR);
    close(own);
  }
}

}  // namespace atomemo::plugin_service
