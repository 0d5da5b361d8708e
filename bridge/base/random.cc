#include "bridge/base/random.h"

#include <random>

#include "absl/strings/str_cat.h"

namespace atomemo::base {

std::uint64_t RandomSeed() {
  std::random_device device;  // getrandom() on Linux
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::string RandomId() {
  return absl::StrCat(absl::Hex(RandomSeed(), absl::kZeroPad16),
                      absl::Hex(RandomSeed(), absl::kZeroPad16));
}

}  // namespace atomemo::base
