#ifndef ATOMEMO_TESTS_FAKES_TEMPORARY_FOLDER_H_
#define ATOMEMO_TESTS_FAKES_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace atomemo::fakes {

// A folder with a short path (a socket's path may have 107 bytes) that goes with this object,
// unless it is kept.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(Make()) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  // The path of a file in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void Keep() { kept_ = true; }

 private:
  static std::string Make() {
    std::string path = "/tmp/atomemo-test-XXXXXX";
    return mkdtemp(path.data()) == nullptr ? "" : path;
  }

  const std::string path_;
  bool kept_ = false;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_TEMPORARY_FOLDER_H_
