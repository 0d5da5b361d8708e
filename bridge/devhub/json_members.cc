#include "bridge/devhub/json_members.h"

#include <simdjson.h>

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"

namespace atomemo::devhub {
namespace {

std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<std::string> StringMember(absl::string_view text, absl::string_view name) {
  const simdjson::padded_string padded(text.data(), text.size());
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  std::string_view value;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS ||
      object.find_field(StdView(name)).get_string().get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return std::string(value);
}

std::optional<std::string> ObjectMember(absl::string_view text, absl::string_view name) {
  const simdjson::padded_string padded(text.data(), text.size());
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  simdjson::ondemand::object member;
  std::string_view raw;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS ||
      object.find_field(StdView(name)).get_object().get(member) != simdjson::SUCCESS ||
      member.raw_json().get(raw) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return std::string(raw);
}

std::string WithRequestId(absl::string_view object, absl::string_view request_id) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(object);
  rest.remove_prefix(1);  // the brace
  rest = absl::StripLeadingAsciiWhitespace(rest);
  return absl::StrCat(R"({"request_id":)", base::QuoteJson(request_id),
                      absl::StartsWith(rest, "}") ? "" : ",", rest);
}

}  // namespace atomemo::devhub
