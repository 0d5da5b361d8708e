#ifndef ATOMEMO_TESTS_FUZZ_SCRATCH_FILE_H_
#define ATOMEMO_TESTS_FUZZ_SCRATCH_FILE_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace atomemo::fuzz {

// A file in memory where there is a place for such, in a folder of its own; it goes with its owner.
class ScratchFile {
 public:
  ScratchFile() {
    const char* const memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    folder_ = absl::StrCat(memory, "/atomemo-fuzz-XXXXXX");
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);  // What was tried may have put more there.
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  std::string path() const { return folder_ + "/file"; }

  // Replaces what the file holds.
  void Write(absl::string_view text) const { std::ofstream(path(), std::ios::binary) << text; }

 private:
  std::string folder_;
};

}  // namespace atomemo::fuzz

#endif  // ATOMEMO_TESTS_FUZZ_SCRATCH_FILE_H_
