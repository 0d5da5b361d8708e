#ifndef ATOMEMO_BRIDGE_BASE_JSON_ERROR_H_
#define ATOMEMO_BRIDGE_BASE_JSON_ERROR_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

// INVALID_ARGUMENT "not valid JSON at line 1, column 13: {why}" about the byte at `offset`. Lines
// and columns count from 1, columns in characters. The message has nothing of the text in it.
absl::Status JsonErrorAt(absl::string_view text, std::size_t offset, absl::string_view why);

// Where in the text the error is, in bytes, if `status` is one of JsonErrorAt.
std::optional<std::size_t> JsonErrorOffset(const absl::Status& status);

// What is wrong with the text at `offset`, where a JSON value should begin, in a writer's terms:
// "NaN is no JSON: use null".
std::string DescribeMissingValue(absl::string_view text, std::size_t offset);

// A few characters of the text around `offset`, on one line and in quotes. For those who wrote the
// text: it may be a secret.
std::string JsonExcerpt(absl::string_view text, std::size_t offset);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_ERROR_H_
