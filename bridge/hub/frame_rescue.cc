#include "bridge/hub/frame_rescue.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/base/json_string.h"

namespace atomemo::hub {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  // Passes space.
  bool AtEnd() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    return at_ == text_.size();
  }
  bool IsAt(char c) { return !AtEnd() && text_[at_] == c; }
  bool Take(char c) {
    if (!IsAt(c)) return false;
    ++at_;
    return true;
  }

  // What stands between the quotes of the string that begins here; nothing if none does, or it has
  // no end.
  std::optional<absl::string_view> TakeString() {
    if (!Take('"')) return std::nullopt;
    const std::size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
      if (text_[at_] == '\\') ++at_;
    }
    at_ = text_.size();  // a backslash may have led beyond
    return std::nullopt;
  }

  // Passes whatever stands before the next comma, brackets with all that is in them.
  void PassElement() {
    std::size_t depth = 0;
    while (!AtEnd() && (depth > 0 || text_[at_] != ',')) Pass(depth);
  }

  // Passes a string, a bracket or another character. Not at the end.
  void Pass(std::size_t& depth) {
    switch (text_[at_]) {
      case '"':
        TakeString();
        return;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      default:
        break;
    }
    ++at_;
  }

 private:
  const absl::string_view text_;
  std::size_t at_ = 0;
};

// As valid UTF-8, whatever it was.
std::string Decode(absl::string_view raw) {
  std::string text;
  base::AppendDecoded(raw, text);
  return base::UnquoteJson(base::QuoteJson(text)).value_or("");
}

bool IsName(absl::string_view raw, absl::string_view name) {
  constexpr std::size_t kLongestEscape = 6;
  return raw == name || (raw.size() <= name.size() * kLongestEscape && Decode(raw) == name);
}

struct Found {
  std::optional<std::string> request_id;
  std::optional<std::string> status;
};

// Of members with the same name the last one counts, as everywhere.
Found FindMembers(Scanner& scanner) {
  Found found;
  if (!scanner.Take('{')) return found;
  std::size_t depth = 1;
  while (depth > 0 && !scanner.AtEnd()) {
    if (depth > 1 || !scanner.IsAt('"')) {
      scanner.Pass(depth);
      continue;
    }
    const std::optional<absl::string_view> name = scanner.TakeString();
    if (!name || !scanner.Take(':') || !scanner.IsAt('"')) continue;
    const std::optional<absl::string_view> value = scanner.TakeString();
    if (!value) break;
    if (IsName(*name, "request_id")) found.request_id = Decode(*value);
    if (IsName(*name, "status")) found.status = Decode(*value);
  }
  return found;
}

// The object that stands for the payload.
std::string PayloadOf(const Found& found, const absl::Status& damage) {
  std::string payload = "{";
  if (found.request_id) {
    absl::StrAppend(&payload, "\"request_id\":", base::QuoteJson(*found.request_id));
  }
  if (found.status) {
    const std::string reason = absl::StrCat("the hub's reply cannot be read: ", damage.message());
    absl::StrAppend(&payload, found.request_id ? "," : "",
                    "\"status\":", base::QuoteJson(*found.status),
                    ",\"response\":{\"reason\":", base::QuoteJson(reason), "}");
  }
  return payload + "}";
}

}  // namespace

std::optional<PhoenixFrame> RescueFrame(absl::string_view text, const absl::Status& damage) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  Scanner scanner(text);
  if (!scanner.Take('[')) return std::nullopt;
  const auto take_ref = [&scanner]() -> std::optional<std::string> {
    std::optional<std::string> ref;
    if (const auto raw = scanner.TakeString()) ref = Decode(*raw);
    scanner.PassElement();
    scanner.Take(',');
    return ref;
  };
  PhoenixFrame frame;
  frame.join_ref = take_ref();
  frame.ref = take_ref();
  const std::optional<absl::string_view> topic = scanner.TakeString();
  if (!topic || !scanner.Take(',')) return std::nullopt;
  const std::optional<absl::string_view> event = scanner.TakeString();
  if (!event || !scanner.Take(',')) return std::nullopt;
  frame.topic = Decode(*topic);
  frame.event = Decode(*event);
  const Found found = FindMembers(scanner);
  const bool concerns_channel = frame.event == "phx_error" || frame.event == "phx_close";
  if (!found.request_id && !found.status && !concerns_channel) return std::nullopt;
  frame.payload = PayloadOf(found, damage);
  frame.damage = damage;
  return frame;
}

}  // namespace atomemo::hub
