#include "bridge/base/json.h"

#include <simdjson.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace atomemo::base {
namespace {

// simdjson's depth counts the scalars inside the innermost container as a level of their own.
constexpr std::size_t kSimdjsonDepth = kMaxJsonDepth + 1;

// One parser a thread: it keeps its buffers between calls.
simdjson::dom::parser& Parser() {
  thread_local simdjson::dom::parser parser;
  thread_local const bool is_ready =
      parser.allocate(std::size_t{64} << 10, kSimdjsonDepth) == simdjson::SUCCESS;
  if (!is_ready) std::abort();
  return parser;
}

absl::StatusOr<simdjson::dom::element> Parse(absl::string_view text) {
  simdjson::dom::element root;
  const simdjson::error_code error = Parser().parse(text.data(), text.size()).get(root);
  if (error == simdjson::SUCCESS) return root;
  if (error == simdjson::DEPTH_ERROR) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON is nested deeper than ", kMaxJsonDepth, " levels"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("not valid JSON: ", simdjson::error_message(error)));
}

}  // namespace

absl::Status ValidateJson(absl::string_view text) { return Parse(text).status(); }

absl::Status ValidateJsonObject(absl::string_view text) {
  const absl::StatusOr<simdjson::dom::element> root = Parse(text);
  if (!root.ok()) return root.status();
  if (!root->is_object()) return absl::InvalidArgumentError("not a JSON object");
  return absl::OkStatus();
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string QuoteJson(absl::string_view text) {
  // Names, ids and refs, which most texts are, need no escapes.
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) return absl::StrCat("\"", text, "\"");
  return DumpJson(Json(std::string(text)));
}

}  // namespace atomemo::base
