#include "bridge/plugin_service/library_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <string>

#include "absl/strings/string_view.h"
#include "bridge/base/log.h"
#include "bridge/base/redact.h"

namespace atomemo::plugin_service {
namespace {

using base::LogLevel;

void Log(LogLevel level, absl::string_view library, absl::string_view text, absl::string_view file,
         int line) {
  if (!base::LogEnabled(level)) return;
  file.remove_prefix(file.rfind('/') + 1);  // Without a slash npos + 1, which is 0.
  base::Log(
      level, "a library says",
      {{"library", library}, {"text", base::RedactText(text)}, {"file", file}, {"line", line}});
}

void LogGrpc(gpr_log_func_args* args) {
  const LogLevel level = args->severity == GPR_LOG_SEVERITY_ERROR  ? LogLevel::kError
                         : args->severity == GPR_LOG_SEVERITY_INFO ? LogLevel::kInfo
                                                                   : LogLevel::kDebug;
  Log(level, "grpc", args->message, args->file, args->line);
}

void LogProtobuf(google::protobuf::LogLevel level, const char* file, int line,
                 const std::string& message) {
  const LogLevel ours = level == google::protobuf::LOGLEVEL_INFO      ? LogLevel::kInfo
                        : level == google::protobuf::LOGLEVEL_WARNING ? LogLevel::kWarning
                                                                      : LogLevel::kError;
  Log(ours, "protobuf", message, file, line);
}

}  // namespace

void LogForLibraries() {
  gpr_set_log_function(LogGrpc);
  google::protobuf::SetLogHandler(LogProtobuf);
}

}  // namespace atomemo::plugin_service
