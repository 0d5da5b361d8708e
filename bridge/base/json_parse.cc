#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/base/json_error.h"

namespace atomemo::base {
namespace {

// Builds the value in time and memory linear in the text. nlohmann's own builder looks for
// duplicates of every member among all earlier ones, which a hostile object of many members makes
// quadratic, and copies names whenever an object grows. Here the parts of unfinished containers
// wait on two stacks and move into their container when it ends.
class JsonBuilder {
 public:
  template <typename T>
  void Put(T&& value) {
    if (open_.empty() || !open_.back().slot.has_value()) {
      values_.emplace_back(std::forward<T>(value));
    } else {
      values_[open_.back().first_value + *open_.back().slot] = std::forward<T>(value);
    }
  }

  void Open() { open_.push_back({keys_.size(), values_.size(), std::nullopt, {}}); }

  // The member that the next value belongs to.
  void SetName(std::string& name) {
    Container& object = open_.back();
    object.slot = FindMember(object, name);
    if (!object.slot.has_value()) keys_.push_back(std::move(name));
  }

  void EndObject() {
    const Container object = Close();
    Json::object_t members;
    members.reserve(keys_.size() - object.first_key);
    for (std::size_t i = object.first_key; i < keys_.size(); ++i) {
      members.emplace_back(std::move(keys_[i]),
                           std::move(values_[object.first_value + i - object.first_key]));
    }
    keys_.resize(object.first_key);
    values_.resize(object.first_value);
    Put(std::move(members));
  }

  void EndArray() {
    const Container array = Close();
    const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(array.first_value);
    Json::array_t elements(std::make_move_iterator(begin), std::make_move_iterator(values_.end()));
    values_.resize(array.first_value);
    Put(std::move(elements));
  }

  Json Take() && { return std::move(values_.back()); }

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

  Container Close() {
    Container closed = std::move(open_.back());
    open_.pop_back();
    return closed;
  }

  std::vector<Container> open_;
  std::vector<std::string> keys_;
  std::vector<Json> values_;
};

class Parser {
 public:
  Parser(absl::string_view text, int max_depth) : text_(text), reader_(text, max_depth) {}

  absl::StatusOr<Json> Run() && {
    reader_.SkipByteOrderMark();
    ReadValue();
    reader_.End();
    if (!status_.ok()) return status_;
    if (!reader_.ok()) return reader_.status();
    return std::move(builder_).Take();
  }

 private:
  // Recursive, within the reader's depth. False after an error.
  bool ReadValue() {
    switch (reader_.Peek()) {
      case '{':
        return ReadObject();
      case '[':
        return ReadArray();
      case '"': {
        std::string text;
        if (!reader_.ReadString(text)) return false;
        builder_.Put(std::move(text));
        return true;
      }
      default:
        return ReadLiteral();
    }
  }

  bool ReadObject() {
    if (!reader_.BeginObject()) return false;
    builder_.Open();
    std::string name;
    while (reader_.NextMember(name)) {
      builder_.SetName(name);
      if (!ReadValue()) return false;
    }
    if (!reader_.ok()) return false;
    builder_.EndObject();
    return true;
  }

  bool ReadArray() {
    if (!reader_.BeginArray()) return false;
    builder_.Open();
    while (reader_.NextElement()) {
      if (!ReadValue()) return false;
    }
    if (!reader_.ok()) return false;
    builder_.EndArray();
    return true;
  }

  bool ReadLiteral() {
    absl::string_view literal;
    if (!reader_.Skip(literal)) return false;
    switch (literal.front()) {
      case 't':
      case 'f':
        builder_.Put(literal.front() == 't');
        return true;
      case 'n':
        builder_.Put(nullptr);
        return true;
      default:
        return PutNumber(literal);
    }
  }

  bool PutNumber(absl::string_view number) {
    std::int64_t integer = 0;
    std::uint64_t positive = 0;
    if (ReadInteger(number, positive)) {
      builder_.Put(positive);
      return true;
    }
    if (ReadInteger(number, integer)) {
      builder_.Put(integer);
      return true;
    }
    const absl::StatusOr<double> nearest = NearestDouble(number);
    if (!nearest.ok()) {
      status_ = JsonErrorAt(text_, reader_.offset() - number.size(), nearest.status().message());
      return false;
    }
    builder_.Put(*nearest);
    return true;
  }

  // False if the number has a fraction or an exponent, or is beyond `Integer`.
  template <typename Integer>
  static bool ReadInteger(absl::string_view number, Integer& integer) {
    const char* const end = number.data() + number.size();
    const auto [at, error] = std::from_chars(number.data(), end, integer);
    return error == std::errc() && at == end;
  }

  const absl::string_view text_;
  JsonReader reader_;
  JsonBuilder builder_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, int max_depth) {
  return Parser(text, max_depth).Run();
}

}  // namespace atomemo::base
