#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_RUN_RECORD_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_RUN_RECORD_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::chaos {

// One run of a handler in a worker.
struct Run {
  std::string request_id;
  pid_t pid = 0;
  absl::Time began;
  // Nothing if it did not end: its worker was killed.
  std::optional<absl::Time> ended;
  // Nobody waited for its answer any more.
  bool cancelled = false;
};

// Writes a process's runs down: each begin and end is one line, appended to a file in one write, so
// that it survives the process and several processes may share the file. Thread-safe.
class RunRecorder {
 public:
  static absl::StatusOr<std::unique_ptr<RunRecorder>> Open(const std::string& path);
  ~RunRecorder();
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  absl::Status Begin(absl::string_view request_id);
  absl::Status End(absl::string_view request_id, bool cancelled);

 private:
  explicit RunRecorder(int file) : file_(file) {}
  absl::Status Write(absl::string_view what, absl::string_view request_id);

  const int file_;
};

// All runs in the file, in the order of their beginnings. DATA_LOSS for a line that is none.
absl::StatusOr<std::vector<Run>> ReadRuns(const std::string& path);

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_RUN_RECORD_H_
