#include "bridge/definition/source_positions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "bridge/base/json.h"

namespace atomemo::definition {
namespace {

// The paths as a tree. `offset` is set for what is in the text.
struct Wanted {
  std::map<PathSegment, Wanted> children;
  std::optional<std::size_t> offset;
};

// Walks through JSON text and notes where what is wanted starts.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  void Run(Wanted& root) {
    SkipSpace();
    root.offset = position_;
    Value(root);
  }

 private:
  char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool AtEnd() const { return position_ >= text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && absl::ascii_isspace(static_cast<unsigned char>(Peek()))) ++position_;
  }

  void Value(Wanted& wanted) {
    if (wanted.children.empty()) return Skip();
    if (Peek() == '{') {
      Object(wanted);
    } else if (Peek() == '[') {
      Array(wanted);
    } else {
      Skip();
    }
  }

  void Object(Wanted& wanted) {
    ++position_;
    for (SkipSpace(); !AtEnd() && Peek() != '}'; SkipComma()) {
      const std::size_t begin = position_;
      SkipString();
      const auto child = wanted.children.find(Name(text_.substr(begin, position_ - begin)));
      SkipSpace();
      ++position_;  // the colon
      SkipSpace();
      Child(wanted, child, begin);
    }
    ++position_;
  }

  void Array(Wanted& wanted) {
    ++position_;
    std::size_t index = 0;
    for (SkipSpace(); !AtEnd() && Peek() != ']'; SkipComma(), ++index) {
      Child(wanted, wanted.children.find(PathSegment(index)), position_);
    }
    ++position_;
  }

  void Child(Wanted& wanted, std::map<PathSegment, Wanted>::iterator child, std::size_t begin) {
    if (child == wanted.children.end()) return Skip();
    child->second.offset = begin;
    Value(child->second);
  }

  void SkipComma() {
    SkipSpace();
    if (Peek() == ',') ++position_;
    SkipSpace();
  }

  static PathSegment Name(absl::string_view literal) {
    if (literal.find('\\') == absl::string_view::npos) {
      return std::string(literal.substr(1, literal.size() - 2));
    }
    const auto name = base::ParseJson(literal);
    return name.ok() ? name->get<std::string>() : std::string();
  }

  // Over a value of any kind.
  void Skip() {
    int depth = 0;
    while (!AtEnd()) {
      const char c = Peek();
      if (c == '"') {
        SkipString();
        if (depth == 0) return;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      ++position_;
      if (depth == 0 && (c == '}' || c == ']')) return;
    }
  }

  void SkipString() {
    for (++position_; !AtEnd() && Peek() != '"'; ++position_) {
      if (Peek() == '\\') ++position_;
    }
    ++position_;
  }

  const absl::string_view text_;
  std::size_t position_ = 0;
};

std::size_t OffsetOf(const Wanted& root, const Path& path) {
  const Wanted* node = &root;
  std::size_t offset = node->offset.value_or(0);
  for (const PathSegment& segment : path) {
    node = &node->children.at(segment);
    if (!node->offset.has_value()) break;
    offset = *node->offset;
  }
  return offset;
}

// Turns offsets into positions; cheap if they ascend.
class LineCounter {
 public:
  explicit LineCounter(absl::string_view text) : text_(text) {}

  SourcePosition At(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < offset_) {
      offset_ = 0;
      position_ = {};
    }
    for (; offset_ < offset; ++offset_) {
      if (text_[offset_] == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((static_cast<unsigned char>(text_[offset_]) & 0xC0) != 0x80) {
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  const absl::string_view text_;
  std::size_t offset_ = 0;
  SourcePosition position_;
};

}  // namespace

std::vector<SourcePosition> FindPositions(absl::string_view text, const std::vector<Path>& paths) {
  if (paths.empty()) return {};
  Wanted root;
  for (const Path& path : paths) {
    Wanted* node = &root;
    for (const PathSegment& segment : path) node = &node->children[segment];
  }
  Scanner(text).Run(root);
  std::vector<std::size_t> offsets;
  offsets.reserve(paths.size());
  for (const Path& path : paths) offsets.push_back(OffsetOf(root, path));
  std::vector<std::size_t> order(paths.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });
  std::vector<SourcePosition> positions(paths.size());
  LineCounter lines(text);
  for (const std::size_t i : order) positions[i] = lines.At(offsets[i]);
  return positions;
}

SourcePosition PositionOf(absl::string_view text, std::size_t offset) {
  return LineCounter(text).At(offset);
}

}  // namespace atomemo::definition
