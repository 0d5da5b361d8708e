#ifndef ATOMEMO_BRIDGE_BASE_API_KEY_H_
#define ATOMEMO_BRIDGE_BASE_API_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

// Where the debug API key comes from. Read again for every connection attempt, because a key lives
// 24 hours and is refreshed on disk while the bridge runs.
class ApiKeySource {
 public:
  struct Options {
    // Holds nothing but the key. Wins over all others.
    std::string key_file;
    // Read as `NAME=value` lines; HUB_DEBUG_API_KEY in it wins over `key`. May be missing.
    std::string env_file;
    // From the command line or the environment.
    std::string key;
  };
  explicit ApiKeySource(Options options);

  // NOT_FOUND if no place has a key, or the file's error. The message says what to do, and never
  // contains a key.
  absl::StatusOr<std::string> Read() const;

 private:
  Options options_;
};

// The value of `name` in the text of an environment file: `NAME=value` lines, optional "export ",
// quotes, # comments. NOT_FOUND when it has none.
absl::StatusOr<std::string> FindInEnvText(absl::string_view text, absl::string_view name);

// A whole file of at most 1 MiB.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_API_KEY_H_
