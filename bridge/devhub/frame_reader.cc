#include "bridge/devhub/frame_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atomemo::devhub {
namespace {

constexpr std::size_t kElements = 5;
// Jason's decoding_integer_digit_limit; a minus sign counts.
constexpr std::size_t kMaxIntegerBytes = 1024;

// Reads JSON strictly, from left to right, without building anything.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  // The text of each element of the array that the whole text is; nothing when it is no array or
  // no JSON.
  std::optional<std::vector<absl::string_view>> Elements() {
    std::vector<absl::string_view> elements;
    SkipSpace();
    if (!Take('[')) return std::nullopt;
    SkipSpace();
    bool more = !Take(']');
    while (more) {
      SkipSpace();
      const std::size_t begin = at_;
      if (!Value()) return std::nullopt;
      elements.push_back(text_.substr(begin, at_ - begin));
      SkipSpace();
      more = Take(',');
      if (!more && !Take(']')) return std::nullopt;
    }
    SkipSpace();
    if (at_ != text_.size()) return std::nullopt;
    return elements;
  }

  std::size_t position() const { return at_; }

 private:
  bool Take(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  // One value, however deep: `open_` has the closing brackets that are still to come.
  bool Value() {
    open_.clear();
    do {
      if (!Opening()) return false;
      // Behind a value: the ends of what it ends, and the way to the next one.
      while (!open_.empty()) {
        SkipSpace();
        if (Take(open_.back())) {
          open_.pop_back();
          continue;
        }
        if (!Take(',')) return false;
        if (open_.back() == '}' && !Key()) return false;
        break;
      }
    } while (!open_.empty());
    return true;
  }

  // Goes into arrays and objects as far as the next scalar or empty one, and takes that.
  bool Opening() {
    for (;;) {
      SkipSpace();
      if (Take('[')) {
        SkipSpace();
        if (Take(']')) return true;
        open_.push_back(']');
      } else if (Take('{')) {
        SkipSpace();
        if (Take('}')) return true;
        open_.push_back('}');
        if (!Key()) return false;
      } else {
        return Scalar();
      }
    }
  }

  bool Key() {
    SkipSpace();
    if (!Take('"') || !String()) return false;
    SkipSpace();
    return Take(':');
  }

  bool Scalar() {
    if (Take('"')) return String();
    for (const absl::string_view word : {"true", "false", "null"}) {
      if (absl::StartsWith(text_.substr(at_), word)) {
        at_ += word.size();
        return true;
      }
    }
    return Number();
  }

  // What follows the opening quote.
  bool String() {
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_++]);
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c == '\\' && !Escape()) return false;
    }
    return false;
  }

  bool Escape() {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return absl::StrContains("\"\\/bfnrt", c);
    const std::optional<unsigned> first = Hex();
    if (!first) return false;
    if (*first < 0xd800 || *first > 0xdfff) return true;
    if (*first > 0xdbff || !Take('\\') || !Take('u')) return false;
    const std::optional<unsigned> second = Hex();
    return second && *second >= 0xdc00 && *second <= 0xdfff;
  }

  std::optional<unsigned> Hex() {
    unsigned value = 0;
    for (int digits = 0; digits < 4; ++digits, ++at_) {
      if (at_ == text_.size() || !absl::ascii_isxdigit(text_[at_])) return std::nullopt;
      const char c = absl::ascii_tolower(text_[at_]);
      value = value * 16 + (absl::ascii_isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    return value;
  }

  bool Digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && absl::ascii_isdigit(text_[at_])) ++at_;
    return at_ > begin;
  }

  bool Number() {
    const std::size_t begin = at_;
    Take('-');
    if (!Take('0') && !Digits()) return false;
    bool integer = true;
    if (Take('.')) {
      integer = false;
      if (!Digits()) return false;
    }
    if (Take('e') || Take('E')) {
      integer = false;
      if (!Take('+')) Take('-');
      if (!Digits()) return false;
    }
    const absl::string_view number = text_.substr(begin, at_ - begin);
    if (integer) return number.size() <= kMaxIntegerBytes;
    double value = 0;
    const auto result = absl::from_chars(number.data(), number.data() + number.size(), value);
    return result.ec != std::errc::result_out_of_range || std::abs(value) < 1;
  }

  const absl::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> open_;
};

void AppendUtf8(unsigned code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
  } else if (code < 0x10000) {
    out += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
            static_cast<char>(0x80 | (code & 0x3f))};
  } else {
    out += {static_cast<char>(0xf0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3f)),
            static_cast<char>(0x80 | (code >> 6 & 0x3f)), static_cast<char>(0x80 | (code & 0x3f))};
  }
}

unsigned HexAt(absl::string_view text, std::size_t at) {
  return static_cast<unsigned>(std::stoul(std::string(text.substr(at, 4)), nullptr, 16));
}

// The value of a string literal that the scanner has taken.
std::string Unquote(absl::string_view literal) {
  constexpr absl::string_view kEscapes = "bfnrt";
  constexpr absl::string_view kMeanings = "\b\f\n\r\t";
  const absl::string_view body = literal.substr(1, literal.size() - 2);
  std::string value;
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] != '\\') {
      value += body[at];
      continue;
    }
    const char escape = body[++at];
    if (escape != 'u') {
      const std::size_t known = kEscapes.find(escape);
      value += known == absl::string_view::npos ? escape : kMeanings[known];
      continue;
    }
    unsigned code = HexAt(body, at + 1);
    at += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (HexAt(body, at + 3) - 0xdc00);
      at += 6;
    }
    AppendUtf8(code, value);
  }
  return value;
}

absl::Status Unreadable(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a Phoenix V2 frame: ", why));
}

}  // namespace

absl::StatusOr<hub::PhoenixFrame> ReadHubFrame(absl::string_view text) {
  Scanner scanner(text);
  const std::optional<std::vector<absl::string_view>> elements = scanner.Elements();
  if (!elements) {
    return Unreadable(absl::StrCat("no array that the hub can read; byte ", scanner.position()));
  }
  if (elements->size() < kElements) {
    return Unreadable(absl::StrCat(elements->size(), " elements instead of ", kElements));
  }
  std::array<std::optional<std::string>, kElements - 1> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const absl::string_view element = (*elements)[i];
    if (element.front() == '"') {
      texts[i] = Unquote(element);
    } else if (element != "null") {
      return Unreadable(absl::StrCat("element ", i, " is neither a string nor null"));
    }
  }
  if (!texts[2] || !texts[3]) return Unreadable("topic or event is null");
  return hub::PhoenixFrame{std::move(texts[0]), std::move(texts[1]), *std::move(texts[2]),
                           *std::move(texts[3]), std::string((*elements)[4])};
}

std::size_t MaxTextBytes(std::size_t max_frame_bytes) {
  struct Form {
    std::size_t header;
    std::size_t longest;
  };
  std::size_t most = 0;
  for (const Form& form : {Form{6, 125}, Form{8, 0xffff}, Form{14, SIZE_MAX}}) {
    if (max_frame_bytes < form.header) break;
    most = std::max(most, std::min(max_frame_bytes - form.header, form.longest));
  }
  return most;
}

}  // namespace atomemo::devhub
