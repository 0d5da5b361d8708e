#ifndef ATOMEMO_LOG_H_
#define ATOMEMO_LOG_H_

#include <functional>

#include "absl/strings/string_view.h"

namespace atomemo {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Takes one line, without its newline. Called from any thread, several at once.
using Logger = std::function<void(LogLevel, absl::string_view)>;

// One line on stderr with the time (UTC) and the level; kDebug is left out.
Logger StderrLogger();

}  // namespace atomemo

#endif  // ATOMEMO_LOG_H_
