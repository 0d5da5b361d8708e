#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_DRIVER_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/benchmark/load/meter.h"

namespace atomemo::benchmark {

// Takes commands, each a JSON object on a line, and answers each with one on stdout:
//
//   {"wait": 3}       once so many topics can be called: {"seconds": 0.1}
//   {"run": {"loads": [{"topics": ["debug_plugin:bench-0"], "bytes": 300, "in_flight": 64,
//            "per_second": 0}], "warm_seconds": 0.2, "seconds": 1, "calls": 0, "watched": [PID]}}
//                     when it is over: {"loads": [...], "seconds": 1, "own_cpu_us": 12, ...}
//
// For one thread.
class Driver {
 public:
  explicit Driver(Meter::SendCall send_call);

  // A line of stdin.
  void OnCommand(const std::string& line);
  // A topic that can be called from now on, or no more; its index stays.
  std::size_t AddTopic(absl::string_view name);
  void RemoveTopic(absl::string_view name);
  const std::string& topic_name(std::size_t index) const { return names_[index]; }

  Meter& meter() { return meter_; }

 private:
  void CheckWait();

  Meter meter_;
  absl::flat_hash_map<std::string, std::size_t> topics_;  // those that can be called
  absl::flat_hash_map<std::string, std::size_t> indices_;
  std::vector<std::string> names_;
  std::size_t awaited_ = 0;  // 0: nobody waits
  Meter::Clock::time_point waiting_since_;
};

// One JSON object on stdout.
void PrintLine(const std::string& json);

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_DRIVER_H_
