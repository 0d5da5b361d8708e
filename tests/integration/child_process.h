#ifndef ATOMEMO_TESTS_INTEGRATION_CHILD_PROCESS_H_
#define ATOMEMO_TESTS_INTEGRATION_CHILD_PROCESS_H_

#include <sys/types.h>
#include <csignal>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace atomemo::integration {

// A process that does not outlive this object. For one thread.
class ChildProcess {
 public:
  // `command[0]` is a path. What it writes goes to the file `log` (appended), or, if that is empty,
  // where this process's own output goes. With `error_fd`, what it writes on stderr goes there. It
  // inherits no other descriptor: a socket that another process holds open would not close.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& command, const std::string& log = "", int error_fd = -1);
  // Kills it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Whether it has not ended by itself.
  bool IsRunning();
  // SIGKILL, and waits for its end.
  void Kill();
  // SIGTERM, or another signal, and waits for its end; the exit code, or -1 if a signal ended it.
  int Terminate(int signal = SIGTERM);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  int Wait();

  pid_t pid_;  // 0 once it has ended
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_CHILD_PROCESS_H_
