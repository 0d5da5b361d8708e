// Texts that the definition's rules read character by character: patterns, names, addresses.
#include "bridge/definition/js_regex.h"
#include "bridge/definition/web_address.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  absl::string_view text = fuzz::ViewOf(data, size);
  const std::size_t choice = fuzz::TakeChoice(text, 2);
  const std::optional<std::string> wrong =
      choice == 0 ? definition::CheckJsRegex(text) : definition::CheckWebAddress(text);
  ATOMEMO_FUZZ_EXPECT(!wrong || !wrong->empty(), text);
  const absl::string_view trimmed = definition::TrimWhitespace(text);
  ATOMEMO_FUZZ_EXPECT(definition::TrimWhitespace(trimmed) == trimmed, text);
  return 0;
}
