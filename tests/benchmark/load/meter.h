#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_METER_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_METER_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::benchmark {

// Calls of one kind: to which topics, how large, and how many.
struct Load {
  std::vector<std::size_t> topics;  // the sender's indices
  std::size_t bytes = 0;            // of a call's frame, as the hub sends it
  // One of the two: so many outstanding all the time, or at a fixed rate whatever comes of them.
  int in_flight = 0;
  double per_second = 0;
};

// What to measure. Either for a time, after a time to warm up, or so many calls of the first load.
// A time is exceeded until there are a few answers.
struct Run {
  std::vector<Load> loads;
  double warm_seconds = 0;
  double seconds = 0;
  std::uint64_t calls = 0;
  std::vector<pid_t> watched;  // processes whose use of a processor is measured, too
};

// What came of a load within the measured time.
struct LoadFigures {
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;  // of these
  std::string first_failure;
  std::vector<float> microseconds;  // from when a call was due to its answer, sorted
};

struct RunFigures {
  std::vector<LoadFigures> loads;  // as in Run
  double seconds = 0;
  // In microseconds; -1 for a process that is gone.
  double own_cpu = 0;
  std::vector<double> watched_cpu;
  std::uint64_t unanswered = 0;  // when nobody waited any more
  std::uint64_t unexpected = 0;  // answers to no call, or a second one
};

// Makes the calls of one run at a time and measures them. For one thread.
class Meter {
 public:
  using Clock = std::chrono::steady_clock;
  // Sends a call whose frame has so many bytes.
  using SendCall = std::function<void(std::size_t topic, std::uint64_t id, std::size_t bytes)>;
  using OnFinished = std::function<void(RunFigures)>;

  Meter(SendCall send_call, OnFinished on_finished);

  void Start(Run run);
  // `failure` is empty for a call that was answered as it should be.
  void OnAnswer(std::uint64_t id, absl::string_view failure);
  // Sends what is due. When to call it again.
  absl::Duration Tick();

 private:
  enum class State { kIdle, kWarmingUp, kMeasuring, kDraining };
  struct Pending {
    Clock::time_point due;
    std::size_t topic;
    std::size_t load;
  };
  struct LoadState {
    std::uint64_t sent = 0;
    std::size_t next_topic = 0;
    Clock::time_point next_due;
  };

  void Send(std::size_t load, std::size_t topic, Clock::time_point due);
  std::size_t NextTopic(std::size_t load);
  void SendNext(const Pending& answered, Clock::time_point now);
  void CheckTime(Clock::time_point now);
  void BeginMeasuring(Clock::time_point now);
  void EndMeasuring(Clock::time_point now);
  void Finish();
  std::vector<double> ReadClocks() const;

  const SendCall send_call_;
  const OnFinished on_finished_;
  State state_ = State::kIdle;
  Run run_;
  std::vector<LoadState> loads_;
  RunFigures figures_;
  Clock::time_point started_;
  Clock::time_point measuring_since_;
  Clock::time_point draining_since_;
  std::vector<double> clocks_;
  std::uint64_t last_id_ = 0;
  absl::flat_hash_map<std::uint64_t, Pending> pending_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_METER_H_
