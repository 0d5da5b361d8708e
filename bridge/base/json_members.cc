#include "bridge/base/json_members.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_reader.h"
#include "bridge/base/json_string.h"

namespace atomemo::base {

absl::StatusOr<JsonMembers> JsonMembers::Cut(absl::string_view object) {
  JsonReader reader(object, JsonReader::kMaxDepth);
  if (reader.Peek() != '{') {
    return absl::InvalidArgumentError(absl::StrCat("not an object but ", DescribeJson(object)));
  }
  JsonMembers cut;
  std::string name;
  absl::string_view value;
  reader.BeginObject();
  while (reader.NextMember(name) && reader.Skip(value)) {
    cut.members_.push_back({std::move(name), value});
  }
  if (!reader.End()) return reader.status();
  return cut;
}

JsonMembers JsonMembers::At(const std::vector<Place>& places, absl::string_view object) {
  JsonMembers members;
  members.members_.reserve(places.size());
  for (const Place& place : places) {
    members.members_.push_back({place.name, object.substr(place.offset, place.size)});
  }
  return members;
}

std::optional<absl::string_view> JsonMembers::Take(absl::string_view name) {
  std::optional<absl::string_view> found;
  const auto taken = [&](const Member& member) {
    if (member.name != name) return false;
    found = member.value;
    return true;
  };
  members_.erase(std::remove_if(members_.begin(), members_.end(), taken), members_.end());
  return found == "null" ? std::nullopt : found;
}

bool JsonMembers::Has(absl::string_view name) const {
  return std::any_of(members_.begin(), members_.end(),
                     [name](const Member& member) { return member.name == name; });
}

std::string JsonMembers::RestAsObject() const {
  std::string out = "{";
  for (const Member& member : members_) {
    absl::StrAppend(&out, out.size() > 1 ? "," : "", QuoteJson(member.name), ":", member.value);
  }
  out.push_back('}');
  return out;
}

std::optional<std::string> UnquoteJson(absl::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  std::string text;
  AppendDecoded(value.substr(1, value.size() - 2), text);
  return text;
}

std::optional<std::string> StringMember(absl::string_view object, absl::string_view name) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(object);
  if (!members.ok()) return std::nullopt;
  const std::optional<absl::string_view> value = members->Take(name);
  return value ? UnquoteJson(*value) : std::nullopt;
}

std::optional<std::string> ObjectMember(absl::string_view object, absl::string_view name) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(object);
  if (!members.ok()) return std::nullopt;
  const std::optional<absl::string_view> value = members->Take(name);
  if (!value || value->front() != '{') return std::nullopt;
  return std::string(*value);
}

std::string PrependMember(absl::string_view object, absl::string_view name,
                          absl::string_view json) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(object);
  rest.remove_prefix(1);  // the brace
  rest = absl::StripLeadingAsciiWhitespace(rest);
  return absl::StrCat("{", QuoteJson(name), ":", json, absl::StartsWith(rest, "}") ? "" : ",",
                      rest);
}

absl::string_view DescribeJson(absl::string_view value) {
  if (value.empty()) return "nothing";
  switch (value.front()) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case '"':
      return "a string";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

}  // namespace atomemo::base
