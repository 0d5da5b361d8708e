#include "bridge/devhub/json_members.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"

namespace atomemo::devhub {

std::optional<std::string> StringMember(absl::string_view text, absl::string_view name) {
  absl::StatusOr<base::JsonMembers> members = base::JsonMembers::Cut(text);
  if (!members.ok()) return std::nullopt;
  const std::optional<absl::string_view> value = members->Take(name);
  return value ? base::UnquoteJson(*value) : std::nullopt;
}

std::optional<std::string> ObjectMember(absl::string_view text, absl::string_view name) {
  absl::StatusOr<base::JsonMembers> members = base::JsonMembers::Cut(text);
  if (!members.ok()) return std::nullopt;
  const std::optional<absl::string_view> value = members->Take(name);
  if (!value || value->front() != '{') return std::nullopt;
  return std::string(*value);
}

std::string WithRequestId(absl::string_view object, absl::string_view request_id) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(object);
  rest.remove_prefix(1);  // the brace
  rest = absl::StripLeadingAsciiWhitespace(rest);
  return absl::StrCat(R"({"request_id":)", base::QuoteJson(request_id),
                      absl::StartsWith(rest, "}") ? "" : ",", rest);
}

}  // namespace atomemo::devhub
