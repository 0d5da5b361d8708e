#ifndef ATOMEMO_BRIDGE_BASE_API_KEY_H_
#define ATOMEMO_BRIDGE_BASE_API_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace atomemo::base {

// Where the debug API key comes from. Read again for every connection attempt, because a key lives
// 24 hours and is refreshed on disk while the bridge runs.
//
// However it is given, it may have white space, quotes, a byte order mark or "HUB_DEBUG_API_KEY="
// around it: what editors, shells and compose files add.
class ApiKeySource {
 public:
  struct Options {
    // A regular file that holds nothing but the key. Wins over all others.
    std::string key_file;
    // Read as `NAME=value` lines; HUB_DEBUG_API_KEY in it wins over `key`. May be missing.
    std::string env_file;
    // From the command line or the environment.
    std::string key;
  };
  explicit ApiKeySource(Options options);

  // NOT_FOUND if no place has a key, INVALID_ARGUMENT for one that can be none, or the file's
  // error. The message says where and what to do, and never contains a key. May block on a file.
  absl::StatusOr<std::string> Read() const;

 private:
  absl::StatusOr<std::string> ReadKeyFile() const;

  Options options_;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_API_KEY_H_
