#ifndef ATOMEMO_BRIDGE_BASE_RANDOM_H_
#define ATOMEMO_BRIDGE_BASE_RANDOM_H_

#include <cstdint>
#include <string>

namespace atomemo::base {

// 128 bits from the operating system as 32 hexadecimal digits: for session ids, request ids and
// keys that must not be guessed.
std::string RandomId();

// A seed for jitter.
std::uint64_t RandomSeed();

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_RANDOM_H_
