#include "bridge/definition/js_regex.h"

#include <unistr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::definition {
namespace {

// JavaScript reads patterns without flags by UTF-16 unit.
std::optional<std::u16string> ToUtf16(absl::string_view text) {
  std::u16string units(text.size(), u'\0');
  std::size_t length = units.size();
  if (u8_to_u16(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                reinterpret_cast<std::uint16_t*>(units.data()), &length) == nullptr) {
    return std::nullopt;
  }
  units.resize(length);
  return units;
}

// Nested deeper than this, a pattern is accepted unread.
constexpr int kMaxDepth = 200;

bool IsDigit(int c) { return c >= '0' && c <= '9'; }
bool IsOctalDigit(int c) { return c >= '0' && c <= '7'; }
bool IsLetter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
int HexValue(int c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A parser of ECMA-262's grammar for patterns (section 22.2.1 with annex B.1.2) that builds
// nothing, in time (nearly) linear in the pattern. The first complaint ends it.
class Parser {
 public:
  Parser(std::u16string pattern, bool has_named_groups)
      : pattern_(std::move(pattern)), has_named_groups_(has_named_groups) {}

  std::optional<std::string> Run() {
    Disjunction(0);
    if (!failed_ && !AtEnd()) Fail("a `)` has no `(`");
    for (const std::u16string_view reference : references_) {
      if (names_.count(reference) == 0) Fail("a `\\k<...>` refers to a group that is not there");
    }
    if (too_deep_) return std::nullopt;
    return complaint_;
  }

  static bool HasNamedGroups(const std::u16string& pattern) {
    bool in_class = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '\\') {
        ++i;
      } else if (in_class || pattern[i] == '[') {
        in_class = pattern[i] != ']';
      } else if (pattern.compare(i, 3, u"(?<") == 0 && i + 3 < pattern.size() &&
                 pattern[i + 3] != '=' && pattern[i + 3] != '!') {
        return true;
      }
    }
    return false;
  }

 private:
  // A disjunction, and where its current alternative begins.
  struct OpenDisjunction {
    std::size_t begin;
    std::size_t alternative;
  };

  static constexpr int kEnd = -1;
  // What a class escape such as \d stands for in a range.
  static constexpr int kManyUnits = -2;

  bool AtEnd() const { return failed_ || position_ >= pattern_.size(); }
  int Peek(std::size_t ahead = 0) const {
    return failed_ || position_ + ahead >= pattern_.size() ? kEnd : pattern_[position_ + ahead];
  }
  int Next() {
    const int unit = Peek();
    ++position_;
    return unit;
  }
  bool Consume(std::u16string_view expected) {
    if (failed_ || pattern_.compare(position_, expected.size(), expected) != 0) return false;
    position_ += expected.size();
    return true;
  }
  void Fail(std::string complaint) {
    if (failed_) return;
    failed_ = true;
    complaint_ = std::move(complaint);
  }

  void Disjunction(int depth) {
    if (depth > kMaxDepth) {
      too_deep_ = failed_ = true;
      return;
    }
    open_.push_back({position_, position_});
    Alternative(depth);
    while (Consume(u"|")) {
      open_.back().alternative = position_;
      Alternative(depth);
    }
    open_.pop_back();
  }

  void Alternative(int depth) {
    while (!AtEnd() && Peek() != '|' && Peek() != ')') Term(depth);
  }

  void Term(int depth) {
    bool quantifiable = true;
    const int unit = Peek();
    if (unit == '^' || unit == '$') {
      Next();
      quantifiable = false;
    } else if (unit == '(') {
      Group(depth, quantifiable);
    } else if (unit == '[') {
      Class();
    } else if (unit == '\\') {
      quantifiable = AtomEscape();
    } else if (IsQuantifierAhead()) {
      Fail("a quantifier (`*`, `+`, `?` or `{n}`) has nothing to repeat");
    } else {
      Next();
    }
    if (IsQuantifierAhead()) {
      if (!quantifiable) Fail("a quantifier (`*`, `+`, `?` or `{n}`) has nothing to repeat");
      Quantifier();
    }
  }

  void Group(int depth, bool& quantifiable) {
    const std::size_t begin = position_;
    Next();
    if (Consume(u"?<=") || Consume(u"?<!")) {
      quantifiable = false;
    } else if (Consume(u"?<")) {
      AddName(GroupName(), begin);
    } else if (Consume(u"?=") || Consume(u"?!") || Consume(u"?:")) {
    } else if (Consume(u"?")) {
      Modifiers();
    }
    Disjunction(depth + 1);
    if (!Consume(u")")) Fail("a `(` has no `)`");
  }

  // Only groups that cannot both take part in a match, which stand in different alternatives of one
  // disjunction, may share a name. To know that of all earlier groups of a name, the last of them
  // is enough: what surrounds an earlier one and this one surrounded the last one too, and was
  // looked at then.
  void AddName(std::u16string_view name, std::size_t begin) {
    if (failed_) return;
    const auto inserted = names_.try_emplace(name, begin);
    if (inserted.second) return;
    std::size_t& last = inserted.first->second;
    // The innermost disjunction that holds both.
    const auto outside =
        std::partition_point(open_.begin(), open_.end(),
                             [&](const OpenDisjunction& open) { return open.begin <= last; });
    if (outside == open_.begin() || std::prev(outside)->alternative <= last) {
      return Fail("two groups have the same name");
    }
    last = begin;
  }

  // `(?i:` and `(?i-s:`; other languages' groups end here.
  void Modifiers() {
    const std::string unknown = absl::StrCat("a group starts with `(?", Peek() == 'P' ? "P" : "",
                                             "`, which JavaScript does not know (a named group is "
                                             "`(?<name>...)`, one that is not captured "
                                             "`(?:...)`)");
    std::set<int> seen;
    bool minus = false;
    while (!AtEnd() && Peek() != ':') {
      const int unit = Next();
      if (unit == '-' && !minus) {
        minus = true;
      } else if ((unit != 'i' && unit != 'm' && unit != 's') || !seen.insert(unit).second) {
        return Fail(unknown);
      }
    }
    if (seen.empty() || !Consume(u":")) Fail(unknown);
  }

  // Up to and with the `>`.
  std::u16string_view GroupName() {
    const std::size_t begin = position_;
    while (Peek() != '>') {
      const bool is_first = position_ == begin;
      const int unit = Next();
      const bool fits = unit >= 0x80 || unit == '_' || unit == '$' || unit == '\\' ||
                        IsLetter(unit) || (IsDigit(unit) && !is_first);
      if (!fits) {
        Fail("a group's name is not a name");
        return {};
      }
    }
    const auto name = std::u16string_view(pattern_).substr(begin, position_ - begin);
    Next();
    if (name.empty()) Fail("a group's name is empty");
    return name;
  }

  bool IsQuantifierAhead() const {
    const int unit = Peek();
    return unit == '*' || unit == '+' || unit == '?' || (unit == '{' && BracesEnd() > 0);
  }

  // How long the `{n}`, `{n,}` or `{n,m}` ahead is; 0 if there is none.
  std::size_t BracesEnd() const {
    std::size_t i = 1;
    while (IsDigit(Peek(i))) ++i;
    if (i == 1) return 0;
    if (Peek(i) == ',') {
      ++i;
      while (IsDigit(Peek(i))) ++i;
    }
    return Peek(i) == '}' ? i + 1 : 0;
  }

  void Quantifier() {
    if (Peek() == '{') {
      Braces();
    } else {
      Next();
    }
    Consume(u"?");
  }

  void Braces() {
    Next();
    const std::u16string least = Digits();
    if (Consume(u",") && Peek() != '}') {
      const std::u16string most = Digits();
      if (std::pair(least.size(), least) > std::pair(most.size(), most)) {
        Fail("the numbers in a `{n,m}` are out of order");
      }
    }
    Next();
  }

  // Without leading zeros, so that longer is larger.
  std::u16string Digits() {
    std::u16string digits;
    while (IsDigit(Peek())) digits.push_back(static_cast<char16_t>(Next()));
    digits.erase(0, digits.find_first_not_of(u'0'));
    return digits;
  }

  // Whether what the escape stands for can be repeated.
  bool AtomEscape() {
    Next();
    const int unit = Next();
    if (unit == kEnd) Fail("it ends with a `\\`");
    if (unit == 'k' && has_named_groups_) {
      if (!Consume(u"<")) Fail("a `\\k` is not followed by `<name>`");
      if (!failed_) references_.insert(GroupName());
    }
    return unit != 'b' && unit != 'B';
  }

  void Class() {
    Next();
    Consume(u"^");
    while (Peek() != ']') {
      if (AtEnd()) return Fail("a `[` has no `]`");
      const int first = ClassAtom();
      if (Peek() != '-' || Peek(1) == ']' || Peek(1) == kEnd) continue;
      Next();
      const int last = ClassAtom();
      if (first != kManyUnits && last != kManyUnits && first > last) {
        Fail("a range in `[...]` is out of order");
      }
    }
    Next();
  }

  int ClassAtom() {
    const int unit = Next();
    return unit == '\\' ? ClassEscape() : unit;
  }

  int ClassEscape() {
    const int unit = Next();
    switch (unit) {
      case kEnd:
        Fail("it ends with a `\\`");
        return kManyUnits;
      case 'd':
      case 'D':
      case 's':
      case 'S':
      case 'w':
      case 'W':
        return kManyUnits;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x':
        return HexEscape(2, unit);
      case 'u':
        return HexEscape(4, unit);
      case 'c':
        return ControlEscape();
      case 'k':
        if (has_named_groups_) Fail("`\\k` cannot stand in `[...]`");
        return unit;
      default:
        return IsOctalDigit(unit) ? OctalEscape(unit) : unit;
    }
  }

  int HexEscape(int digits, int otherwise) {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      if (HexValue(Peek(i)) < 0) return otherwise;
      value = value * 16 + HexValue(Peek(i));
    }
    position_ += digits;
    return value;
  }

  // Without a letter behind it, the backslash stands for itself.
  int ControlEscape() {
    if (IsLetter(Peek()) || IsDigit(Peek()) || Peek() == '_') return Next() % 32;
    --position_;
    return '\\';
  }

  int OctalEscape(int first) {
    int value = first - '0';
    const int most_digits = first <= '3' ? 3 : 2;
    for (int digits = 1; digits < most_digits && IsOctalDigit(Peek()); ++digits) {
      value = value * 8 + (Next() - '0');
    }
    return value;
  }

  const std::u16string pattern_;
  const bool has_named_groups_;
  std::size_t position_ = 0;
  bool failed_ = false;
  bool too_deep_ = false;
  std::optional<std::string> complaint_;
  // Where the last group of each name begins, and the names that `\k` refers to: parts of the
  // pattern.
  std::map<std::u16string_view, std::size_t> names_;
  std::set<std::u16string_view> references_;
  // The disjunctions around the current position, outermost first.
  std::vector<OpenDisjunction> open_;
};

}  // namespace

std::optional<std::string> CheckJsRegex(absl::string_view pattern) {
  const std::optional<std::u16string> units = ToUtf16(pattern);
  if (!units.has_value()) return "it is not UTF-8";
  return Parser(*units, Parser::HasNamedGroups(*units)).Run();
}

}  // namespace atomemo::definition
