#ifndef ATOMEMO_BRIDGE_BASE_LOG_H_
#define ATOMEMO_BRIDGE_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

// One member of a log line: text, or a figure, which is a number in JSON too. Without a value it is
// "-", and null in JSON. Never a credential, code, token, key or URL query: pass URLs through
// RedactUrl, and frames and payloads not at all. Refers to what it was made of.
struct LogField {
  using Value =
      std::variant<std::monostate, absl::string_view, bool, std::int64_t, std::uint64_t, double>;

  LogField(absl::string_view k, absl::string_view v) : key(k), value(v) {}
  LogField(absl::string_view k, const std::string& v) : LogField(k, absl::string_view(v)) {}
  LogField(absl::string_view k, const char* v) : LogField(k, absl::string_view(v)) {}
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  LogField(absl::string_view k, T v) : key(k), value(Figure(v)) {}
  template <typename T>
  LogField(absl::string_view k, const std::optional<T>& v)
      : key(k), value(v.has_value() ? LogField(k, *v).value : Value()) {}

  absl::string_view key;
  Value value;

 private:
  template <typename T>
  static Value Figure(T v) {
    if constexpr (std::is_same_v<T, bool>) {
      return v;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(v);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<std::int64_t>(v);
    } else {
      return static_cast<std::uint64_t>(v);
    }
  }
};

// Sets up logging to stderr for the whole process; before it, kInfo and kText hold.
void InitLog(LogLevel level, LogFormat format);

// Waits until what was logged so far is on stderr, but no longer than `limit`; whether it is. A
// process that ends by `exit` does so itself, for a second; one that aborts or calls _exit should.
bool FlushLog(absl::Duration limit);

bool LogEnabled(LogLevel level);

// Writes one line: `2026-01-31T12:00:00.000Z info message key=value ...`, or the same as one JSON
// object a line, with the members "time", "level" and "message" before the fields. `message` is a
// constant phrase in lower case, such as "hub connected". Control characters are escaped, and
// values beyond 1 KiB cut short.
//
// Thread-safe, and never waits for whoever reads stderr: lines go through a queue of 1 MiB. What
// does not fit is dropped, and as soon as something gets through again, a line says how many.
void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

inline void LogDebug(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kDebug)) Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// What Log writes, without time and level in the text form, and without the line break. A field
// that is named like a member that every JSON line has is written as "field.time", "field.level" or
// "field.message".
std::string FormatLogText(absl::string_view message, std::initializer_list<LogField> fields);
std::string FormatLogJson(LogLevel level, absl::string_view time, absl::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_LOG_H_
