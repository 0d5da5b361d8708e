#ifndef ATOMEMO_TESTS_BENCHMARK_CALL_LOAD_H_
#define ATOMEMO_TESTS_BENCHMARK_CALL_LOAD_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/benchmark/load_hub.h"

namespace atomemo::benchmark {

// What came of a load's calls.
struct LoadResult {
  std::vector<double> milliseconds;  // of the answered calls, from the push to the answer
  // How much later than planned the hub's own thread came to push: what the machine, and not the
  // bridge, holds up.
  std::vector<double> late_milliseconds;
  std::size_t failed = 0;
};

// The value below which `percent` of the values lie; sorts them. 0 if there are none.
double Percentile(std::vector<double>& values, double percent);

// Makes calls of one kind through a hub: at a fixed rate, whatever comes of them, or so many at
// once. For one owner thread; the hub must outlive it, but its late answers need not find it.
class CallLoad {
 public:
  struct Options {
    std::string topic;
    std::string event = "invoke_tool";
    std::string members;  // see LoadHub::Call
    // One of the two.
    double per_second = 0;
    int at_once = 0;
  };

  // Begins at once.
  CallLoad(LoadHub& hub, Options options);
  // Makes no further calls; what came of those until now. Later answers do not count.
  LoadResult Stop();

 private:
  struct State;
  LoadHub& hub_;
  const std::shared_ptr<State> state_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_CALL_LOAD_H_
