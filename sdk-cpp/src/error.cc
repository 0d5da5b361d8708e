#include "atomemo/error.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "sdk-cpp/src/make_error.h"

namespace atomemo {
namespace {

// The payload of statuses that Error() makes: {"code", "name"?, "details"}.
constexpr absl::string_view kPayloadUrl = "atomemo.dev/plugin-error";

std::string DefaultCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return "sdk:invalid_parameter";
    case absl::StatusCode::kDeadlineExceeded:
      return "sdk:timeout";
    case absl::StatusCode::kUnimplemented:
      return "sdk:method_not_supported";
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return "sdk:exception";
    default:
      return absl::StrCat("sdk:", absl::AsciiStrToLower(absl::StatusCodeToString(code)));
  }
}

}  // namespace

namespace internal {

absl::Status MakeError(absl::string_view code, absl::string_view name, absl::string_view message,
                       Json details) {
  absl::Status status = absl::UnknownError(message);
  const Json payload{
      {"code", std::string(code)}, {"name", std::string(name)}, {"details", std::move(details)}};
  status.SetPayload(kPayloadUrl,
                    absl::Cord(payload.dump(-1, ' ', false, Json::error_handler_t::replace)));
  return status;
}

}  // namespace internal

absl::Status Error(absl::string_view code, absl::string_view message, Json details) {
  return internal::MakeError(code, /*name=*/"", message, std::move(details));
}

ErrorAnswer DescribeError(const absl::Status& status) {
  ErrorAnswer answer;
  answer.code = DefaultCode(status.code());
  answer.name = absl::StatusCodeToString(status.code());
  answer.message = std::string(status.message());
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload) return answer;
  const Json json = Json::parse(std::string(*payload), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return answer;
  answer.code = json.value("code", answer.code);
  answer.name = json.value("name", "");
  answer.details = json.value("details", Json::object());
  return answer;
}

std::string ErrorCode(const absl::Status& status) {
  return status.ok() ? "" : DescribeError(status).code;
}

}  // namespace atomemo
