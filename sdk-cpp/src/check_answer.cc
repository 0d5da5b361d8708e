#include "sdk-cpp/src/check_answer.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

const Json& JsonIn(const Json& answer) { return answer; }
const Json& JsonIn(const OAuth2Tokens& tokens) { return tokens.extra_fields; }
template <typename Answered>
const Json& JsonIn(const Answered& answer) {
  return answer.data;
}
const Json& JsonIn(const std::string&) {
  static const Json* const kNone = new Json();
  return *kNone;
}

bool IsNumber(const Json& json) {
  return !json.is_number_float() || std::isfinite(json.get<double>());
}

// Whether all numbers are; otherwise where one is not, as a JSON pointer.
bool AreNumbers(const Json& json, std::string& where) {
  if (!json.is_structured()) return IsNumber(json);
  for (auto element = json.begin(); element != json.end(); ++element) {
    if (AreNumbers(*element, where)) continue;
    where = absl::StrCat(
        "/", json.is_object() ? element.key() : absl::StrCat(element - json.begin()), where);
    return false;
  }
  return true;
}

}  // namespace

absl::Status CheckNumbers(const Json& json) {
  std::string where;
  if (AreNumbers(json, where)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("NaN or an infinity", where.empty() ? "" : " at ",
                                                 where, " is no JSON: use null"));
}

absl::Status CheckAnswer(const CallRequest& request, const Answer& answer) {
  const Json& json =
      std::visit([](const auto& value) -> const Json& { return JsonIn(value); }, answer);
  if (absl::Status status = CheckNumbers(json); !status.ok()) {
    return Error("sdk:invalid_return",
                 absl::StrCat("the handler of `", request.name, "`: ", status.message()));
  }
  if (request.kind == CallKind::kAuthenticate && !json.is_object()) {
    return Error("sdk:invalid_return",
                 absl::StrCat("the authenticate handler of `", request.name,
                              "` must answer with an object, not with ", json.type_name()));
  }
  return absl::OkStatus();
}

}  // namespace atomemo::internal
