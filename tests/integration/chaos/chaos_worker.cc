// A plugin for the chaos bench, which kills it: every run is on record (run_record.h), and every
// answer is unique to its run, so that a second run is seen by its answer too.
//
//   chaos_worker SOCKET RECORD TIMEOUT_MS
//
//   tool "work-on"        takes `ms` milliseconds, fails if `fail`, answers with `pad`
//   tool "overrun"        takes longer than it may
//   tool "pick-one"       has a resource list
//   credential "account-key"
//
// TIMEOUT_MS is that of "work-on".

#include <unistd.h>

#include <atomic>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "atomemo/plugin.h"
#include "tests/integration/chaos/chaos_worker.h"
#include "tests/integration/chaos/run_record.h"

namespace atomemo::chaos {
namespace {

constexpr int kThreads = 64;
constexpr int kQueryThreads = 16;

// The runs of this process, numbered and recorded.
class Worker {
 public:
  explicit Worker(RunRecorder& recorder) : recorder_(recorder) {}

  // Records a run of `duration` around `answer`, which gets the run's name.
  template <typename Answer>
  auto Run(const Call& call, absl::Duration duration, Answer answer)
      -> decltype(answer(std::string())) {
    const int number = ++runs_;
    if (absl::Status begun = recorder_.Begin(call.request_id()); !begun.ok()) return begun;
    const bool cancelled = duration > absl::ZeroDuration() && call.WaitCancelled(duration);
    if (absl::Status ended = recorder_.End(call.request_id(), cancelled); !ended.ok()) return ended;
    return answer(absl::StrCat(getpid(), "/", number));
  }

 private:
  RunRecorder& recorder_;
  std::atomic<int> runs_{0};
};

absl::StatusOr<Json> WorkOn(Worker& worker, const Call& call) {
  const absl::StatusOr<int> ms = call.Get<int>("ms");
  if (!ms.ok()) return ms.status();
  return worker.Run(
      call, absl::Milliseconds(*ms), [&](const std::string& run) -> absl::StatusOr<Json> {
        if (call.GetOr<bool>("fail", false).value_or(false)) {
          return Error(kWantedError, "as wanted, by run " + run);
        }
        return Json{{"run", run}, {"pad", call.GetOr<std::string>("pad", "").value_or("")}};
      });
}

absl::StatusOr<Json> Overrun(Worker& worker, const Call& call) {
  return worker.Run(call, absl::Milliseconds(3 * kOverrunTimeoutMs),
                    [](const std::string& run) -> absl::StatusOr<Json> {
                      return Json{{"run", run}};
                    });
}

Plugin MakePlugin(Worker& worker, absl::Duration timeout) {
  Plugin plugin(PluginInfo(kPluginName).Version("1.0.0").Author("Atomemo"));
  plugin.AddTool(
      Tool(kWorkTool)
          .Parameter(Integer("ms").DisplayName("Milliseconds").Required().Ui(NumberInput()))
          .Parameter(Boolean("fail").DisplayName("Fail"))
          .Parameter(String("pad").DisplayName("Padding"))
          .Timeout(timeout)
          .Invoke([&worker](const Call& call) { return WorkOn(worker, call); }));
  plugin.AddTool(Tool(kOverrunTool)
                     .Timeout(absl::Milliseconds(kOverrunTimeoutMs))
                     .Invoke([&worker](const Call& call) { return Overrun(worker, call); }));
  plugin.AddTool(
      Tool(kPickTool)
          .Parameter(Locator("choice").DisplayName("Choice").Required().Mode(ListMode(kPickMethod)))
          .ListResources(kPickMethod,
                         [&worker](const ResourceCall& call) {
                           return worker.Run(
                               call, absl::ZeroDuration(),
                               [](const std::string& run) -> absl::StatusOr<ResourceList> {
                                 return ResourceList{{{run, run}}};
                               });
                         })
          .Invoke([](const Call& call) { return call.parameters(); }));
  plugin.AddCredential(
      Credential(kCredential)
          .Parameter(EncryptedString("key").DisplayName("Key").Required().Ui(EncryptedInput()))
          .Authenticate([&worker](const CredentialCall& call) {
            return worker.Run(call, absl::ZeroDuration(),
                              [](const std::string& run) -> absl::StatusOr<Json> {
                                return Json{{"run", run}};
                              });
          }));
  return plugin;
}

int Main(int argc, char** argv) {
  int timeout_ms = 0;
  if (argc != 4 || !absl::SimpleAtoi(argv[3], &timeout_ms)) {
    std::cerr << "usage: chaos_worker SOCKET RECORD TIMEOUT_MS\n";
    return 2;
  }
  const auto recorder = RunRecorder::Open(argv[2]);
  if (!recorder.ok()) {
    std::cerr << "chaos_worker: " << recorder.status() << "\n";
    return 1;
  }
  Worker worker(**recorder);
  Plugin plugin = MakePlugin(worker, absl::Milliseconds(timeout_ms));
  RunOptions options;
  options.bridge = argv[1];
  options.max_concurrent_invocations = kThreads;
  options.max_concurrent_queries = kQueryThreads;
  options.last_retry_delay = absl::Milliseconds(200);
  const absl::Status status = plugin.Run(options);
  if (!status.ok()) std::cerr << "chaos_worker: " << status << "\n";
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace atomemo::chaos

int main(int argc, char** argv) { return atomemo::chaos::Main(argc, argv); }
