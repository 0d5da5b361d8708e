#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"

namespace atomemo::base {
namespace {

constexpr absl::string_view kOffsetPayload = "atomemo/json-offset";

// What the parser says, without what it read: "unexpected ','; expected a value".
std::string Reason(const Json::exception& error) {
  constexpr int kNumberOutOfRange = 406;
  if (error.id == kNumberOutOfRange) return "a number is out of range";
  const absl::string_view text = error.what();
  const std::size_t begin = text.find(" - ");
  if (begin == absl::string_view::npos) return "syntax error";
  const absl::string_view reason = text.substr(begin + 3);
  return std::string(reason.substr(0, reason.find("; last read")));
}

// Builds the value in time and memory linear in the text. nlohmann's own builder looks for
// duplicates of every member among all earlier ones, which a hostile object of many members makes
// quadratic, and copies names whenever an object grows. Here the parts of unfinished containers
// wait on two stacks and move into their container when it ends.
class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(int max_depth) : max_depth_(max_depth) {}

  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(std::int64_t value) override { return Put(value); }
  bool number_unsigned(std::uint64_t value) override { return Put(value); }
  bool number_float(double value, const std::string&) override { return Put(value); }
  bool string(std::string& value) override { return Put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // not in JSON text

  bool start_object(std::size_t) override { return Open(); }
  bool start_array(std::size_t) override { return Open(); }

  bool key(std::string& key) override {
    Container& object = open_.back();
    object.slot = FindMember(object, key);
    if (!object.slot.has_value()) keys_.push_back(std::move(key));
    return true;
  }

  bool end_object() override {
    const Container object = Close();
    Json::object_t members;
    members.reserve(keys_.size() - object.first_key);
    for (std::size_t i = object.first_key; i < keys_.size(); ++i) {
      members.emplace_back(std::move(keys_[i]),
                           std::move(values_[object.first_value + i - object.first_key]));
    }
    keys_.resize(object.first_key);
    values_.resize(object.first_value);
    return Put(std::move(members));
  }

  bool end_array() override {
    const Container array = Close();
    const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(array.first_value);
    Json::array_t elements(std::make_move_iterator(begin), std::make_move_iterator(values_.end()));
    values_.resize(array.first_value);
    return Put(std::move(elements));
  }

  bool parse_error(std::size_t position, const std::string&,
                   const Json::exception& error) override {
    status_ = absl::InvalidArgumentError(
        absl::StrCat("not valid JSON at byte ", position, ": ", Reason(error)));
    const std::size_t offset = position == 0 ? 0 : position - 1;
    status_.SetPayload(kOffsetPayload, absl::Cord(absl::StrCat(offset)));
    return false;
  }

  absl::StatusOr<Json> Finish(bool complete) && {
    if (!status_.ok()) return status_;
    if (!complete) return absl::InvalidArgumentError("not valid JSON");
    return std::move(values_.back());
  }

 private:
  // Beyond this an object's members are found by hash.
  static constexpr std::size_t kFewMembers = 16;

  // An object or array that has not ended. Its parts are the last on the stacks.
  struct Container {
    std::size_t first_key;
    std::size_t first_value;
    // Which of its members, so far, the next value is; none: a new part.
    std::optional<std::size_t> slot;
    // Of large objects: the members by name.
    absl::flat_hash_map<std::string, std::size_t> by_name;
  };

  // As in JavaScript, of members with the same name the last wins, in the first one's place.
  std::optional<std::size_t> FindMember(Container& object, const std::string& key) {
    const std::size_t size = keys_.size() - object.first_key;
    if (size < kFewMembers) {
      for (std::size_t i = 0; i < size; ++i) {
        if (keys_[object.first_key + i] == key) return i;
      }
      return std::nullopt;
    }
    if (object.by_name.empty()) {
      for (std::size_t i = 0; i < size; ++i) object.by_name.emplace(keys_[object.first_key + i], i);
    }
    const auto [place, is_new] = object.by_name.try_emplace(key, size);
    return is_new ? std::nullopt : std::optional(place->second);
  }

  template <typename T>
  bool Put(T&& value) {
    if (open_.empty() || !open_.back().slot.has_value()) {
      values_.emplace_back(std::forward<T>(value));
    } else {
      values_[open_.back().first_value + *open_.back().slot] = std::forward<T>(value);
    }
    return true;
  }

  bool Open() {
    if (open_.size() == static_cast<std::size_t>(max_depth_)) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("JSON is nested deeper than ", max_depth_, " levels"));
      return false;
    }
    open_.push_back({keys_.size(), values_.size(), std::nullopt, {}});
    return true;
  }

  Container Close() {
    Container closed = std::move(open_.back());
    open_.pop_back();
    return closed;
  }

  const int max_depth_;
  std::vector<Container> open_;
  std::vector<std::string> keys_;
  std::vector<Json> values_;
  absl::Status status_;
};

// The code unit of the escape `\uXXXX` at `position`, or -1 if there is none.
int EscapedUnit(absl::string_view text, std::size_t position) {
  if (position + 6 > text.size() || text[position] != '\\' || text[position + 1] != 'u') return -1;
  int unit = 0;
  for (const char digit : text.substr(position + 2, 4)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(digit))) return -1;
    unit = unit * 16 + (absl::ascii_isdigit(static_cast<unsigned char>(digit))
                            ? digit - '0'
                            : absl::ascii_tolower(static_cast<unsigned char>(digit)) - 'a' + 10);
  }
  return unit;
}

bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Where escaped surrogates stand without their other half.
std::vector<std::size_t> FindLoneSurrogates(absl::string_view text) {
  std::vector<std::size_t> found;
  std::size_t i = text.find('\\');
  while (i != absl::string_view::npos) {
    const int unit = EscapedUnit(text, i);
    std::size_t length = unit < 0 ? 2 : 6;
    if (IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(text, i + 6))) {
      length = 12;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      found.push_back(i);
    }
    i = text.find('\\', i + length);
  }
  return found;
}

absl::StatusOr<Json> Build(absl::string_view text, int max_depth) {
  JsonBuilder builder(max_depth);
  const bool complete = Json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).Finish(complete);
}

}  // namespace

std::optional<std::size_t> JsonErrorOffset(const absl::Status& status) {
  const auto payload = status.GetPayload(kOffsetPayload);
  std::size_t offset = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &offset)) {
    return std::nullopt;
  }
  return offset;
}

absl::StatusOr<Json> ParseJson(absl::string_view text, int max_depth) {
  const std::vector<std::size_t> lone_surrogates = FindLoneSurrogates(text);
  if (lone_surrogates.empty()) return Build(text, max_depth);
  std::string repaired(text);
  for (const std::size_t position : lone_surrogates) repaired.replace(position + 2, 4, "fffd");
  return Build(repaired, max_depth);
}

}  // namespace atomemo::base
