#include "bridge/definition/text_rules.h"

#include <unicase.h>
#include <unistr.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace atomemo::definition {
namespace {

using Complaint = std::optional<std::string>;

bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool IsOneOf(char c, absl::string_view set) { return set.find(c) != absl::string_view::npos; }

// Letters and digits, and `marks` between them; none of `single` stands beside another.
Complaint CheckWord(absl::string_view text, absl::string_view marks, absl::string_view single) {
  if (text.empty()) return "it is empty";
  if (!IsLetter(text.front())) return "it must start with a letter";
  if (!IsAlnum(text.back())) return "it must end with a letter or digit";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsAlnum(text[i]) && !IsOneOf(text[i], marks)) {
      return absl::StrCat("only letters, digits and ", marks, " are allowed in it");
    }
    if (i > 0 && IsOneOf(text[i], single) && IsOneOf(text[i - 1], single)) {
      return absl::StrCat("two of ", single, " stand side by side");
    }
  }
  return std::nullopt;
}

// A host's label as e-mail addresses may have it: it may end with a hyphen.
bool IsEmailLabel(absl::string_view label) {
  if (label.empty() || !IsAlnum(label[0])) return false;
  for (const char c : label) {
    if (!IsAlnum(c) && c != '-') return false;
  }
  return true;
}

bool IsTopLevelDomain(absl::string_view label) {
  if (label.size() < 2) return false;
  for (const char c : label) {
    if (!IsLetter(c)) return false;
  }
  return true;
}

// Whether upper-casing changes a code point, as JavaScript's toUpperCase() does for the single
// UTF-16 unit it sees: code points beyond the basic plane never change.
bool ChangesInUpperCase(ucs4_t point) {
  if (point >= 0x10000) return false;
  const std::uint32_t source = point;
  std::uint32_t buffer[8];
  std::size_t length = std::size(buffer);
  std::uint32_t* upper = u32_toupper(&source, 1, nullptr, nullptr, buffer, &length);
  if (upper == nullptr) return false;
  const bool changes = length != 1 || upper[0] != point;
  if (upper != buffer) std::free(upper);
  return changes;
}

double ToDouble(absl::string_view text) {
  double number = 0;
  return absl::SimpleAtod(text, &number) ? number : HUGE_VAL;
}

}  // namespace

Complaint CheckName(absl::string_view text) {
  constexpr std::size_t kShortest = 5, kLongest = 65;
  if (Complaint complaint = CheckWord(text, "-_", "-_")) return complaint;
  if (text.size() < kShortest) return absl::StrCat("it has only ", text.size(), " characters");
  if (text.size() > kLongest) return absl::StrCat("it has ", text.size(), " characters");
  return std::nullopt;
}

Complaint CheckModelName(absl::string_view text) {
  if (Complaint complaint = CheckWord(text, "._/-", "._-")) return complaint;
  if (text.size() < 2) return "it has only one character";
  return std::nullopt;
}

Complaint CheckStrictName(absl::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (Complaint complaint = CheckWord(text, "_", "_")) return complaint;
  if (text.size() > kLongest) return absl::StrCat("it has ", text.size(), " characters");
  return std::nullopt;
}

Complaint CheckNotEmpty(absl::string_view text) {
  if (text.empty()) return "it is empty";
  return std::nullopt;
}

Complaint CheckEmail(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(text, absl::MaxSplits('@', 1));
  const auto& [local, domain] = halves;
  if (local.size() + domain.size() == text.size()) return "it has no @";
  if (local.empty()) return "nothing stands before the @";
  if (absl::StrContains(text, "..") || local.front() == '.') return "a dot is out of place";
  for (const char c : local) {
    if (!IsAlnum(c) && !IsOneOf(c, "_'+-.")) return "a character before the @ is not allowed";
  }
  if (!IsAlnum(local.back()) && !IsOneOf(local.back(), "_+-")) {
    return "the last character before the @ is not allowed there";
  }
  const std::vector<absl::string_view> labels = absl::StrSplit(domain, '.');
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    if (!IsEmailLabel(labels[i])) return "what follows the @ is not a domain name";
  }
  if (labels.size() < 2 || !IsTopLevelDomain(labels.back())) {
    return "what follows the @ is not a domain name";
  }
  return std::nullopt;
}

Complaint CheckBase64(absl::string_view text) {
  if (text.size() % 4 != 0) return "its length is not a multiple of four";
  const std::size_t padding = absl::EndsWith(text, "==") ? 2 : absl::EndsWith(text, "=") ? 1 : 0;
  text.remove_suffix(padding);
  for (const char c : text) {
    if (!IsAlnum(c) && c != '+' && c != '/') return "a character in it is not base64";
  }
  return std::nullopt;
}

Complaint CheckVersion(absl::string_view text) {
  const std::string complaint = "it is no SemVer, MAJOR.MINOR.PATCH";
  const auto are_identifiers = [](absl::string_view dotted, bool may_start_with_zero) {
    for (const absl::string_view part : absl::StrSplit(dotted, '.')) {
      const bool is_number = absl::c_all_of(part, IsDigit);
      if (part.empty() ||
          (is_number && !may_start_with_zero && part.size() > 1 && part[0] == '0')) {
        return false;
      }
      if (!absl::c_all_of(part, [](char c) { return IsAlnum(c) || c == '-'; })) return false;
    }
    return true;
  };
  const std::size_t build = text.find('+');
  if (build != absl::string_view::npos) {
    if (!are_identifiers(text.substr(build + 1), /*may_start_with_zero=*/true)) return complaint;
    text = text.substr(0, build);
  }
  const std::size_t prerelease = text.find('-');
  if (prerelease != absl::string_view::npos) {
    if (!are_identifiers(text.substr(prerelease + 1), false)) return complaint;
    text = text.substr(0, prerelease);
  }
  const bool is_version = std::count(text.begin(), text.end(), '.') == 2 &&
                          are_identifiers(text, false) &&
                          absl::c_all_of(text, [](char c) { return IsDigit(c) || c == '.'; });
  return is_version ? std::nullopt : Complaint(complaint);
}

Complaint CheckLocale(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '_');
  if (parts.size() != 2) return "it must be two parts joined by one `_`";
  if (parts[1].empty()) return "nothing stands behind its `_`";
  ucs4_t first;
  if (u8_mbtouc(&first, reinterpret_cast<const std::uint8_t*>(parts[1].data()), parts[1].size()) <=
      0) {
    return "it is not UTF-8";
  }
  if (ChangesInUpperCase(first)) return "the part behind `_` must start in upper case";
  return std::nullopt;
}

Complaint CheckDecimal(absl::string_view text) {
  const std::string complaint = "it is not a decimal number";
  absl::string_view rest = text;
  if (!rest.empty() && rest[0] == '-') rest.remove_prefix(1);
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '.');
  if (parts.size() > 2) return complaint;
  for (const absl::string_view part : parts) {
    if (part.empty()) return complaint;
    for (const char c : part) {
      if (!IsDigit(c)) return complaint;
    }
  }
  if (!std::isfinite(ToDouble(text))) return "the number is too large";
  return std::nullopt;
}

std::string CanonicalDecimal(absl::string_view text) {
  constexpr double kExponentFrom = 1e21, kExponentBelow = 1e-6;
  const double number = ToDouble(text);
  if (number == 0) return "0";
  const double size = std::fabs(number);
  const bool fixed = size >= kExponentBelow && size < kExponentFrom;
  char buffer[64];
  const auto result =
      std::to_chars(std::begin(buffer), std::end(buffer), number,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string canonical(buffer, result.ptr);
  // JavaScript writes 1e-7 where C++ writes 1e-07.
  const std::size_t exponent = canonical.find("e-0");
  if (exponent != std::string::npos) canonical.erase(exponent + 2, 1);
  return canonical;
}

}  // namespace atomemo::definition
