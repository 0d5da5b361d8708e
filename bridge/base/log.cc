#include "bridge/base/log.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/base/json.h"
#include "bridge/base/line_writer.h"

namespace atomemo::base {
namespace {

constexpr std::size_t kMaxQueuedBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxValueBytes = std::size_t{1} << 10;
// How long a process that ends waits for whoever reads its last lines.
constexpr absl::Duration kExitFlush = absl::Seconds(1);

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<LogFormat> g_format{LogFormat::kText};

absl::string_view LevelName(LogLevel level) {
  constexpr std::array<absl::string_view, 5> kNames = {"debug", "info", "warning", "error", "off"};
  return kNames.at(static_cast<std::size_t>(level));
}

// As wide as the widest; coloured for a person at a terminal.
absl::string_view LevelColumn(LogLevel level) {
  static const bool is_terminal = isatty(STDERR_FILENO) == 1;
  switch (level) {
    case LogLevel::kDebug:
      return is_terminal ? "\033[36mdebug  \033[m" : "debug  ";
    case LogLevel::kInfo:
      return is_terminal ? "\033[32minfo   \033[m" : "info   ";
    case LogLevel::kWarning:
      return is_terminal ? "\033[33;1mwarning\033[m" : "warning";
    default:
      return is_terminal ? "\033[31;1merror  \033[m" : "error  ";
  }
}

// "2026-01-31T12:00:00.000Z". What stands before the milliseconds is the same for many lines.
// (Kept in what needs no destructor: a thread may log while it ends.)
std::string Timestamp(absl::Time time) {
  thread_local std::int64_t known_second = std::numeric_limits<std::int64_t>::min();
  thread_local char known_text[sizeof("2026-01-31T12:00:00.")] = "";
  const std::int64_t milliseconds = absl::ToUnixMillis(time);
  const std::int64_t second = absl::ToUnixSeconds(time);
  if (second != known_second) {
    known_second = second;
    absl::FormatTime("%Y-%m-%dT%H:%M:%S.", time, absl::UTCTimeZone())
        .copy(known_text, sizeof(known_text) - 1);
  }
  return absl::StrCat(known_text, absl::Dec(milliseconds - second * 1'000, absl::kZeroPad3), "Z");
}

std::string FormatLine(LogLevel level, absl::string_view message,
                       std::initializer_list<LogField> fields) {
  const std::string time = Timestamp(absl::Now());
  return g_format == LogFormat::kJson
             ? absl::StrCat(FormatLogJson(level, time, message, fields), "\n")
             : absl::StrCat(time, " ", LevelColumn(level), " ", FormatLogText(message, fields),
                            "\n");
}

std::string DroppedLine(std::uint64_t dropped) {
  return FormatLine(LogLevel::kWarning,
                    "log lines dropped: whoever reads stderr does not keep up, or it is full",
                    {{"count", dropped}});
}

// Stderr's for the rest of the process: threads may log until its very end.
LineWriter* g_writer = nullptr;

void MakeWriter() { g_writer = new LineWriter(STDERR_FILENO, kMaxQueuedBytes, DroppedLine); }

LineWriter& Writer() {
  static const bool made = [] {
    MakeWriter();
    // A forked process has neither the thread nor, possibly, a mutex that anybody will release.
    pthread_atfork(nullptr, nullptr, MakeWriter);
    std::atexit([] { FlushLog(kExitFlush); });
    return true;
  }();
  (void)made;
  return *g_writer;
}

bool NeedsQuotes(absl::string_view value) {
  if (value.empty()) return true;
  for (const unsigned char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

bool IsOnEveryLine(absl::string_view key) {
  return key == "time" || key == "level" || key == "message";
}

// The beginning of a value that is too long for a line, whole characters, and how long it is.
std::string Shorten(absl::string_view value) {
  constexpr unsigned char kContinuationMask = 0xc0, kContinuation = 0x80;
  std::size_t size = kMaxValueBytes;
  while (size > 0 && (static_cast<unsigned char>(value[size]) & kContinuationMask) == kContinuation)
    --size;
  return absl::StrCat(value.substr(0, size), "... (", value.size(), " bytes)");
}

void AppendText(std::monostate, std::string& line) { line.push_back('-'); }
void AppendText(bool value, std::string& line) { line.append(value ? "true" : "false"); }
void AppendText(absl::string_view value, std::string& line) {
  std::string shortened;
  if (value.size() > kMaxValueBytes) value = shortened = Shorten(value);
  if (NeedsQuotes(value)) {
    absl::StrAppend(&line, "\"", absl::Utf8SafeCEscape(value), "\"");
  } else {
    line.append(value.data(), value.size());
  }
}
template <typename Number>
void AppendText(Number value, std::string& line) {
  absl::StrAppend(&line, value);
}

void AppendJson(std::monostate, std::string& line) { line.append("null"); }
void AppendJson(absl::string_view value, std::string& line) {
  line.append(value.size() > kMaxValueBytes ? QuoteJson(Shorten(value)) : QuoteJson(value));
}
void AppendJson(double value, std::string& line) {
  std::isfinite(value) ? AppendText(value, line) : AppendJson(std::monostate(), line);
}
template <typename Number>
void AppendJson(Number value, std::string& line) {
  AppendText(value, line);
}

}  // namespace

void InitLog(LogLevel level, LogFormat format) {
  g_level = level;
  g_format = format;
}

bool LogEnabled(LogLevel level) { return level >= g_level; }

bool FlushLog(absl::Duration limit) { return Writer().Flush(limit); }

std::string FormatLogText(absl::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", field.key, "=");
    std::visit([&line](auto value) { AppendText(value, line); }, field.value);
  }
  return line;
}

std::string FormatLogJson(LogLevel level, absl::string_view time, absl::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line = absl::StrCat(R"({"time":")", time, R"(","level":")", LevelName(level),
                                  R"(","message":)", QuoteJson(message));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",",
                    QuoteJson(absl::StrCat(IsOnEveryLine(field.key) ? "field." : "", field.key)),
                    ":");
    std::visit([&line](auto value) { AppendJson(value, line); }, field.value);
  }
  line.push_back('}');
  return line;
}

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  if (LogEnabled(level)) Writer().Write(FormatLine(level, message, fields));
}

}  // namespace atomemo::base
