#include "bridge/hub/json_members.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"

namespace atomemo::hub {
namespace {

namespace ondemand = simdjson::ondemand;

// A parser keeps its largest buffers: see phoenix_frame.cc.
constexpr std::size_t kKeptParserBytes = 1 << 20;

absl::Status Bad(simdjson::error_code error) {
  return absl::InvalidArgumentError(simdjson::error_message(error));
}

// Calls `use` for every member's name and value, both valid only during the call.
template <typename Use>
simdjson::error_code ForEachMember(ondemand::parser& parser, const simdjson::padded_string& text,
                                   Use use) {
  ondemand::document document;
  if (const auto error = parser.iterate(text).get(document)) return error;
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return error;
  for (simdjson::simdjson_result<ondemand::field> member : object) {
    ondemand::field field;
    if (const auto error = std::move(member).get(field)) return error;
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return error;
    ondemand::value value = field.value();
    std::string_view raw;
    if (const auto error = simdjson::to_json_string(value).get(raw)) return error;
    use(name, raw);
  }
  return simdjson::SUCCESS;
}

}  // namespace

absl::StatusOr<JsonMembers> JsonMembers::Cut(absl::string_view object) {
  if (!absl::StartsWith(object, "{")) {
    return absl::InvalidArgumentError(absl::StrCat("not an object but ", DescribeJson(object)));
  }
  const simdjson::padded_string padded(object.data(), object.size());
  JsonMembers cut;
  const auto add = [&](std::string_view name, std::string_view raw) {
    const auto offset = static_cast<std::size_t>(raw.data() - padded.data());
    cut.members_.push_back({std::string(name), object.substr(offset, raw.size())});
  };
  thread_local ondemand::parser kept;
  ondemand::parser large;
  const bool is_large = object.size() > kKeptParserBytes;
  const simdjson::error_code error = ForEachMember(is_large ? large : kept, padded, add);
  if (error != simdjson::SUCCESS) return Bad(error);
  return cut;
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

std::string JsonMembers::RestAsObject() const {
  std::string out = "{";
  for (const Member& member : members_) {
    absl::StrAppend(&out, out.size() > 1 ? "," : "", base::QuoteJson(member.name), ":",
                    member.value);
  }
  out.push_back('}');
  return out;
}

std::optional<std::string> UnquoteJson(absl::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  if (!absl::StrContains(value, '\\')) return std::string(value.substr(1, value.size() - 2));
  const absl::StatusOr<base::Json> parsed = base::ParseJson(value);
  if (!parsed.ok() || !parsed->is_string()) return std::nullopt;
  return parsed->get<std::string>();
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

}  // namespace atomemo::hub
