#ifndef ATOMEMO_BRIDGE_BASE_SMALL_FILE_H_
#define ATOMEMO_BRIDGE_BASE_SMALL_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

// What operators write: settings, keys, certificates.

inline constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

// A whole text file of at most 1 MiB, without its byte order mark. NOT_FOUND if there is none. May
// block.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// The value of `name` in the text of an environment file: `NAME=value` lines, optional "export ",
// quotes, # comments. NOT_FOUND when it has none.
absl::StatusOr<std::string> FindInEnvText(absl::string_view text, absl::string_view name);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_SMALL_FILE_H_
