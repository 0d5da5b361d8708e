#include "bridge/base/json_string.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace atomemo::base {
namespace {

constexpr std::size_t kEscapeSize = 6;  // \uXXXX
constexpr int kReplacement = 0xFFFD;

void AppendUtf8(int code_point, std::string& out) {
  const auto put = [&out](int byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

// What a backslash and a character stand for.
constexpr absl::string_view kNames = "\"\\/bfnrt";
constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";

bool NeedsEscape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

void AppendEscaped(char c, std::string& out) {
  if (const std::size_t which = kMeanings.find(c); which != kMeanings.npos) {
    out.push_back('\\');
    out.push_back(kNames[which]);
  } else {
    absl::StrAppend(&out, "\\u", absl::Hex(c, absl::kZeroPad4));
  }
}

// Appends what the escape at the beginning of `raw` stands for, and returns its size.
std::size_t AppendEscape(absl::string_view raw, std::string& out) {
  const int unit = EscapedUnit(raw);
  if (unit >= 0) {
    if (!IsHighSurrogate(unit)) {
      AppendUtf8(IsLowSurrogate(unit) ? kReplacement : unit, out);
      return kEscapeSize;
    }
    const int low = EscapedUnit(raw.substr(kEscapeSize));
    if (!IsLowSurrogate(low)) {
      AppendUtf8(kReplacement, out);
      return kEscapeSize;
    }
    AppendUtf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
    return 2 * kEscapeSize;
  }
  const std::size_t which = raw.size() < 2 ? kNames.npos : kNames.find(raw[1]);
  out.push_back(which == kNames.npos ? '\\' : kMeanings[which]);
  return which == kNames.npos ? 1 : 2;
}

}  // namespace

void AppendQuoted(absl::string_view text, std::string& out) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    out += nlohmann::json(std::string(text))
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return;
  }
  out.push_back('"');
  while (!text.empty()) {
    const auto* const end = std::find_if(text.begin(), text.end(), NeedsEscape);
    out.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (text.empty()) break;
    AppendEscaped(text.front(), out);
    text.remove_prefix(1);
  }
  out.push_back('"');
}

int EscapedUnit(absl::string_view escape) {
  if (escape.size() < kEscapeSize || escape[0] != '\\' || escape[1] != 'u') return -1;
  int unit = 0;
  for (const char c : escape.substr(2, 4)) {
    const auto digit = static_cast<unsigned char>(c);
    if (!absl::ascii_isxdigit(digit)) return -1;
    unit =
        unit * 16 + (absl::ascii_isdigit(digit) ? c - '0' : absl::ascii_tolower(digit) - 'a' + 10);
  }
  return unit;
}

void AppendDecoded(absl::string_view raw, std::string& out) {
  while (!raw.empty()) {
    const std::size_t plain = raw.find('\\');
    out.append(raw.data(), std::min(plain, raw.size()));
    if (plain == absl::string_view::npos) return;
    raw.remove_prefix(plain);
    raw.remove_prefix(AppendEscape(raw, out));
  }
}

std::string RepairSurrogates(absl::string_view text) {
  std::string repaired(text);
  std::size_t at = text.find('\\');
  while (at != absl::string_view::npos) {
    const int unit = EscapedUnit(text.substr(at));
    std::size_t size = unit < 0 ? 2 : kEscapeSize;
    if (IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(text.substr(at + kEscapeSize)))) {
      size = 2 * kEscapeSize;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      repaired.replace(at + 2, 4, "fffd");
    }
    at = text.find('\\', at + size);
  }
  return repaired;
}

}  // namespace atomemo::base
