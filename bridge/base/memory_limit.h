#ifndef ATOMEMO_BRIDGE_BASE_MEMORY_LIMIT_H_
#define ATOMEMO_BRIDGE_BASE_MEMORY_LIMIT_H_

#include <cstddef>
#include <optional>
#include <string>

namespace atomemo::base {

// How much memory the process's control group may use, in bytes: the least that it or a group above
// it allows, in version 2 or 1. Nothing where no limit is set or can be read. `root` stands before
// the system's paths, for tests.
std::optional<std::size_t> CgroupMemoryLimit(const std::string& root = "");

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_MEMORY_LIMIT_H_
