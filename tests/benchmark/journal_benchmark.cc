// What the journal costs the io thread: nanoseconds a note, with many calls open all the time. The
// time between notes is not counted, and lets the writing thread keep up, as it does at some 50,000
// calls a second.
//
// Usage: journal_benchmark [calls] [open calls] [folder]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/journal/call_journal_file.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kTopic[] = "debug_plugin:weather";
constexpr int kCallsAtOnce = 500;

class Benchmark {
 public:
  explicit Benchmark(atomemo::router::CallJournal& journal) : journal_(journal) {}

  void Begin(int call) {
    const std::string id = Id(call);
    Note([&] { journal_.Accepted(kTopic, id, "invoke_tool", absl::Seconds(60)); });
    Note([&] { journal_.Started(kTopic, id, "0123456789abcdef0123456789abcdef"); });
  }
  void End(int call) {
    const std::string id = Id(call);
    Note([&] { journal_.Ended(kTopic, id); });
  }
  void Reset() { nanoseconds_.clear(); }

  void Print() {
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    const double sum = std::accumulate(nanoseconds_.begin(), nanoseconds_.end(), 0.0);
    std::printf("%zu notes: mean %.0f ns, median %.0f, p99 %.0f, p99.9 %.0f, longest %.0f\n",
                nanoseconds_.size(), sum / static_cast<double>(nanoseconds_.size()), At(0.5),
                At(0.99), At(0.999), nanoseconds_.back());
  }

 private:
  // As long as a UUID.
  static std::string Id(int call) {
    return absl::StrCat("6f1c2a9e-58b3-4d0a-9c47-", absl::Dec(call, absl::kZeroPad12));
  }

  template <typename Function>
  void Note(Function note) {
    const Clock::time_point start = Clock::now();
    note();
    nanoseconds_.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }

  double At(double share) const {
    return nanoseconds_[static_cast<std::size_t>(share * static_cast<double>(nanoseconds_.size()))];
  }

  atomemo::router::CallJournal& journal_;
  std::vector<double> nanoseconds_;
};

}  // namespace

int main(int argc, char** argv) {
  const int calls = argc > 1 ? std::atoi(argv[1]) : 300'000;
  const int open = argc > 2 ? std::atoi(argv[2]) : 20'000;
  std::string folder = absl::StrCat(argc > 3 ? argv[3] : "/tmp", "/atomemo-XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) return EXIT_FAILURE;
  {
    atomemo::journal::CallJournalFile journal(absl::Now);
    if (const auto left = journal.Open(folder + "/journal"); !left.ok()) {
      std::fprintf(stderr, "%s\n", left.status().ToString().c_str());
      return EXIT_FAILURE;
    }
    Benchmark benchmark(journal);
    const auto keep_up = [&journal](int call) {
      if (call % kCallsAtOnce == 0) journal.Flush(absl::Seconds(10));
    };
    for (int call = 0; call < open; ++call) {
      benchmark.Begin(call);
      keep_up(call);
    }
    benchmark.Reset();
    for (int call = open; call < open + calls; ++call) {
      benchmark.Begin(call);
      benchmark.End(call - open);
      keep_up(call);
    }
    benchmark.Print();
  }
  std::filesystem::remove_all(folder);
}
