// What a bridge needs to serve many plugins, each with a name, a connection and a session of its
// own: how long it takes until all are published, memory and descriptors a session, and whether
// every one of them answers its calls.
//
// Usage: sessions_benchmark [sessions] [bytes of a definition]
// Exit code 0 if every call was answered.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/base/log.h"
#include "tests/benchmark/load_hub.h"
#include "tests/benchmark/process_usage.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::benchmark {
namespace {

using integration::ChildProcess;

constexpr int kSessionsPerProcess = 100;
constexpr int kRounds = 10;
constexpr absl::Duration kPatience = absl::Minutes(3);
constexpr double kKilobyte = 1024;

class Sessions {
 public:
  explicit Sessions(int count) : count_(count) {}

  int Run(const std::string& definition_bytes) {
    const absl::StatusOr<std::uint16_t> port = hub_.Start();
    if (!port.ok()) return Fail(port.status().ToString());
    const std::string socket = folder_.path() + "/bridge.sock";
    auto bridge = ChildProcess::Start({ATOMEMO_BRIDGE, "serve", "--hub-ws-url",
                                       absl::StrCat("ws://127.0.0.1:", *port), "--debug-api-key",
                                       "key", "--socket", socket, "--log-level", "warning"});
    if (!bridge.ok()) return Fail(bridge.status().ToString());
    bridge_ = *std::move(bridge);
    if (!integration::WaitUntil([&] { return access(socket.c_str(), F_OK) == 0; })) {
      return Fail("the bridge does not come up");
    }
    Report("without sessions");
    const bool first = RunRound(socket, definition_bytes);
    // Memory that is not used again would have leaked.
    const bool second = RunRound(socket, definition_bytes);
    return first && second ? 0 : 1;
  }

 private:
  static int Fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    return 1;
  }

  void Report(const char* when) {
    const ProcessUsage usage = ReadUsage(bridge_->pid());
    std::printf("%-24s bridge: %7.1f MB, %5d descriptors, %3d threads, %6.2f s of a processor\n",
                when, static_cast<double>(usage.resident_bytes) / kKilobyte / kKilobyte,
                usage.descriptors, usage.threads, absl::ToDoubleSeconds(usage.cpu));
    std::fflush(stdout);
  }

  // All sessions come, are called, and go again.
  bool RunRound(const std::string& socket, const std::string& definition_bytes) {
    const std::size_t before = ReadUsage(bridge_->pid()).resident_bytes;
    const absl::Time start = absl::Now();
    std::vector<std::unique_ptr<ChildProcess>> swarms;
    for (int first = 0; first < count_; first += kSessionsPerProcess) {
      const int size = std::min(kSessionsPerProcess, count_ - first);
      auto swarm = ChildProcess::Start({ATOMEMO_LEAN_PLUGIN, socket, "swarm", absl::StrCat(first),
                                        absl::StrCat(size), definition_bytes});
      if (!swarm.ok()) return Fail(swarm.status().ToString()) == 0;
      swarms.push_back(*std::move(swarm));
    }
    if (!hub_.WaitRegistered(count_, kPatience)) {
      return Fail(absl::StrCat("only ", hub_.registered(), " are registered")) == 0;
    }
    std::printf("%d published within %.2f s, over %d sockets to the hub\n", count_,
                absl::ToDoubleSeconds(absl::Now() - start), hub_.sockets());
    Report("published");
    bool all_answered = CallAll(1);
    Report("after a call each");
    const std::size_t after = ReadUsage(bridge_->pid()).resident_bytes;
    all_answered = CallAll(kRounds) && all_answered;
    Report("after more calls");
    std::printf("%.1f KB more for each session\n",
                (static_cast<double>(after) - static_cast<double>(before)) / kKilobyte / count_);
    swarms.clear();
    // The topics stay joined for a grace period.
    integration::WaitUntil([&] { return hub_.registered() == 0; });
    Report("without sessions again");
    return all_answered;
  }

  // Calls every plugin `rounds` times at once.
  bool CallAll(int rounds) {
    // On the hub's thread.
    int left = count_ * rounds;
    int answered = 0;
    const absl::Time start = absl::Now();
    hub_.Run([&] {
      for (int i = 0; i < count_ * rounds; ++i) {
        hub_.Call(absl::StrCat("debug_plugin:swarm-", i % count_), "invoke_tool",
                  R"("tool_name":"do-work","parameters":{})", [&](const std::string& answer) {
                    --left;
                    if (absl::EndsWith(answer, "_response")) ++answered;
                  });
      }
    });
    integration::WaitUntil(
        [&] {
          bool done = false;
          hub_.Run([&] { done = left == 0; });
          return done;
        },
        kPatience);
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    std::printf("%d of %d calls answered within %.2f s\n", answered, count_ * rounds, seconds);
    return answered == count_ * rounds;
  }

  const int count_;
  const fakes::TemporaryFolder folder_;
  LoadHub hub_;
  std::unique_ptr<ChildProcess> bridge_;
};

int Main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  base::InitLog(base::LogLevel::kError, base::LogFormat::kText);
  return Sessions(count).Run(argc > 2 ? argv[2] : "2000");
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
