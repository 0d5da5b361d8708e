#include "bridge/hub/phoenix_frame.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"

namespace atomemo::hub {
namespace {

constexpr std::size_t kElements = 5;
// simdjson's depth counts scalars as a level of their own, and the frame's array is one more.
constexpr std::size_t kParserDepth = base::kMaxJsonDepth + 2;
// A parser keeps about ten times the largest text it ever saw: texts above this size get a parser
// of their own, so that one large frame does not occupy memory for ever.
constexpr std::size_t kKeptParserBytes = 1 << 20;

std::unique_ptr<simdjson::dom::parser> MakeParser(std::size_t capacity) {
  auto parser = std::make_unique<simdjson::dom::parser>();
  // Only fails without memory, like `new`.
  if (parser->allocate(capacity, kParserDepth) != simdjson::SUCCESS) std::abort();
  return parser;
}

absl::Status NotAFrame(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a Phoenix V2 frame: ", why));
}

// Reads a string or null.
absl::Status ReadRef(simdjson::dom::element element, absl::string_view name,
                     std::optional<std::string>& out) {
  if (element.is_null()) return absl::OkStatus();
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) {
    return NotAFrame(absl::StrCat(name, " is neither a string nor null"));
  }
  out.emplace(text);
  return absl::OkStatus();
}

absl::Status ReadString(simdjson::dom::element element, absl::string_view name, std::string& out) {
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) {
    return NotAFrame(absl::StrCat(name, " is not a string"));
  }
  out.assign(text);
  return absl::OkStatus();
}

bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The text of the last element. `text` is a valid array whose other elements are strings or nulls.
absl::string_view CutPayload(absl::string_view text) {
  std::size_t at = text.find('[') + 1;
  for (std::size_t commas = 0; commas + 1 < kElements; ++at) {
    if (text[at] == ',') {
      ++commas;
    } else if (text[at] == '"') {
      for (++at; text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
    }
  }
  std::size_t end = text.rfind(']');
  while (IsJsonSpace(text[at])) ++at;
  while (IsJsonSpace(text[end - 1])) --end;
  return text.substr(at, end - at);
}

absl::StatusOr<PhoenixFrame> ReadFrame(simdjson::dom::parser& parser, absl::string_view text) {
  simdjson::dom::element root;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(root);
  if (error != simdjson::SUCCESS) return NotAFrame(simdjson::error_message(error));
  simdjson::dom::array elements;
  if (root.get(elements) != simdjson::SUCCESS) return NotAFrame("not an array");
  if (elements.size() != kElements) {
    return NotAFrame(absl::StrCat(elements.size(), " elements instead of ", kElements));
  }
  PhoenixFrame frame;
  auto element = elements.begin();
  if (absl::Status s = ReadRef(*element, "join_ref", frame.join_ref); !s.ok()) return s;
  if (absl::Status s = ReadRef(*++element, "ref", frame.ref); !s.ok()) return s;
  if (absl::Status s = ReadString(*++element, "topic", frame.topic); !s.ok()) return s;
  if (absl::Status s = ReadString(*++element, "event", frame.event); !s.ok()) return s;
  frame.payload = std::string(CutPayload(text));
  return frame;
}

std::string QuoteOrNull(const std::optional<std::string>& text) {
  return text ? base::QuoteJson(*text) : "null";
}

}  // namespace

absl::StatusOr<PhoenixFrame> ParsePhoenixFrame(absl::string_view text) {
  if (text.size() > kKeptParserBytes) return ReadFrame(*MakeParser(text.size()), text);
  thread_local const std::unique_ptr<simdjson::dom::parser> parser = MakeParser(64 * 1024);
  return ReadFrame(*parser, text);
}

std::string EncodePhoenixFrame(const PhoenixFrame& frame) {
  return absl::StrCat("[", QuoteOrNull(frame.join_ref), ",", QuoteOrNull(frame.ref), ",",
                      base::QuoteJson(frame.topic), ",", base::QuoteJson(frame.event), ",",
                      frame.payload, "]");
}

}  // namespace atomemo::hub
