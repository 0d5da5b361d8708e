#ifndef ATOMEMO_BRIDGE_DEFINITION_TEXT_RULES_H_
#define ATOMEMO_BRIDGE_DEFINITION_TEXT_RULES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// The official schema's rules for strings. Each says what is wrong, as the end of a sentence, or
// nothing if the string is fine.
namespace atomemo::definition {

// Of plugins, credentials and tools.
std::optional<std::string> CheckName(absl::string_view text);
std::optional<std::string> CheckModelName(absl::string_view text);
// Of parameters and list methods.
std::optional<std::string> CheckStrictName(absl::string_view text);

std::optional<std::string> CheckNotEmpty(absl::string_view text);
std::optional<std::string> CheckEmail(absl::string_view text);
std::optional<std::string> CheckBase64(absl::string_view text);

// SemVer 2.0.0. It has no `_`, at which the topics of release mode are cut.
std::optional<std::string> CheckVersion(absl::string_view text);

// The key of a translation, for instance "zh_Hans".
std::optional<std::string> CheckLocale(absl::string_view text);

// The key of a slider's mark: a decimal number.
std::optional<std::string> CheckDecimal(absl::string_view text);
// A decimal number as JavaScript prints it: "1.50" is "1.5". Only for what CheckDecimal accepts.
std::string CanonicalDecimal(absl::string_view text);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_TEXT_RULES_H_
