#ifndef ATOMEMO_BRIDGE_DEFINITION_VIOLATIONS_H_
#define ATOMEMO_BRIDGE_DEFINITION_VIOLATIONS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace atomemo::definition {

// A member's name (its beginning, where it is very long), or an element's index.
using PathSegment = std::variant<std::string, std::size_t>;
using Path = std::vector<PathSegment>;

// `tools[0].parameters[2].ui.component`; members that are not identifiers are quoted:
// `display_name["x y"]`. Empty for the root.
std::string FormatPath(const Path& path);

// One thing that is wrong (or looks wrong), said so that it can be understood alone: what is
// expected, what was found.
struct Violation {
  Path path;
  std::string message;
};

// Of each kind, this many are reported; one more then says that there are others. Bounds what a
// hostile value can make us say.
inline constexpr std::size_t kMaxViolations = 1000;
// So many of them say what was probably meant.
inline constexpr std::size_t kMaxSuggestions = 30;

// Where a walk through a value stands, and what it found. Not thread-safe.
class ViolationSink {
 public:
  // Steps into a member or an element for as long as it lives. `name` must outlive it.
  class Step {
   public:
    Step(ViolationSink& sink, absl::string_view name) : sink_(sink) { sink_.at_.push_back(name); }
    Step(ViolationSink& sink, std::size_t index) : sink_(sink) { sink_.at_.push_back(index); }
    ~Step() { sink_.at_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    ViolationSink& sink_;
  };

  // What is wrong, or looks wrong, where the walk stands.
  void Error(std::string message) { Add(errors_, std::move(message)); }
  void Warn(std::string message) { Add(warnings_, std::move(message)); }

  Path path() const;

  // Whether more of that kind would be reported: composing messages costs time.
  bool wants_errors() const { return errors_.size() <= kMaxViolations; }
  bool wants_warnings() const { return warnings_.size() <= kMaxViolations; }

  // Whether a message may say what was meant instead: looking for that is slow, so it is done for
  // the first few only.
  bool MaySuggest() {
    if (suggestions_left_ == 0) return false;
    --suggestions_left_;
    return true;
  }

  bool ok() const { return errors_.empty(); }
  std::vector<Violation> TakeErrors() { return std::move(errors_); }
  std::vector<Violation> TakeWarnings() { return std::move(warnings_); }

 private:
  void Add(std::vector<Violation>& list, std::string message);

  std::vector<std::variant<absl::string_view, std::size_t>> at_;
  std::vector<Violation> errors_;
  std::vector<Violation> warnings_;
  std::size_t suggestions_left_ = kMaxSuggestions;
};

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_VIOLATIONS_H_
