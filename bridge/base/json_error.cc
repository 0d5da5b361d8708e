#include "bridge/base/json_error.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"

namespace atomemo::base {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr absl::string_view kOffsetPayload = "atomemo/json-offset";
// On either side of the place.
constexpr std::size_t kExcerptBytes = 20;

// What other languages write for a value, and what JSON has instead.
struct Foreign {
  absl::string_view word;
  absl::string_view instead;
};
constexpr Foreign kForeign[] = {
    {"NaN", "null"},       {"-NaN", "null"},      {"nan", "null"},  {"-nan", "null"},
    {"Infinity", "null"},  {"-Infinity", "null"}, {"inf", "null"},  {"-inf", "null"},
    {"undefined", "null"}, {"None", "null"},      {"nil", "null"},  {"NULL", "null"},
    {"Null", "null"},      {"True", "true"},      {"TRUE", "true"}, {"False", "false"},
    {"FALSE", "false"},
};

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

const Foreign* FindForeign(absl::string_view text) {
  for (const Foreign& foreign : kForeign) {
    if (!absl::StartsWith(text, foreign.word)) continue;
    if (text.size() == foreign.word.size() || !IsWordCharacter(text[foreign.word.size()])) {
      return &foreign;
    }
  }
  return nullptr;
}

}  // namespace

absl::Status JsonErrorAt(absl::string_view text, std::size_t offset, absl::string_view why) {
  const absl::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t last_break = before.rfind('\n');
  absl::string_view in_line =
      last_break == absl::string_view::npos ? before : before.substr(last_break + 1);
  absl::ConsumePrefix(&in_line, kByteOrderMark);  // editors do not show it
  const auto continuations = std::count_if(in_line.begin(), in_line.end(), IsContinuation);
  const std::size_t column = in_line.size() - static_cast<std::size_t>(continuations) + 1;
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat("not valid JSON at line ", line, ", column ", column, ": ", why));
  status.SetPayload(kOffsetPayload, absl::Cord(absl::StrCat(offset)));
  return status;
}

std::optional<std::size_t> JsonErrorOffset(const absl::Status& status) {
  const auto payload = status.GetPayload(kOffsetPayload);
  std::size_t offset = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &offset)) {
    return std::nullopt;
  }
  return offset;
}

std::string DescribeMissingValue(absl::string_view text, std::size_t offset) {
  const absl::string_view rest = text.substr(std::min(offset, text.size()));
  if (rest.empty()) return "a value is missing at the end";
  if (const Foreign* foreign = FindForeign(rest)) {
    return absl::StrCat(foreign->word, " is no JSON: use ", foreign->instead);
  }
  if (absl::StartsWith(rest, kByteOrderMark)) return "a byte order mark is no JSON: leave it out";
  switch (rest.front()) {
    case '\'':
      return "strings stand in double quotes";
    case '/':
    case '#':
      return "JSON has no comments";
    case '}':
    case ']':
    case ',':
    case ':':
      return "a value is missing";
    case '+':
    case '.':
      return "a number must begin with a digit or a minus sign";
    default:
      return "no JSON value begins like this";
  }
}

std::string JsonExcerpt(absl::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  std::size_t begin = offset - std::min(offset, kExcerptBytes);
  std::size_t end = std::min(offset + kExcerptBytes, text.size());
  while (begin < offset && IsContinuation(text[begin])) ++begin;
  while (end > offset && end < text.size() && IsContinuation(text[end])) --end;
  return absl::StrCat(begin > 0 ? "..." : "", QuoteJson(text.substr(begin, end - begin)),
                      end < text.size() ? "..." : "");
}

}  // namespace atomemo::base
