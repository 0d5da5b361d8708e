#include "atomemo/log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sdk-cpp/src/stderr_writer.h"

namespace atomemo {

Logger StderrLogger() {
  return [](LogLevel level, absl::string_view message) {
    if (level == LogLevel::kDebug) return;
    const char* name = level == LogLevel::kInfo      ? "info"
                       : level == LogLevel::kWarning ? "warning"
                                                     : "error";
    const std::string line =
        absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                     " ", name, " ", absl::StrReplaceAll(message, {{"\n", " "}}), "\n");
    internal::StderrWriter::Instance().Write(line);
  };
}

}  // namespace atomemo
