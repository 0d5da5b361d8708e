#include "bridge/definition/messages.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace atomemo::definition {

using base::Json;

absl::string_view CutText(absl::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) --longest;
  return text.substr(0, longest);
}

std::string Excerpt(absl::string_view text) {
  const absl::string_view cut = CutText(text, kMaxExcerpt);
  return absl::StrCat(base::QuoteJson(cut), cut.size() < text.size() ? "..." : "");
}

std::string Describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return value.empty() ? "an empty object" : "an object";
    case Json::value_t::array:
      return value.empty() ? "an empty list" : "a list";
    case Json::value_t::string:
      return absl::StrCat("the string ", Excerpt(value.get_ref<const std::string&>()));
    case Json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      if (!std::isfinite(value.get<double>())) return "a number that JSON cannot say";
      return absl::StrCat("the number ", base::DumpJson(value));
  }
}

}  // namespace atomemo::definition
