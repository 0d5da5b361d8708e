#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/base/json_reader.h"

namespace atomemo::base {
namespace {

class Indenter {
 public:
  Indenter(absl::string_view text, int step)
      : reader_(text, JsonReader::kMaxDepth), step_(static_cast<std::size_t>(step)) {}

  // Nothing that is usable if false.
  bool Run() { return WriteValue(0) && reader_.End(); }
  std::string Take() && { return std::move(out_); }

 private:
  // Recursive, within the reader's depth.
  bool WriteValue(std::size_t level) {
    switch (reader_.Peek()) {
      case '{':
        return WriteObject(level);
      case '[':
        return WriteArray(level);
      case '"': {
        std::string text;
        if (!reader_.ReadString(text)) return false;
        out_ += QuoteJson(text);
        return true;
      }
      default: {
        absl::string_view literal;
        if (!reader_.Skip(literal)) return false;
        absl::StrAppend(&out_, literal);
        return true;
      }
    }
  }

  bool WriteObject(std::size_t level) {
    if (!reader_.BeginObject()) return false;
    out_ += '{';
    bool is_empty = true;
    std::string name;
    while (reader_.NextMember(name)) {
      BeginPart(level, is_empty);
      absl::StrAppend(&out_, QuoteJson(name), ": ");
      if (!WriteValue(level + 1)) return false;
    }
    EndParts(level, is_empty, '}');
    return reader_.ok();
  }

  bool WriteArray(std::size_t level) {
    if (!reader_.BeginArray()) return false;
    out_ += '[';
    bool is_empty = true;
    while (reader_.NextElement()) {
      BeginPart(level, is_empty);
      if (!WriteValue(level + 1)) return false;
    }
    EndParts(level, is_empty, ']');
    return reader_.ok();
  }

  void BeginPart(std::size_t level, bool& is_empty) {
    absl::StrAppend(&out_, is_empty ? "\n" : ",\n", std::string((level + 1) * step_, ' '));
    is_empty = false;
  }

  void EndParts(std::size_t level, bool is_empty, char close) {
    if (!is_empty) absl::StrAppend(&out_, "\n", std::string(level * step_, ' '));
    out_ += close;
  }

  JsonReader reader_;
  const std::size_t step_;
  std::string out_;
};

}  // namespace

std::string IndentJson(absl::string_view json, int step) {
  Indenter indenter(json, step);
  if (!indenter.Run()) return std::string(json);
  return std::move(indenter).Take();
}

}  // namespace atomemo::base
