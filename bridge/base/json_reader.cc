#include "bridge/base/json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/base/json_error.h"
#include "bridge/base/json_string.h"

namespace atomemo::base {
namespace {

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }
// What ends the quick walk through a string.
bool IsSpecial(char c) { return c == '"' || c == '\\' || IsControl(c); }

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = kOnes * 0x80;

// Not zero if one of the word's eight bytes is special.
std::uint64_t SpecialBytes(std::uint64_t word) {
  const std::uint64_t quotes = word ^ kOnes * '"';
  const std::uint64_t backslashes = word ^ kOnes * '\\';
  return (((word - kOnes * 0x20) & ~word) | ((quotes - kOnes) & ~quotes) |
          ((backslashes - kOnes) & ~backslashes)) &
         kHighs;
}

// Finds the first special character; what comes before it is walked through eight bytes at a time,
// in long strings 32. Names and short texts are most of what there is, contents of files the rest.
class StringWalk {
 public:
  StringWalk(const char* at, const char* end) : at_(at), end_(end) {}

  const char* Run() {
    const char* const soon = at_ + 2 * sizeof(std::uint64_t);
    while (Has(sizeof(std::uint64_t)) && at_ < soon) {
      if (!StepWord()) return Finish();
    }
    while (Has(2 * sizeof(Block)) && StepBlocks()) {
    }
    while (Has(sizeof(std::uint64_t))) {
      if (!StepWord()) return Finish();
    }
    return Finish();
  }

  // Whether there was a byte beyond ASCII; also, at times, one that came soon afterwards.
  bool high() const { return (seen_ & kHighs) != 0; }

 private:
  // The compiler has instructions for these on every processor of today.
  using Block = unsigned char __attribute__((vector_size(16)));

  bool Has(std::size_t bytes) const { return static_cast<std::size_t>(end_ - at_) >= bytes; }

  // False: the word has the character.
  bool StepWord() {
    std::uint64_t word;
    std::memcpy(&word, at_, sizeof(word));
    seen_ |= word;
    if (SpecialBytes(word) != 0) return false;
    at_ += sizeof(word);
    return true;
  }

  bool StepBlocks() {
    Block a;
    Block b;
    std::memcpy(&a, at_, sizeof(a));
    std::memcpy(&b, at_ + sizeof(a), sizeof(b));
    const auto special =
        (a == '"') | (a == '\\') | (a < 0x20) | (b == '"') | (b == '\\') | (b < 0x20);
    const Block both = a | b;
    std::uint64_t found[2];
    std::uint64_t bytes[2];
    std::memcpy(found, &special, sizeof(found));
    std::memcpy(bytes, &both, sizeof(bytes));
    if ((found[0] | found[1]) != 0) return false;
    seen_ |= bytes[0] | bytes[1];
    at_ += 2 * sizeof(Block);
    return true;
  }

  const char* Finish() {
    for (; at_ != end_ && !IsSpecial(*at_); ++at_) seen_ |= static_cast<unsigned char>(*at_);
    return at_;
  }

  const char* at_;
  const char* const end_;
  std::uint64_t seen_ = 0;
};

// Which of the containers that are open are objects.
class Nesting {
 public:
  int depth() const { return depth_; }
  bool in_object() const { return (Word() >> Bit() & 1) != 0; }

  void Push(bool is_object) {
    ++depth_;
    std::uint64_t& word = words_[static_cast<std::size_t>(depth_ - 1) / 64];
    word = (word & ~(std::uint64_t{1} << Bit())) | std::uint64_t{is_object} << Bit();
  }
  void Pop() { --depth_; }

 private:
  std::uint64_t Word() const { return words_[static_cast<std::size_t>(depth_ - 1) / 64]; }
  int Bit() const { return (depth_ - 1) % 64; }

  int depth_ = 0;
  // Written before they are read.
  std::array<std::uint64_t, JsonReader::kMaxDepth / 64> words_;
};

}  // namespace

JsonReader::JsonReader(absl::string_view text, int max_depth)
    : begin_(text.data()),
      end_(text.data() + text.size()),
      at_(begin_),
      max_depth_(std::clamp(max_depth, 0, kMaxDepth)) {
  (void)ATOMEMO_INVARIANT(max_depth == max_depth_);
}

char JsonReader::Peek() {
  SkipSpace();
  return at_ == end_ ? '\0' : *at_;
}

void JsonReader::SkipByteOrderMark() {
  if (absl::StartsWith(Rest(at_), "\xEF\xBB\xBF")) at_ += 3;
}

bool JsonReader::Skip() {
  if (!ok()) return false;
  first_ = false;
  SkipSpace();
  if (at_ == end_) return FailValue(at_);
  return *at_ == '{' || *at_ == '[' ? SkipContainer() : SkipScalar();
}

bool JsonReader::Skip(absl::string_view& value) {
  SkipSpace();
  const char* const begin = at_;
  if (!Skip()) return false;
  value = absl::string_view(begin, static_cast<std::size_t>(at_ - begin));
  return true;
}

bool JsonReader::ReadString(std::string& out) {
  if (!ok()) return false;
  first_ = false;
  SkipSpace();
  if (at_ == end_ || *at_ != '"') return Fail(at_, "a string must be here");
  const char* const begin = at_ + 1;
  if (!SkipString()) return false;
  const absl::string_view raw(begin, static_cast<std::size_t>(at_ - begin) - 1);
  out.clear();
  if (has_escapes_) {
    AppendDecoded(raw, out);
  } else {
    out.assign(raw.data(), raw.size());
  }
  return true;
}

bool JsonReader::BeginObject() { return Enter('{'); }
bool JsonReader::BeginArray() { return Enter('['); }

bool JsonReader::Enter(char open) {
  if (!ok()) return false;
  SkipSpace();
  if (at_ == end_ || *at_ != open) {
    return Fail(at_, open == '{' ? "an object must be here" : "an array must be here");
  }
  if (depth_ == max_depth_) return FailDepth(at_);
  ++at_;
  ++depth_;
  first_ = true;
  return true;
}

// Moves behind the comma; false at the container's end, which is then left behind.
bool JsonReader::NextPart(char close) {
  if (!ok()) return false;
  SkipSpace();
  if (at_ != end_ && *at_ == close) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  if (first_) return true;
  if (at_ == end_ || *at_ != ',') return FailAfterValue(at_, close == '}');
  ++at_;
  SkipSpace();
  if (at_ != end_ && *at_ == close) return FailComma(at_);
  return true;
}

bool JsonReader::NextElement() { return NextPart(']'); }

bool JsonReader::NextMember(std::string& name) {
  if (!NextPart('}')) return false;
  if (at_ == end_ || *at_ != '"') return FailName(at_);
  if (!ReadString(name)) return false;
  SkipSpace();
  if (at_ == end_ || *at_ != ':') return Fail(at_, "a colon must follow the member's name");
  ++at_;
  SkipSpace();
  return true;
}

bool JsonReader::End() {
  if (!ok()) return false;
  SkipSpace();
  return at_ == end_ || Fail(at_, "something follows the end of the value");
}

absl::Status JsonReader::status() const {
  if (ok()) return absl::OkStatus();
  return JsonErrorAt(Rest(begin_), static_cast<std::size_t>(error_at_ - begin_), error_);
}

// ---- Values

void JsonReader::SkipSpace() {
  while (at_ != end_ && IsSpace(*at_)) ++at_;
}

bool JsonReader::SkipScalar() {
  switch (*at_) {
    case '"':
      return SkipString();
    case 't':
      return SkipLiteral("true");
    case 'f':
      return SkipLiteral("false");
    case 'n':
      return SkipLiteral("null");
    default:
      return SkipNumber();
  }
}

// One container to its end, without recursion.
bool JsonReader::SkipContainer() {
  Nesting open;
  for (;;) {
    // A value begins here.
    SkipSpace();
    if (at_ == end_) return FailValue(at_);
    if (*at_ == '{' || *at_ == '[') {
      if (depth_ + open.depth() == max_depth_) return FailDepth(at_);
      open.Push(*at_++ == '{');
      SkipSpace();
      if (at_ == end_ || *at_ != (open.in_object() ? '}' : ']')) {
        if (open.in_object() && !SkipName()) return false;
        continue;
      }
      ++at_;
      open.Pop();
    } else if (!SkipScalar()) {
      return false;
    }
    // It has ended.
    for (;;) {
      if (open.depth() == 0) return true;
      SkipSpace();
      const bool in_object = open.in_object();
      if (at_ == end_) return FailAfterValue(at_, in_object);
      if (*at_ == ',') break;
      if (*at_ != (in_object ? '}' : ']')) return FailAfterValue(at_, in_object);
      ++at_;
      open.Pop();
    }
    ++at_;
    if (open.in_object()) {
      SkipSpace();
      if (!SkipName()) return false;
    } else {
      SkipSpace();
      if (at_ != end_ && *at_ == ']') return FailComma(at_);
    }
  }
}

// A member's name and its colon.
bool JsonReader::SkipName() {
  if (at_ == end_ || *at_ != '"') return FailName(at_);
  if (!SkipString()) return false;
  SkipSpace();
  if (at_ == end_ || *at_ != ':') return Fail(at_, "a colon must follow the member's name");
  ++at_;
  return true;
}

bool JsonReader::SkipLiteral(absl::string_view literal) {
  if (!absl::StartsWith(Rest(at_), literal)) return FailValue(at_);
  at_ += literal.size();
  return true;
}

bool JsonReader::SkipNumber() {
  const char* at = at_;
  const auto digits = [this, &at] {
    const char* const begin = at;
    while (at != end_ && IsDigit(*at)) ++at;
    return at != begin;
  };
  if (*at == '-') ++at;
  if (at != end_ && *at == '0') {
    ++at;
    if (at != end_ && IsDigit(*at)) return Fail(at_, "a number must not begin with a zero");
  } else if (!digits()) {
    return FailValue(at_);
  }
  if (at != end_ && *at == '.') {
    ++at;
    if (!digits()) return Fail(at, "a digit must follow a number's decimal point");
  }
  if (at != end_ && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end_ && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return Fail(at, "a number's exponent has no digits");
  }
  at_ = at;
  return true;
}

// ---- Strings

bool JsonReader::SkipString() {
  const char* const begin = ++at_;
  bool high = false;
  has_escapes_ = false;
  for (;;) {
    StringWalk walk(at_, end_);
    at_ = walk.Run();
    high |= walk.high();
    if (at_ == end_) return Fail(begin - 1, "this string has no end");
    if (*at_ == '"') break;
    if (*at_ != '\\') return FailControl(at_);
    has_escapes_ = true;
    if (!SkipEscape()) return false;
  }
  const auto size = static_cast<std::size_t>(at_ - begin);
  if (high && !simdjson::validate_utf8(begin, size))
    return Fail(begin - 1, "this string is not UTF-8");
  ++at_;
  return true;
}

bool JsonReader::SkipEscape() {
  const absl::string_view rest = Rest(at_);
  if (rest.size() < 2) return Fail(at_, "this escape has no end");
  if (rest[1] != 'u') {
    if (!absl::StrContains("\"\\/bfnrt", rest[1])) return Fail(at_, "JSON knows no such escape");
    at_ += 2;
    return true;
  }
  const int unit = EscapedUnit(rest);
  if (unit < 0) return Fail(at_, "four hexadecimal digits must follow \\u");
  at_ += 6;
  if (IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(Rest(at_)))) {
    at_ += 6;
  } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
    has_lone_surrogates_ = true;
  }
  return true;
}

// ---- Errors

absl::string_view JsonReader::Rest(const char* at) const {
  return absl::string_view(at, static_cast<std::size_t>(end_ - at));
}

bool JsonReader::Fail(const char* at, absl::string_view why) {
  error_at_ = at;
  error_ = std::string(why);
  return false;
}

bool JsonReader::FailDepth(const char* at) {
  return Fail(at, absl::StrCat("nested deeper than ", max_depth_, " levels"));
}

bool JsonReader::FailValue(const char* at) {
  return Fail(at, DescribeMissingValue(Rest(begin_), static_cast<std::size_t>(at - begin_)));
}

bool JsonReader::FailComma(const char* at) {
  return Fail(
      at, absl::StrCat("a comma stands before the end of an ", *at == '}' ? "object" : "array"));
}

bool JsonReader::FailName(const char* at) {
  if (at == end_) return Fail(at, "an object has no end");
  if (*at == '}') return FailComma(at);
  return Fail(at, "a member's name in double quotes must be here");
}

bool JsonReader::FailAfterValue(const char* at, bool in_object) {
  if (at == end_) return Fail(at, in_object ? "an object has no end" : "an array has no end");
  return Fail(at, in_object ? "a comma or the end of the object must be here"
                            : "a comma or the end of the array must be here");
}

bool JsonReader::FailControl(const char* at) {
  return Fail(at, *at == '\n' ? "a string must not contain a line break: write \\n"
                              : "a string must not contain control characters: escape them");
}

}  // namespace atomemo::base
