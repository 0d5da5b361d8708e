#ifndef ATOMEMO_TESTS_FUZZ_FUZZ_INPUT_H_
#define ATOMEMO_TESTS_FUZZ_FUZZ_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

// A property that every input must have. `seen` says more about the failure.
#define ATOMEMO_FUZZ_EXPECT(condition, seen)                                                    \
  do {                                                                                          \
    if (!(condition)) ::atomemo::fuzz::Fail(__FILE__, __LINE__, #condition, std::string(seen)); \
  } while (false)

namespace atomemo::fuzz {

[[noreturn]] inline void Fail(const char* file, int line, const char* what,
                              const std::string& seen) {
  std::fprintf(stderr, "%s:%d: not so: %s\n%s\n", file, line, what, seen.c_str());
  std::abort();
}

inline absl::string_view ViewOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Cuts the first line off, its "\n" too: targets with several operands take them as lines.
inline absl::string_view TakeLine(absl::string_view& text) {
  const std::size_t end = text.find('\n');
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
  return line;
}

// One of `count`, from the first byte. The seeds have digits there.
inline std::size_t TakeChoice(absl::string_view& text, std::size_t count) {
  if (text.empty()) return 0;
  const auto byte = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  return (byte - unsigned{'0'}) % count;
}

}  // namespace atomemo::fuzz

#endif  // ATOMEMO_TESTS_FUZZ_FUZZ_INPUT_H_
