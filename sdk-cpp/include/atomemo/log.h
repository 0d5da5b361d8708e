#ifndef ATOMEMO_LOG_H_
#define ATOMEMO_LOG_H_

#include <functional>

#include "absl/strings/string_view.h"

namespace atomemo {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Takes one line, without its newline. Called from any thread, several at once, also from those
// that move calls: it should not wait for anything.
using Logger = std::function<void(LogLevel, absl::string_view)>;

// One line on stderr with the time (UTC) and the level; kDebug is left out. Never waits for whoever
// reads stderr: lines that a queue of 256 KiB does not hold are dropped and counted, and a later
// line says how many.
Logger StderrLogger();

}  // namespace atomemo

#endif  // ATOMEMO_LOG_H_
