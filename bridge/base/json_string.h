#ifndef ATOMEMO_BRIDGE_BASE_JSON_STRING_H_
#define ATOMEMO_BRIDGE_BASE_JSON_STRING_H_

#include <string>

#include "absl/strings/string_view.h"

// JSON's strings: their escapes, and the surrogates that two of these make up.
namespace atomemo::base {

// The code unit that `escape`, which begins with \uXXXX, stands for; -1 if it does not.
int EscapedUnit(absl::string_view escape);

inline bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
inline bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Appends `raw`, what stands between a JSON string's quotes, with its escapes decoded. Of an
// escaped surrogate without its other half, which UTF-8 cannot say, U+FFFD is left. Never fails: a
// broken escape stays as it is.
void AppendDecoded(absl::string_view raw, std::string& out);

// Appends `text` as a JSON string literal, with its quotes; invalid UTF-8 is replaced.
void AppendQuoted(absl::string_view text, std::string& out);

// The text with \ufffd in the place of every escaped surrogate that lacks its other half. No byte
// changes its place. Works on any text.
std::string RepairSurrogates(absl::string_view text);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_STRING_H_
