#include "tests/integration/chaos/run_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/chaos/clock.h"

namespace atomemo::chaos {
namespace {

constexpr absl::string_view kBegin = "begin";
constexpr absl::string_view kEnd = "end";
constexpr absl::string_view kCancelled = "cancelled";

}  // namespace

absl::StatusOr<std::unique_ptr<RunRecorder>> RunRecorder::Open(const std::string& path) {
  constexpr int kMode = 0600;
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  return std::unique_ptr<RunRecorder>(new RunRecorder(file));
}

RunRecorder::~RunRecorder() { close(file_); }

absl::Status RunRecorder::Begin(absl::string_view request_id) { return Write(kBegin, request_id); }

absl::Status RunRecorder::End(absl::string_view request_id, bool cancelled) {
  return Write(cancelled ? kCancelled : kEnd, request_id);
}

absl::Status RunRecorder::Write(absl::string_view what, absl::string_view request_id) {
  const std::string line =
      absl::StrCat(what, " ", request_id, " ", getpid(), " ", absl::ToUnixNanos(Now()), "\n");
  if (write(file_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
    return absl::OkStatus();
  }
  return absl::DataLossError("the run cannot be recorded");
}

absl::StatusOr<std::vector<Run>> ReadRuns(const std::string& path) {
  std::ifstream file(path);
  std::vector<Run> runs;
  std::map<std::pair<std::string, pid_t>, std::size_t> open_runs;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    pid_t pid = 0;
    std::int64_t at = 0;
    if (words.size() != 4 || !absl::SimpleAtoi(words[2], &pid) ||
        !absl::SimpleAtoi(words[3], &at)) {
      return absl::DataLossError(absl::StrCat("no line of a run: ", line));
    }
    const std::pair<std::string, pid_t> key(words[1], pid);
    if (words[0] == kBegin) {
      open_runs[key] = runs.size();
      runs.push_back({words[1], pid, absl::FromUnixNanos(at)});
      continue;
    }
    const auto begun = open_runs.find(key);
    if (begun == open_runs.end() || (words[0] != kEnd && words[0] != kCancelled)) {
      return absl::DataLossError(absl::StrCat("no line of a run: ", line));
    }
    runs[begun->second].ended = absl::FromUnixNanos(at);
    runs[begun->second].cancelled = words[0] == kCancelled;
    open_runs.erase(begun);
  }
  return runs;
}

}  // namespace atomemo::chaos
