#ifndef ATOMEMO_BRIDGE_BASE_LOG_H_
#define ATOMEMO_BRIDGE_BASE_LOG_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

// One member of a log line. Never a credential, code, token, key or URL query: pass URLs through
// RedactUrl, and frames and payloads not at all.
struct LogField {
  LogField(absl::string_view k, const absl::AlphaNum& v) : key(k), value(v.Piece()) {}
  absl::string_view key;
  std::string value;
};

// Sets up logging to stderr for the whole process; before it, kInfo and kText hold. Call before
// other threads start.
void InitLog(LogLevel level, LogFormat format);

bool LogEnabled(LogLevel level);

// Writes one line: `2026-01-31T12:00:00.000Z INFO event key=value ...`, or the same as one JSON
// object a line. `event` is a constant phrase in lower case, such as "hub connected". Thread-safe.
// Control characters are escaped.
void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields = {});

inline void LogDebug(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kDebug)) Log(LogLevel::kDebug, event, fields);
}
inline void LogInfo(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, event, fields);
}
inline void LogWarning(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, event, fields);
}
inline void LogError(absl::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, event, fields);
}

// What InitLog's sinks would write, without timestamp: for tests and for the sinks themselves.
std::string FormatLogText(absl::string_view event, std::initializer_list<LogField> fields);
std::string FormatLogJson(LogLevel level, absl::string_view time, absl::string_view event,
                          std::initializer_list<LogField> fields);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_LOG_H_
