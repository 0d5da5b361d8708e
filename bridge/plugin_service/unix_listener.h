#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNIX_LISTENER_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNIX_LISTENER_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bridge/plugin_service/peer_table.h"
#include "bridge/plugin_service/socket_file.h"

namespace atomemo::plugin_service {

// Accepts plugins' connections on a Unix socket, on a thread of its own, and sees to it that the
// socket's file stays: one that is deleted under the running bridge (cleaners of temporary folders
// do it) is made again. When the process's descriptors run out, a few are left for all else, and
// further connections are closed.
class UnixListener {
 public:
  // Takes over a connected, non-blocking descriptor. Called on the listener's thread. Its number
  // was not used for a connection for a long time (see PeerTable).
  using OnConnection = std::function<void(int fd, PeerIdentity peer)>;

  // `check_interval`: how often the file is looked at.
  UnixListener(SocketFileOptions options, absl::Duration check_interval,
               OnConnection on_connection);
  ~UnixListener();

  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  // See SocketFile::Listen for the errors. Called once.
  absl::Status Start();

  // Accepts nothing more and removes the file. Idempotent; called on the thread that called Start.
  void Stop();

 private:
  void Run();
  void AcceptAll();
  // False when the kernel has no connection for us now.
  bool AcceptOne();
  // Moves a descriptor to a number that was not used lately; closes it and returns -1 if there is
  // none.
  int MoveToFreshNumber(int fd);
  // A second descriptor with a number that is not below the given one; -1 if there is none for
  // connections.
  static int Duplicate(int fd, int first_number);
  // Once, until there are descriptors again.
  void ReportExhausted(const char* error);
  void KeepFile();

  const SocketFileOptions options_;
  const absl::Duration check_interval_;
  const OnConnection on_connection_;

  // Written by Start and Stop only while the thread does not run, otherwise the thread's own.
  std::unique_ptr<SocketFile> file_;
  bool foreign_reported_ = false;
  bool exhausted_reported_ = false;
  int next_number_;

  int stop_fd_ = -1;
  std::thread thread_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNIX_LISTENER_H_
