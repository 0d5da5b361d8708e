#include "tests/integration/chaos/chaos_run.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/integration/chaos/call_book.h"
#include "tests/integration/chaos/chaos_hub.h"
#include "tests/integration/chaos/clock.h"
#include "tests/integration/chaos/fault_proxy.h"
#include "tests/integration/chaos/run_record.h"
#include "tests/integration/chaos/traffic.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::chaos {
namespace {

using integration::ChildProcess;
using integration::kPatience;
using integration::WaitUntil;

constexpr int kWorkers = 2;
constexpr absl::Duration kLatency = absl::Milliseconds(200);
// After the last fault, before a level is a normal one.
constexpr absl::Duration kCalm = absl::Seconds(1);
// After the last fault calls go on for so long at least.
constexpr absl::Duration kQuietEnd = absl::Seconds(3);
// What a process may occupy more in the end than when it was new. AddressSanitizer keeps up to
// 256 MB of freed memory back.
#ifdef __SANITIZE_ADDRESS__
constexpr std::int64_t kSlackKb = 300 << 10;
#else
constexpr std::int64_t kSlackKb = 16 << 10;
#endif
constexpr std::int64_t kRememberedKbPerCall = 1;
constexpr std::int64_t kRememberedKb = 160 << 10;
constexpr absl::Duration kAfterDeadline = absl::Seconds(2);

// A process of the run, which is started again after it was killed.
struct Member {
  std::string name;
  std::vector<std::string> command;
  std::string log;
  std::unique_ptr<ChildProcess> process;
  absl::Time started;
  // When it was new; nothing until that was measured.
  std::optional<ProcessLevel> before;

  absl::Status Start() {
    auto child = ChildProcess::Start(command, log);
    if (!child.ok()) return child.status();
    process = *std::move(child);
    started = Now();
    before.reset();
    return absl::OkStatus();
  }
  bool lives() const { return process != nullptr; }
};

class Bench {
 public:
  explicit Bench(const ChaosOptions& options)
      : options_(options),
        record_(options.folder + "/runs"),
        traffic_(options.seed, options.calls_per_second, options.timeout),
        hub_(book_, traffic_, {options.repeat_pending}) {}

  absl::StatusOr<Evidence> Run() {
    if (absl::Status status = StartAll(); !status.ok()) return status;
    faults_ = MakePlan(options_.seed, options_.plan);
    begin_ = calm_since_ = joined_since_ = Now();
    WaitUntil(
        [this] {
          Step();
          return !evidence_.incidents.empty() || IsOver();
        },
        options_.plan.length + kPatience);
    hub_.SetTraffic(false);
    WaitUntil(
        [this] { return book_.pending() == 0 || Now() > book_.last_deadline() + kAfterDeadline; },
        options_.timeout + kPatience);
    MeasureLevels();
    StopAll();
    return Collect();
  }

 private:
  absl::Status StartAll() {
    if (absl::Status status = hub_.Start(); !status.ok()) return status;
    proxy_ = std::make_unique<FaultProxy>(hub_.port());
    const absl::StatusOr<std::uint16_t> port = proxy_->Start();
    if (!port.ok()) return port.status();
    const std::string socket = options_.folder + "/bridge.sock";
    const std::string timeout = absl::StrCat(absl::ToInt64Milliseconds(options_.timeout), "ms");
    bridge_.name = "bridge";
    bridge_.log = options_.folder + "/bridge.log";
    bridge_.command = {options_.bridge, "serve", "--hub-ws-url",
                       absl::StrCat("ws://127.0.0.1:", *port), "--debug-api-key", "dev-key",
                       "--socket", socket,
                       // All calls may take as long as the hub waits, and may pile up meanwhile.
                       "--authenticate-timeout", timeout, "--list-timeout", timeout, "--max-calls",
                       "100000", "--max-plugin-calls", "100000", "--max-queued-calls", "100000"};
    bridge_.command.insert(bridge_.command.end(), options_.bridge_flags.begin(),
                           options_.bridge_flags.end());
    if (absl::Status status = bridge_.Start(); !status.ok()) return status;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i].name = absl::StrCat("worker ", i + 1);
      workers_[i].log = absl::StrCat(options_.folder, "/worker-", i + 1, ".log");
      workers_[i].command = {options_.worker, socket, record_,
                             absl::StrCat(absl::ToInt64Milliseconds(options_.timeout))};
      if (absl::Status status = workers_[i].Start(); !status.ok()) return status;
    }
    hub_.SetTraffic(true);
    if (WaitUntil([this] { return BothWorkersRun(); })) return absl::OkStatus();
    return absl::DeadlineExceededError("the workers got no calls: see their logs");
  }

  bool BothWorkersRun() const {
    const auto runs = ReadRuns(record_);
    std::set<pid_t> pids;
    if (runs.ok()) {
      for (const chaos::Run& run : *runs) pids.insert(run.pid);
    }
    return pids.size() == kWorkers;
  }

  bool IsOver() const {
    return next_fault_ == faults_.size() && later_.empty() &&
           Now() >= std::max(begin_ + options_.plan.length, calm_since_ + kQuietEnd);
  }

  // What is due now.
  void Step() {
    CheckAlive();
    if (!hub_.registered()) {
      joined_since_ = Now();
      calm_since_ = std::max(calm_since_, joined_since_);
    }
    while (!later_.empty() && later_.begin()->first <= Now()) {
      const auto task = std::move(later_.begin()->second);
      later_.erase(later_.begin());
      task();
    }
    // A fault that finds nothing to harm waits, and those behind it too.
    while (next_fault_ < faults_.size() && begin_ + faults_[next_fault_].at <= Now()) {
      const Fault& fault = faults_[next_fault_];
      if (!CarryOut(fault)) break;
      ++evidence_.faults[std::string(FaultName(fault.kind))];
      calm_since_ = std::max(calm_since_, Now() + fault.lasting);
      ++next_fault_;
    }
    if (Now() > calm_since_ + kCalm) {
      ForEachMember([](Member& member) {
        if (!member.before) member.before = MeasureProcess(member.process->pid());
      });
    }
  }

  bool CarryOut(const Fault& fault) {
    if (!hub_.registered() || Now() < joined_since_ + fault.after_join) return false;
    switch (fault.kind) {
      case FaultKind::kHubKill:
        hub_.Kill();
        Later(fault.lasting, [this] { Must(hub_.Start()); });
        return true;
      case FaultKind::kCut:
        return proxy_->Cut() > 0;
      case FaultKind::kReset:
        return proxy_->Reset() > 0;
      case FaultKind::kStall:
        // Booked first: what comes after the stall must not be earlier than this.
        book_.OnLineRestored(Now() + fault.lasting);
        proxy_->Stall(fault.lasting);
        return true;
      case FaultKind::kDelay:
        proxy_->Delay(kLatency, fault.lasting);
        return true;
      case FaultKind::kWorkerKill: {
        Member& worker = workers_[static_cast<std::size_t>(fault.worker)];
        if (worker.process == nullptr) return false;  // away since it was killed before
        const pid_t pid = worker.process->pid();
        Kill(worker, fault.lasting);
        evidence_.worker_kills.push_back({pid, Now()});
        return true;
      }
      case FaultKind::kBridgeKill:
        if (bridge_.process == nullptr) return false;
        Kill(bridge_, fault.lasting);
        evidence_.bridge_kills.push_back(Now());
        return true;
      case FaultKind::kChannelCrash:
        return hub_.CrashChannel();
      case FaultKind::kChannelClose:
        return hub_.CloseChannel();
    }
    return true;
  }

  void Kill(Member& member, absl::Duration away) {
    member.process->Kill();
    member.process.reset();
    Later(away, [this, &member] { Must(member.Start()); });
  }

  void Later(absl::Duration delay, std::function<void()> task) {
    later_.emplace(Now() + delay, std::move(task));
  }

  void Must(const absl::Status& status) {
    if (!status.ok()) evidence_.incidents.push_back(status.ToString());
  }

  void CheckAlive() {
    ForEachMember([this](Member& member) {
      if (member.process->IsRunning()) return;
      evidence_.incidents.push_back(absl::StrCat("the ", member.name, " ended by itself"));
      member.process.reset();
    });
  }

  void MeasureLevels() {
    ForEachMember([this](Member& member) {
      if (!member.before) return;
      LevelChange change{member.name, *member.before, {}, kSlackKb};
      // The bridge remembers the answers of the latest calls, within the bounds of AnsweredIds.
      if (&member == &bridge_) {
        change.allowed_growth_kb +=
            std::min(kRememberedKb, kRememberedKbPerCall * book_.CallsSince(member.started));
      }
      // What was closed last may take a moment.
      WaitUntil(
          [&] {
            change.after = MeasureProcess(member.process->pid()).value_or(ProcessLevel());
            return change.after.descriptors <= change.before.descriptors;
          },
          absl::Seconds(5));
      evidence_.levels.push_back(change);
    });
  }

  void StopAll() {
    const auto stop = [this](Member& member) {
      if (!member.lives()) return;
      const int code = member.process->Terminate();
      if (code == 0) return;
      evidence_.incidents.push_back(
          absl::StrCat("the ", member.name, " ended with ", code, " when asked to stop"));
    };
    for (Member& worker : workers_) stop(worker);
    stop(bridge_);
    hub_.Kill();
  }

  absl::StatusOr<Evidence> Collect() {
    absl::StatusOr<std::vector<chaos::Run>> runs = ReadRuns(record_);
    if (!runs.ok()) return runs.status();
    evidence_.runs = *std::move(runs);
    evidence_.repeat_pending = options_.repeat_pending;
    evidence_.calls = book_.calls();
    evidence_.postponed = book_.postponed();
    evidence_.strays = book_.strays();
    evidence_.line_restored = book_.line_restored();
    return std::move(evidence_);
  }

  template <typename Action>
  void ForEachMember(Action action) {
    if (bridge_.lives()) action(bridge_);
    for (Member& worker : workers_) {
      if (worker.lives()) action(worker);
    }
  }

  const ChaosOptions& options_;
  const std::string record_;
  CallBook book_;
  Traffic traffic_;
  ChaosHub hub_;
  std::unique_ptr<FaultProxy> proxy_;
  Member bridge_;
  std::array<Member, kWorkers> workers_;

  absl::Time begin_;
  std::vector<Fault> faults_;
  std::size_t next_fault_ = 0;
  std::multimap<absl::Time, std::function<void()>> later_;
  absl::Time joined_since_;
  // Since then nothing has been disturbed.
  absl::Time calm_since_;
  Evidence evidence_;
};

}  // namespace

absl::StatusOr<Evidence> RunChaos(const ChaosOptions& options) { return Bench(options).Run(); }

}  // namespace atomemo::chaos
