#ifndef ATOMEMO_BRIDGE_BASE_JSON_READER_H_
#define ATOMEMO_BRIDGE_BASE_JSON_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

// Deeper JSON is refused wherever it comes from: recursive readers must not be overflowed by input.
inline constexpr int kMaxJsonDepth = 100;

// Reads untrusted JSON text (RFC 8259, UTF-8) from front to back and hands out its parts as they
// stand there: a number is checked and never converted, so that its length and size do not matter.
// Takes linear time and constant memory, and never throws.
//
//   JsonReader reader(text);
//   std::string name;
//   absl::string_view value;
//   if (!reader.BeginObject()) return ...;  // see status()
//   while (reader.NextMember(name)) {
//     if (!reader.Skip(value)) break;
//   }
//   reader.End();
//   return reader.status();
//
// After the first error all methods return false. A caller that descends by recursion is stopped at
// `max_depth` containers.
class JsonReader {
 public:
  // Deeper than this no reader can go.
  static constexpr int kMaxDepth = 512;

  // `text` must outlive the reader.
  explicit JsonReader(absl::string_view text, int max_depth = kMaxJsonDepth);

  // Before all else: some editors put this mark in front of a file.
  void SkipByteOrderMark();

  // The first character of the next value, by which its kind is told; 0 at the end.
  char Peek();

  // The next value of any kind, checked to its end, as the text that it is.
  bool Skip(absl::string_view& value);
  bool Skip();

  // The next value, which must be a string. What is between the quotes, escapes decoded: of an
  // escaped surrogate without its other half U+FFFD is left.
  bool ReadString(std::string& out);

  // Goes into the next value, which must be an object, and then from member to member: NextMember
  // returns false behind the last one, and every member's value must be read before the next.
  bool BeginObject();
  bool NextMember(std::string& name);

  // The same for arrays.
  bool BeginArray();
  bool NextElement();

  // Checks that nothing follows but space.
  bool End();

  // INVALID_ARGUMENT with line, column and reason after an error; see JsonErrorOffset. Contains
  // nothing of the text.
  absl::Status status() const;
  bool ok() const { return error_.empty(); }

  // Whether a string that was read or skipped had an escaped surrogate without its other half.
  // UTF-8 cannot say what these mean, and other parsers refuse them; see RepairSurrogates.
  bool has_lone_surrogates() const { return has_lone_surrogates_; }

  // How far the reader has come, in bytes.
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool Enter(char open);
  bool NextPart(char close);

  void SkipSpace();
  bool SkipScalar();
  bool SkipContainer();
  bool SkipName();
  bool SkipLiteral(absl::string_view literal);
  bool SkipNumber();
  bool SkipString();
  bool SkipEscape();

  absl::string_view Rest(const char* at) const;
  // All return false. Out of the way of what usually happens.
  bool Fail(const char* at, absl::string_view why);
  bool FailDepth(const char* at);
  bool FailValue(const char* at);
  bool FailComma(const char* at);
  bool FailName(const char* at);
  bool FailAfterValue(const char* at, bool in_object);
  bool FailControl(const char* at);

  const char* const begin_;
  const char* const end_;
  const char* at_;
  const int max_depth_;
  int depth_ = 0;
  // Nothing of the innermost container that was entered has been read.
  bool first_ = false;
  bool has_lone_surrogates_ = false;
  // Of the string that was skipped last.
  bool has_escapes_ = false;
  const char* error_at_ = nullptr;
  std::string error_;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_READER_H_
