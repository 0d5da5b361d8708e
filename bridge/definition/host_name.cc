#include "bridge/definition/host_name.h"

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atomemo::definition {
namespace {

using CodePoints = std::vector<std::uint32_t>;

constexpr std::size_t kLongestLabel = 63;
// A longer host is in no DNS; bounds what the conversion costs.
constexpr std::size_t kLongestHost = 1024;
constexpr absl::string_view kAcePrefix = "xn--";

struct Range {
  std::uint32_t first, last;
};

// RFC 3454, table B.1: mapped to nothing.
constexpr Range kDropped[] = {{0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x1806, 0x1806},
                              {0x180B, 0x180D}, {0x200B, 0x200D}, {0x2060, 0x2060},
                              {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

// RFC 3454, tables C.1.2, C.2.2 and C.3 to C.9: what a host name must not contain.
constexpr Range kProhibited[] = {
    {0x0080, 0x009F},   {0x00A0, 0x00A0},   {0x0340, 0x0341},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x2063},   {0x206A, 0x206F},   {0x2FF0, 0x2FFB},
    {0x3000, 0x3000},   {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFF},   {0x1D173, 0x1D17A}, {0x1FFFE, 0x1FFFF}, {0x2FFFE, 0x2FFFF},
    {0x3FFFE, 0x3FFFF}, {0x4FFFE, 0x4FFFF}, {0x5FFFE, 0x5FFFF}, {0x6FFFE, 0x6FFFF},
    {0x7FFFE, 0x7FFFF}, {0x8FFFE, 0x8FFFF}, {0x9FFFE, 0x9FFFF}, {0xAFFFE, 0xAFFFF},
    {0xBFFFE, 0xBFFFF}, {0xCFFFE, 0xCFFFF}, {0xDFFFE, 0xDFFFF}, {0xE0001, 0xE0001},
    {0xE0020, 0xE007F}, {0xEFFFE, 0x10FFFF}};

template <std::size_t N>
bool IsIn(const Range (&ranges)[N], std::uint32_t point) {
  return std::any_of(std::begin(ranges), std::end(ranges), [point](const Range& range) {
    return range.first <= point && point <= range.last;
  });
}

bool IsAscii(const CodePoints& points) {
  return std::all_of(points.begin(), points.end(),
                     [](std::uint32_t point) { return point < 0x80; });
}

std::optional<CodePoints> Decode(absl::string_view text) {
  CodePoints points(text.size());
  std::size_t length = points.size();
  if (u8_to_u32(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), points.data(),
                &length) == nullptr) {
    return std::nullopt;
  }
  points.resize(length);
  return points;
}

CodePoints Normalized(const CodePoints& points) {
  std::size_t length = 0;
  const std::unique_ptr<std::uint32_t, decltype(&std::free)> result(
      u32_normalize(UNINORM_NFKC, points.data(), points.size(), nullptr, &length), &std::free);
  return result == nullptr ? CodePoints() : CodePoints(result.get(), result.get() + length);
}

CodePoints FoldedAndNormalized(const CodePoints& points) {
  std::size_t length = 0;
  const std::unique_ptr<std::uint32_t, decltype(&std::free)> result(
      u32_casefold(points.data(), points.size(), nullptr, UNINORM_NFKC, nullptr, &length),
      &std::free);
  return result == nullptr ? CodePoints() : CodePoints(result.get(), result.get() + length);
}

bool IsRightToLeft(std::uint32_t point) {
  const int category = uc_bidi_category(point);
  return category == UC_BIDI_R || category == UC_BIDI_AL;
}

// RFC 3454, section 6: a label that has right-to-left letters has no left-to-right ones, and starts
// and ends with one.
bool HasOneDirection(const CodePoints& points) {
  if (std::none_of(points.begin(), points.end(), IsRightToLeft)) return true;
  return IsRightToLeft(points.front()) && IsRightToLeft(points.back()) &&
         std::none_of(points.begin(), points.end(),
                      [](std::uint32_t point) { return uc_bidi_category(point) == UC_BIDI_L; });
}

// RFC 3491.
std::optional<CodePoints> Prepare(CodePoints points) {
  points.erase(std::remove_if(points.begin(), points.end(),
                              [](std::uint32_t point) { return IsIn(kDropped, point); }),
               points.end());
  if (points.empty()) return points;
  points = FoldedAndNormalized(Normalized(points));
  for (const std::uint32_t point : points) {
    if (IsIn(kProhibited, point)) return std::nullopt;
  }
  if (!HasOneDirection(points)) return std::nullopt;
  return points;
}

// RFC 3492, section 6.1.
std::uint32_t Adapt(std::uint32_t delta, std::uint32_t count, bool first) {
  constexpr std::uint32_t kBase = 36, kTMin = 1, kTMax = 26, kSkew = 38, kDamp = 700;
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / count;
  std::uint32_t k = 0;
  for (; delta > (kBase - kTMin) * kTMax / 2; k += kBase) delta /= kBase - kTMin;
  return k + (kBase - kTMin + 1) * delta / (delta + kSkew);
}

// RFC 3492, section 6.3. `points` are few enough for nothing to overflow.
std::string Punycode(const CodePoints& points) {
  constexpr std::uint32_t kBase = 36, kTMin = 1, kTMax = 26, kInitialBias = 72, kInitialN = 0x80;
  constexpr absl::string_view kDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string output;
  for (const std::uint32_t point : points) {
    if (point < 0x80) output.push_back(static_cast<char>(point));
  }
  const std::uint32_t basic = static_cast<std::uint32_t>(output.size());
  std::uint32_t handled = basic;
  if (basic > 0) output.push_back('-');
  std::uint32_t n = kInitialN, delta = 0, bias = kInitialBias;
  while (handled < points.size()) {
    std::uint32_t next = std::numeric_limits<std::uint32_t>::max();
    for (const std::uint32_t point : points) {
      if (point >= n) next = std::min(next, point);
    }
    delta += (next - n) * (handled + 1);
    n = next;
    for (const std::uint32_t point : points) {
      if (point < n) ++delta;
      if (point != n) continue;
      std::uint32_t q = delta;
      for (std::uint32_t k = kBase;; k += kBase) {
        const std::uint32_t t = k <= bias ? kTMin : k >= bias + kTMax ? kTMax : k - bias;
        if (q < t) break;
        output.push_back(kDigits[t + (q - t) % (kBase - t)]);
        q = (q - t) / (kBase - t);
      }
      output.push_back(kDigits[q]);
      bias = Adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return output;
}

std::optional<std::string> ToAsciiLabel(const CodePoints& label) {
  std::optional<CodePoints> prepared = IsAscii(label) ? label : Prepare(label);
  // A longer one would not fit either once it is encoded.
  if (!prepared.has_value() || prepared->empty() || prepared->size() > kLongestLabel) {
    return std::nullopt;
  }
  if (IsAscii(*prepared)) return std::string(prepared->begin(), prepared->end());
  const std::string encoded = absl::StrCat(kAcePrefix, Punycode(*prepared));
  const bool claims_prefix = prepared->size() >= kAcePrefix.size() &&
                             std::equal(kAcePrefix.begin(), kAcePrefix.end(), prepared->begin());
  if (claims_prefix || encoded.size() > kLongestLabel) return std::nullopt;
  return encoded;
}

bool IsDot(std::uint32_t point) {
  return point == '.' || point == 0x3002 || point == 0xFF0E || point == 0xFF61;
}

}  // namespace

std::optional<std::string> ToAsciiHostName(absl::string_view host) {
  if (std::all_of(host.begin(), host.end(),
                  [](char c) { return absl::ascii_isascii(static_cast<unsigned char>(c)); })) {
    return std::string(host);
  }
  if (host.size() > kLongestHost) return std::nullopt;
  const std::optional<CodePoints> points = Decode(host);
  if (!points.has_value()) return std::nullopt;
  std::string ascii;
  auto begin = points->begin();
  while (true) {
    const auto end = std::find_if(begin, points->end(), IsDot);
    const std::optional<std::string> label = ToAsciiLabel(CodePoints(begin, end));
    if (!label.has_value()) return std::nullopt;
    ascii += *label;
    if (end == points->end()) return ascii;
    ascii += '.';
    begin = end + 1;
  }
}

}  // namespace atomemo::definition
