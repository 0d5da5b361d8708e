#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_PROCESS_LEVEL_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_PROCESS_LEVEL_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace atomemo::chaos {

// What a process occupies.
struct ProcessLevel {
  std::int64_t memory_kb = 0;  // anonymous and resident
  int descriptors = 0;
};

// Nothing if there is no such process.
std::optional<ProcessLevel> MeasureProcess(pid_t pid);

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_PROCESS_LEVEL_H_
