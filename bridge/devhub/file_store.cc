#include "bridge/devhub/file_store.h"

#include <cstdint>
#include <fstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bridge/base/random.h"

namespace atomemo::devhub {
namespace {

// Half-written files; a key part cannot start with a dot, so none of them has a key.
constexpr char kPartialFolder[] = ".partial";

bool IsKeyPart(absl::string_view part) {
  if (part.empty() || part.front() == '.') return false;
  for (const char c : part) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.') return false;
  }
  return true;
}

absl::Status DiskError(absl::string_view what, const std::error_code& error) {
  return absl::InternalError(absl::StrCat(what, ": ", error.message()));
}

}  // namespace

absl::StatusOr<FileStore> FileStore::Open(const std::filesystem::path& folder,
                                          std::size_t max_file_bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder / kPartialFolder, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("the files folder ", folder.string(), " cannot be made: ", error.message()));
  }
  return FileStore(folder, max_file_bytes);
}

bool FileStore::IsValidKey(absl::string_view key) {
  if (key.size() > kMaxKeyBytes) return false;
  for (const absl::string_view part : absl::StrSplit(key, '/')) {
    if (!IsKeyPart(part)) return false;
  }
  return true;
}

absl::StatusOr<std::string> FileStore::NewKey(absl::string_view prefix,
                                              absl::string_view extension) {
  while (absl::ConsumePrefix(&prefix, "/")) {
  }
  while (absl::ConsumeSuffix(&prefix, "/")) {
  }
  absl::ConsumePrefix(&extension, ".");
  std::string key = absl::StrCat(prefix, prefix.empty() ? "" : "/", base::RandomId(),
                                 extension.empty() ? "" : ".", extension);
  if (!IsValidKey(key) || absl::StrContains(extension, '/')) {
    return absl::InvalidArgumentError(
        "key prefix and extension take only letters, digits, `_`, `-`, `.`, and the prefix `/` "
        "between parts that do not start with a dot");
  }
  return key;
}

absl::Status FileStore::Put(absl::string_view key, absl::string_view bytes) {
  if (!IsValidKey(key)) return absl::InvalidArgumentError("not a valid file key");
  if (bytes.size() > max_file_bytes_) {
    return absl::OutOfRangeError(absl::StrCat("the file has ", bytes.size(),
                                              " bytes, more than the limit of ", max_file_bytes_));
  }
  const std::filesystem::path target = folder_ / std::string(key);
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  if (error) return DiskError("cannot make the file's folder", error);

  const std::filesystem::path partial = folder_ / kPartialFolder / base::RandomId();
  std::ofstream file(partial, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    std::filesystem::remove(partial, error);
    return absl::InternalError("cannot write the file");
  }
  std::filesystem::rename(partial, target, error);
  if (error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    return DiskError("cannot put the file in its place", error);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FileStore::Get(absl::string_view key) const {
  if (!IsValidKey(key)) return absl::InvalidArgumentError("not a valid file key");
  const std::filesystem::path path = folder_ / std::string(key);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::NotFoundError("no file has this key");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return DiskError("cannot read the file", error);
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!file) return absl::InternalError("cannot read the file");
  return bytes;
}

}  // namespace atomemo::devhub
