#ifndef ATOMEMO_ERROR_H_
#define ATOMEMO_ERROR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "atomemo/json.h"

namespace atomemo {

// An error with a code of the plugin's own, for instance
// `Error("weather:unknown_city", "No city is named Atlantis.")`. `message` is for a person and must
// not contain secrets. `details` is an object of further members of the hub's error object.
absl::Status Error(absl::string_view code, absl::string_view message,
                   Json details = Json::object());

// What the hub is told when a handler answers with an error, or throws.
struct ErrorAnswer {
  // The code given to Error(). For other statuses: "sdk:invalid_parameter" (INVALID_ARGUMENT,
  // OUT_OF_RANGE), "sdk:timeout" (DEADLINE_EXCEEDED), "sdk:method_not_supported" (UNIMPLEMENTED),
  // "sdk:exception" (UNKNOWN, INTERNAL), and "sdk:" with the status's name for the rest, for
  // instance "sdk:not_found".
  std::string code;
  // The exception's type for an exception, empty for Error(), otherwise the status's name, for
  // instance "NOT_FOUND".
  std::string name;
  std::string message;
  Json details = Json::object();
  // Where it happened, for developers. Empty unless the author gives one.
  std::string stack = {};
  // What led to it, the nearest first: nested exceptions.
  std::vector<ErrorAnswer> causes = {};
};

// An error with all that the hub can be told. `kind` is what absl::IsUnavailable and the like see.
absl::Status Error(const ErrorAnswer& answer, absl::StatusCode kind = absl::StatusCode::kUnknown);

// `status` must not be OK.
ErrorAnswer DescribeError(const absl::Status& status);

// `DescribeError(status).code`; empty for an OK status.
std::string ErrorCode(const absl::Status& status);

}  // namespace atomemo

#endif  // ATOMEMO_ERROR_H_
