#ifndef ATOMEMO_TESTS_CONFORMANCE_SHARED_DATA_H_
#define ATOMEMO_TESTS_CONFORMANCE_SHARED_DATA_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace atomemo::testing {

// Conformance data that is not part of the project: $ATOMEMO_CONFORMANCE_DIR, or else
// ../shared/conformance seen from the project's root, where the tests run. Nothing if it is not
// there.
inline std::optional<std::filesystem::path> SharedConformanceDir() {
  const char* const configured = std::getenv("ATOMEMO_CONFORMANCE_DIR");
  const std::filesystem::path dir = configured != nullptr ? configured : "../shared/conformance";
  if (!std::filesystem::is_directory(dir)) return std::nullopt;
  return dir;
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace atomemo::testing

#endif  // ATOMEMO_TESTS_CONFORMANCE_SHARED_DATA_H_
