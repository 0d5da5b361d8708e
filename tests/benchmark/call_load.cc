#include "tests/benchmark/call_load.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace atomemo::benchmark {
namespace {

// How often a fixed rate is looked after: calls that fall into one such time go out together.
constexpr absl::Duration kTick = absl::Milliseconds(1);

}  // namespace

double Percentile(std::vector<double>& values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto index = static_cast<std::size_t>(static_cast<double>(values.size()) * percent / 100);
  return values[std::min(index, values.size() - 1)];
}

// On the hub's thread. Held by what waits: timers and calls.
struct CallLoad::State : std::enable_shared_from_this<State> {
  State(LoadHub& load_hub, Options load_options)
      : hub(load_hub), options(std::move(load_options)) {}

  void Begin() {
    for (int i = 0; i < options.at_once; ++i) SendOne();
    next_due = hub.scheduler().Now();
    if (options.per_second > 0) Tick();
  }

  void Tick() {
    if (stopped) return;
    const absl::Duration interval = absl::Seconds(1 / options.per_second);
    const absl::Time now = hub.scheduler().Now();
    result.late_milliseconds.push_back(absl::ToDoubleMilliseconds(now - next_due));
    for (; next_due <= now; next_due += interval) SendOne();
    const absl::Duration wait = std::max(next_due - hub.scheduler().Now(), kTick);
    hub.scheduler().After(wait, [self = shared_from_this()] { self->Tick(); });
  }

  void SendOne() {
    const absl::Time sent = hub.scheduler().Now();
    hub.Call(options.topic, options.event, options.members,
             [self = shared_from_this(), sent](const std::string& answer) {
               self->OnAnswer(answer, self->hub.scheduler().Now() - sent);
             });
  }

  void OnAnswer(const std::string& answer, absl::Duration took) {
    if (stopped) return;
    if (absl::EndsWith(answer, "_response")) {
      result.milliseconds.push_back(absl::ToDoubleMilliseconds(took));
    } else {
      ++result.failed;
    }
    if (options.at_once > 0 && !answer.empty()) SendOne();
  }

  LoadHub& hub;
  const Options options;
  absl::Time next_due;
  LoadResult result;
  bool stopped = false;
};

CallLoad::CallLoad(LoadHub& hub, Options options)
    : hub_(hub), state_(std::make_shared<State>(hub, std::move(options))) {
  hub_.scheduler().Post([state = state_] { state->Begin(); });
}

LoadResult CallLoad::Stop() {
  LoadResult result;
  hub_.Run([&] {
    state_->stopped = true;
    result = std::move(state_->result);
  });
  return result;
}

}  // namespace atomemo::benchmark
