#include <cstddef>
#include <cstdint>
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

// Builds the value in time linear in the text. nlohmann's own builder looks for duplicates of every
// member among all earlier ones, which a hostile object of many members makes quadratic.
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

  bool start_object(std::size_t) override {
    if (!Open(Json::object())) return false;
    // Most objects are small, and growing copies the names.
    open_.back().value->get_ref<Json::object_t&>().reserve(kUsualMembers);
    return true;
  }
  bool key(std::string& key) override {
    slot_ = &Member(open_.back(), std::move(key));
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }

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
    return std::move(root_);
  }

 private:
  static constexpr std::size_t kUsualMembers = 4;
  // Beyond this an object's members are found by hash.
  static constexpr std::size_t kFewMembers = 16;

  struct Container {
    Json* value;
    absl::flat_hash_map<std::string, std::size_t> member_index;
  };

  // The member of that name: as in JavaScript, the last of several wins.
  static Json& Member(Container& container, std::string key) {
    auto& members = container.value->get_ref<Json::object_t&>();
    if (members.size() < kFewMembers) {
      for (auto& [name, value] : members) {
        if (name == key) return value;
      }
    } else {
      if (container.member_index.empty()) {
        for (std::size_t i = 0; i < members.size(); ++i) {
          container.member_index.emplace((members.begin() + i)->first, i);
        }
      }
      const auto [place, is_new] = container.member_index.try_emplace(key, members.size());
      if (!is_new) return (members.begin() + place->second)->second;
    }
    members.emplace_back(std::move(key), nullptr);
    return members.back().second;
  }

  Json& Place() {
    if (open_.empty()) return root_;
    Json& container = *open_.back().value;
    if (container.is_object()) return *slot_;
    container.get_ref<Json::array_t&>().emplace_back(nullptr);
    return container.get_ref<Json::array_t&>().back();
  }

  template <typename T>
  bool Put(T&& value) {
    Place() = std::forward<T>(value);
    return true;
  }

  bool Open(Json container) {
    if (open_.size() == static_cast<std::size_t>(max_depth_)) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("JSON is nested deeper than ", max_depth_, " levels"));
      return false;
    }
    Json& place = Place();
    place = std::move(container);
    open_.push_back({&place, {}});
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  const int max_depth_;
  Json root_;
  // The containers around the place where the parser stands. They do not move: only the innermost
  // grows.
  std::vector<Container> open_;
  // Where the value of the member named last goes.
  Json* slot_ = nullptr;
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
