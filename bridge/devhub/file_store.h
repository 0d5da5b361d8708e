#ifndef ATOMEMO_BRIDGE_DEVHUB_FILE_STORE_H_
#define ATOMEMO_BRIDGE_DEVHUB_FILE_STORE_H_

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::devhub {

// Files in one folder, each under its key (`res_key`), for instance "reports/2f0c….pdf": parts of
// letters, digits, `_`, `-` and `.`, separated by `/`, none of which starts with a dot. So a key
// never leads out of the folder. Blocking; one thread at a time.
class FileStore {
 public:
  static constexpr std::size_t kMaxKeyBytes = 512;

  // Creates the folder where it is missing.
  static absl::StatusOr<FileStore> Open(const std::filesystem::path& folder,
                                        std::size_t max_file_bytes);

  static bool IsValidKey(absl::string_view key);

  // A new key that cannot be guessed. `prefix` (of key parts) and `extension` (with or without its
  // dot) may be empty. INVALID_ARGUMENT when they make no valid key.
  static absl::StatusOr<std::string> NewKey(absl::string_view prefix, absl::string_view extension);

  // Stores the whole file or nothing; an older file of that key is replaced. INVALID_ARGUMENT for
  // the key, OUT_OF_RANGE when too large, INTERNAL when the disk refuses.
  absl::Status Put(absl::string_view key, absl::string_view bytes);

  // NOT_FOUND when there is no such file.
  absl::StatusOr<std::string> Get(absl::string_view key) const;

  std::size_t max_file_bytes() const { return max_file_bytes_; }

 private:
  FileStore(std::filesystem::path folder, std::size_t max_file_bytes)
      : folder_(std::move(folder)), max_file_bytes_(max_file_bytes) {}

  std::filesystem::path folder_;
  std::size_t max_file_bytes_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_FILE_STORE_H_
