#include "bridge/base/json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

#include "bridge/base/json_string.h"

namespace atomemo::base {
namespace {

absl::StatusOr<std::string> Check(absl::string_view text, JsonReader& reader) {
  if (!reader.Skip() || !reader.End()) return reader.status();
  return reader.has_lone_surrogates() ? RepairSurrogates(text) : std::string(text);
}

}  // namespace

absl::StatusOr<std::string> CheckJson(absl::string_view text, int max_depth) {
  JsonReader reader(text, max_depth);
  return Check(text, reader);
}

absl::StatusOr<std::string> CheckJsonObject(absl::string_view text, int max_depth) {
  JsonReader reader(text, max_depth);
  const char kind = reader.Peek();
  absl::StatusOr<std::string> checked = Check(text, reader);
  if (checked.ok() && kind != '{') return absl::InvalidArgumentError("not a JSON object");
  return checked;
}

absl::StatusOr<double> NearestDouble(absl::string_view number) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error == std::errc()) return value;
  // Too large or too small: from_chars does not say which.
  value = std::strtod(std::string(number).c_str(), nullptr);
  if (std::isfinite(value)) return value;
  return absl::OutOfRangeError("a number is beyond what a double can hold");
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string QuoteJson(absl::string_view text) {
  std::string literal;
  AppendQuoted(text, literal);
  return literal;
}

}  // namespace atomemo::base
