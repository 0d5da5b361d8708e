#include "atomemo/error.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace atomemo {
namespace {

// The payload of statuses that Error() makes: an ErrorAnswer as an object.
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

Json ToJson(const ErrorAnswer& answer) {
  Json causes = Json::array();
  for (const ErrorAnswer& cause : answer.causes) causes.push_back(ToJson(cause));
  return Json{{"code", answer.code},       {"name", answer.name},   {"message", answer.message},
              {"details", answer.details}, {"stack", answer.stack}, {"causes", std::move(causes)}};
}

ErrorAnswer FromJson(const Json& json) {
  ErrorAnswer answer{json.value("code", ""), json.value("name", ""), json.value("message", ""),
                     json.value("details", Json::object()), json.value("stack", "")};
  for (const Json& cause : json.value("causes", Json::array())) {
    answer.causes.push_back(FromJson(cause));
  }
  return answer;
}

}  // namespace

absl::Status Error(const ErrorAnswer& answer, absl::StatusCode kind) {
  absl::Status status(kind, answer.message);
  status.SetPayload(
      kPayloadUrl, absl::Cord(ToJson(answer).dump(-1, ' ', false, Json::error_handler_t::replace)));
  return status;
}

absl::Status Error(absl::string_view code, absl::string_view message, Json details) {
  return Error({std::string(code), /*name=*/"", std::string(message), std::move(details)});
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
  return FromJson(json);
}

std::string ErrorCode(const absl::Status& status) {
  return status.ok() ? "" : DescribeError(status).code;
}

}  // namespace atomemo
