#include "tests/benchmark/load/meter.h"

#include <unistd.h>
#include <ctime>

#include <algorithm>
#include <utility>

namespace atomemo::benchmark {
namespace {

constexpr std::chrono::seconds kPatience{30};
// A measurement of large calls lasts longer rather than to end with less.
constexpr std::uint64_t kFewestAnswers = 3;
constexpr std::size_t kExpectedAnswers = 1 << 18;

// What a process has used of a processor, in microseconds; -1 if it is gone.
double CpuMicroseconds(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return -1;
  return 1e6 * static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e3;
}

double SecondsBetween(Meter::Clock::time_point from, Meter::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Meter::Meter(SendCall send_call, OnFinished on_finished)
    : send_call_(std::move(send_call)), on_finished_(std::move(on_finished)) {}

void Meter::Start(Run run) {
  run_ = std::move(run);
  loads_.assign(run_.loads.size(), LoadState());
  figures_ = RunFigures();
  figures_.loads.resize(run_.loads.size());
  for (LoadFigures& load : figures_.loads) load.microseconds.reserve(kExpectedAnswers);
  // What an earlier run gave up may still be answered.
  pending_.clear();
  started_ = Clock::now();
  state_ = State::kWarmingUp;
  if (run_.warm_seconds <= 0) BeginMeasuring(started_);
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    loads_[i].next_due = started_;
    for (int n = 0; n < run_.loads[i].in_flight; ++n) Send(i, NextTopic(i), started_);
  }
}

std::size_t Meter::NextTopic(std::size_t load) {
  const std::vector<std::size_t>& topics = run_.loads[load].topics;
  return topics[loads_[load].next_topic++ % topics.size()];
}

void Meter::Send(std::size_t load, std::size_t topic, Clock::time_point due) {
  if (run_.calls > 0 && load == 0 && loads_[load].sent == run_.calls) return;
  ++loads_[load].sent;
  pending_[++last_id_] = {due, topic, load};
  send_call_(topic, last_id_, run_.loads[load].bytes);
}

void Meter::OnAnswer(std::uint64_t id, absl::string_view failure) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) {
    ++figures_.unexpected;
    return;
  }
  const Pending answered = found->second;
  pending_.erase(found);
  const Clock::time_point now = Clock::now();
  if (state_ == State::kMeasuring) {
    LoadFigures& figures = figures_.loads[answered.load];
    ++figures.answered;
    if (failure.empty()) {
      figures.microseconds.push_back(
          std::chrono::duration<float, std::micro>(now - answered.due).count());
    } else if (++figures.failed == 1) {
      figures.first_failure = std::string(failure);
    }
  }
  CheckTime(now);
  SendNext(answered, now);
  if (state_ == State::kDraining && pending_.empty()) Finish();
}

void Meter::SendNext(const Pending& answered, Clock::time_point now) {
  const Load& load = run_.loads[answered.load];
  if (state_ == State::kIdle || state_ == State::kDraining || load.in_flight == 0) return;
  // With more topics than calls in flight each gets its turn; otherwise each keeps its share.
  const bool take_turns = load.topics.size() > static_cast<std::size_t>(load.in_flight);
  Send(answered.load, take_turns ? NextTopic(answered.load) : answered.topic, now);
}

void Meter::CheckTime(Clock::time_point now) {
  if (state_ == State::kWarmingUp && SecondsBetween(started_, now) >= run_.warm_seconds) {
    BeginMeasuring(now);
  } else if (state_ == State::kMeasuring) {
    const std::uint64_t answered = figures_.loads.front().answered;
    const double seconds = SecondsBetween(measuring_since_, now);
    const bool enough = run_.calls > 0 ? answered >= run_.calls
                                       : seconds >= run_.seconds && answered >= kFewestAnswers;
    const bool over = enough || (run_.calls == 0 && seconds >= run_.seconds + kPatience.count());
    if (over) EndMeasuring(now);
  } else if (state_ == State::kDraining && now - draining_since_ > kPatience) {
    Finish();
  }
}

void Meter::BeginMeasuring(Clock::time_point now) {
  state_ = State::kMeasuring;
  measuring_since_ = now;
  clocks_ = ReadClocks();
}

void Meter::EndMeasuring(Clock::time_point now) {
  state_ = State::kDraining;
  draining_since_ = now;
  figures_.seconds = SecondsBetween(measuring_since_, now);
  const std::vector<double> clocks = ReadClocks();
  figures_.own_cpu = clocks[0] - clocks_[0];
  for (std::size_t i = 1; i < clocks.size(); ++i) {
    figures_.watched_cpu.push_back(clocks[i] < 0 ? -1 : clocks[i] - clocks_[i]);
  }
}

std::vector<double> Meter::ReadClocks() const {
  std::vector<double> clocks{CpuMicroseconds(getpid())};
  for (const pid_t pid : run_.watched) clocks.push_back(CpuMicroseconds(pid));
  return clocks;
}

void Meter::Finish() {
  state_ = State::kIdle;
  figures_.unanswered = pending_.size();
  for (LoadFigures& load : figures_.loads) {
    std::sort(load.microseconds.begin(), load.microseconds.end());
  }
  on_finished_(std::move(figures_));
}

absl::Duration Meter::Tick() {
  if (state_ == State::kIdle) return absl::InfiniteDuration();
  Clock::time_point now = Clock::now();
  CheckTime(now);
  if (state_ == State::kDraining && pending_.empty()) Finish();
  if (state_ == State::kIdle) return absl::InfiniteDuration();
  // Ends are found by this when no answers come.
  absl::Duration wait = absl::Milliseconds(100);
  if (state_ == State::kDraining) return wait;
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    const double per_second = run_.loads[i].per_second;
    if (per_second <= 0) continue;
    const auto interval =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / per_second));
    for (; loads_[i].next_due <= now; loads_[i].next_due += interval) {
      Send(i, NextTopic(i), loads_[i].next_due);
    }
    wait = std::min(wait, absl::FromChrono(loads_[i].next_due - Clock::now()));
  }
  return wait;
}

}  // namespace atomemo::benchmark
