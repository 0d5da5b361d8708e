#include "tests/integration/chaos/verdict.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/integration/chaos/chaos_worker.h"

namespace atomemo::chaos {
namespace {

constexpr absl::Duration kLateness = absl::Seconds(1);
// A worker that is killed so soon after a run may take the run's answer with it.
constexpr absl::Duration kHandover = absl::Seconds(3);
// So long a worker may need to offer its answers to a bridge that was killed and restarted.
constexpr absl::Duration kReturn = absl::Seconds(5);
constexpr std::size_t kExamples = 5;

using RunsByCall = std::unordered_map<std::string, std::vector<const Run*>>;

// Any of `times` within (from, to].
bool AnyWithin(const std::vector<absl::Time>& times, absl::Time from, absl::Time to) {
  return std::any_of(times.begin(), times.end(),
                     [&](absl::Time time) { return from < time && time <= to; });
}

class Court {
 public:
  explicit Court(const Evidence& evidence) : evidence_(evidence) {
    for (const Run& run : evidence.runs) runs_[run.request_id].push_back(&run);
  }

  Verdict Take() {
    std::vector<absl::Duration> latencies;
    for (const BookedCall& call : evidence_.calls) {
      verdict_.repeats += static_cast<std::size_t>(call.repeats);
      verdict_.duplicates += static_cast<std::size_t>(call.duplicates);
      verdict_.dropped += static_cast<std::size_t>(call.dropped);
      CheckRuns(call);
      if (!call.answer) {
        CheckUnanswered(call);
        continue;
      }
      if (call.answer->code.empty()) {
        ++verdict_.responses;
      } else {
        ++verdict_.errors[call.answer->code];
      }
      latencies.push_back(call.answer->at - call.sent);
      CheckAnswer(call, *call.answer);
    }
    SetPercentiles(latencies);
    CheckRest();
    return std::move(verdict_);
  }

 private:
  void CheckRuns(const BookedCall& call) {
    const std::vector<const Run*>& runs = RunsOf(call);
    for (std::size_t i = 1; i < runs.size(); ++i) {
      ++verdict_.second_runs;
      const bool bridge_killed =
          AnyWithin(evidence_.bridge_kills, runs[i - 1]->began, runs[i]->began);
      if (bridge_killed) ++verdict_.second_runs_after_bridge_kill;
      Blame(bridge_killed ? "second run after the bridge was killed" : "second run", call);
    }
    for (const Run* run : runs) {
      if (!run->ended || run->cancelled || *run->ended > call.deadline()) continue;
      if (!LivedOn(*run) || BothWereKilled(call, *run)) continue;
      if (IsOwnAnswer(call)) continue;
      ++verdict_.lost_answers;
      Blame("answer of a live plugin lost", call);
    }
  }

  void CheckUnanswered(const BookedCall& call) {
    const bool connection_lost =
        AnyWithin(evidence_.line_restored, call.sent, call.deadline() + kLateness) ||
        AnyWithin(evidence_.bridge_kills, call.sent, call.deadline());
    if (RunsOf(call).empty() && connection_lost) {
      ++verdict_.lost_on_the_way;
      if (!evidence_.repeat_pending) return;
    }
    ++verdict_.unanswered;
    Blame("unanswered", call);
  }

  void CheckAnswer(const BookedCall& call, const Answer& answer) {
    if (answer.event != call.plan.event + "_response" &&
        answer.event != call.plan.event + "_error") {
      Blame("answer under a wrong event", call);
    }
    if (answer.at > LastMoment(call, answer)) {
      ++verdict_.late;
      Blame("late", call);
    }
    if (call.contradiction) {
      ++verdict_.contradictions;
      const bool bridge_killed =
          AnyWithin(evidence_.bridge_kills, call.sent, call.contradiction->at);
      if (bridge_killed) ++verdict_.contradictions_after_bridge_kill;
      if (bridge_killed && NobodyKnowsTheAnswer(call)) {
        ++verdict_.contradictions_after_both_kills;
        return;
      }
      Blame(bridge_killed ? "two different answers after the bridge was killed"
                          : "two different answers",
            call);
    }
  }

  void CheckRest() {
    if (evidence_.strays > 0) {
      AddViolation(absl::StrCat(evidence_.strays, " answers to calls that were never made"));
    }
    for (const LevelChange& level : evidence_.levels) {
      if (level.after.memory_kb - level.before.memory_kb > level.allowed_growth_kb) {
        AddViolation(absl::StrCat("memory of the ", level.process, " grew by ",
                                  level.after.memory_kb - level.before.memory_kb, " KB"));
      }
      if (level.after.descriptors > level.before.descriptors) {
        AddViolation(absl::StrCat("the ", level.process, " had ", level.before.descriptors,
                                  " descriptors and has ", level.after.descriptors));
      }
    }
    for (const std::string& incident : evidence_.incidents) AddViolation(incident);
    for (const auto& [kind, count] : blamed_) {
      if (count > kExamples) AddViolation(absl::StrCat(kind, ": ", count, " in all"));
    }
  }

  // When the answer had to be there. A tool's own timeout counts from the call's arrival at the
  // bridge: at the latest when the line was restored for the last time before the answer.
  absl::Time LastMoment(const BookedCall& call, const Answer& answer) const {
    const bool waits = call.plan.overruns || MayStillRun(call);
    if (!waits) return call.deadline() + kLateness;
    absl::Time arrival = call.sent;
    for (const absl::Time restored : evidence_.line_restored) {
      if (restored <= answer.at) arrival = std::max(arrival, restored);
    }
    const absl::Duration timeout =
        call.plan.overruns ? absl::Milliseconds(kOverrunTimeoutMs) : call.deadline() - call.sent;
    return arrival + timeout + kLateness;
  }

  // The bridge was killed, and the call's worker before it had come back to the next one: which
  // waits for it as long as the tool may take.
  bool MayStillRun(const BookedCall& call) const {
    for (const WorkerKill& kill : evidence_.worker_kills) {
      const std::vector<const Run*>& runs = RunsOf(call);
      const bool ran = std::any_of(runs.begin(), runs.end(),
                                   [&](const Run* run) { return run->pid == kill.pid; });
      const bool both = AnyWithin(evidence_.bridge_kills, kill.at - kReturn, kill.at + kReturn);
      if (ran && both) return true;
    }
    return false;
  }

  // The plugin itself has answered, not the bridge for it.
  static bool IsOwnAnswer(const BookedCall& call) {
    return call.answer && (call.answer->code.empty() || call.answer->code == kWantedError);
  }

  // The plugin's answer had left, and with the bridge its worker was killed too: that an answer was
  // given is on record nowhere, and the hub, which may not have it, must get one.
  bool NobodyKnowsTheAnswer(const BookedCall& call) const {
    const absl::Time later = call.contradiction->at;
    return IsOwnAnswer(call) && call.contradiction->code != "" &&
           std::any_of(evidence_.worker_kills.begin(), evidence_.worker_kills.end(),
                       [&](const WorkerKill& kill) {
                         const std::vector<const Run*>& runs = RunsOf(call);
                         return runs.size() == 1 && runs[0]->pid == kill.pid && kill.at <= later;
                       });
  }

  // The run's worker lived long enough after it to hand over the answer.
  bool LivedOn(const Run& run) const {
    for (const WorkerKill& kill : evidence_.worker_kills) {
      if (kill.pid != run.pid) continue;
      if (kill.at - *run.ended < kHandover) return false;
      if (AnyWithin(evidence_.bridge_kills, kill.at - kReturn, kill.at)) return false;
    }
    return true;
  }

  // The worker had handed its answer over and was killed, and then the bridge, before the hub had
  // it.
  bool BothWereKilled(const BookedCall& call, const Run& run) const {
    const absl::Time until = call.answer ? call.answer->at : absl::InfiniteFuture();
    return std::any_of(
        evidence_.worker_kills.begin(), evidence_.worker_kills.end(), [&](const WorkerKill& kill) {
          return kill.pid == run.pid && AnyWithin(evidence_.bridge_kills, kill.at, until);
        });
  }

  const std::vector<const Run*>& RunsOf(const BookedCall& call) const {
    static const std::vector<const Run*> kNone;
    const auto found = runs_.find(call.request_id);
    return found == runs_.end() ? kNone : found->second;
  }

  void SetPercentiles(std::vector<absl::Duration>& latencies) {
    if (latencies.empty()) return;
    std::sort(latencies.begin(), latencies.end());
    verdict_.median = latencies[latencies.size() / 2];
    verdict_.p99 = latencies[latencies.size() * 99 / 100];
  }

  void Blame(const std::string& kind, const BookedCall& call) {
    if (++blamed_[kind] <= kExamples) AddViolation(absl::StrCat(kind, ": ", Describe(call)));
  }
  void AddViolation(std::string text) { verdict_.violations.push_back(std::move(text)); }

  std::string Describe(const BookedCall& call) const {
    const auto since = [&](absl::Time time) {
      return absl::StrFormat("%+.3f s", absl::ToDoubleSeconds(time - call.sent));
    };
    std::string text = absl::StrFormat(
        "%s (%s, sent at %.3f s, %d repeats)", call.request_id, call.plan.event,
        absl::ToDoubleSeconds(call.sent - evidence_.calls.front().sent), call.repeats);
    for (const Run* run : RunsOf(call)) {
      absl::StrAppend(&text, "; run by ", run->pid, " from ", since(run->began));
      absl::StrAppend(&text, run->ended ? absl::StrCat(" to ", since(*run->ended)) : ", killed");
      if (run->cancelled) absl::StrAppend(&text, ", cancelled");
    }
    if (call.answer) {
      absl::StrAppend(&text, "; answered at ", since(call.answer->at), ": ", call.answer->event,
                      " ", call.answer->text);
    }
    if (call.contradiction) {
      absl::StrAppend(&text, "; and at ", since(call.contradiction->at), ": ",
                      call.contradiction->event, " ", call.contradiction->text);
    }
    return text;
  }

  const Evidence& evidence_;
  RunsByCall runs_;
  Verdict verdict_;
  std::map<std::string, std::size_t> blamed_;  // by kind
};

}  // namespace

Verdict Judge(const Evidence& evidence) { return Court(evidence).Take(); }

std::string Report(const Evidence& evidence, const Verdict& verdict) {
  const auto count = [](const auto& entry) { return absl::StrCat(entry.second, " ", entry.first); };
  const auto join = [&](const auto& counts) {
    return absl::StrJoin(counts, ", ", [&](std::string* out, const auto& entry) {
      absl::StrAppend(out, count(entry));
    });
  };
  std::size_t errors = 0;
  for (const auto& [code, number] : verdict.errors) errors += number;

  std::string text;
  absl::StrAppend(&text, "faults      ", join(evidence.faults), "\n");
  absl::StrAppend(&text, "calls       ", evidence.calls.size(), " made, ", evidence.postponed,
                  " postponed, ", verdict.repeats, " repeats\n");
  absl::StrAppend(&text, "answers     ", verdict.responses, " responses, ", errors, " errors (",
                  join(verdict.errors), ")\n");
  absl::StrAppend(&text, "            ", verdict.duplicates, " came twice, ",
                  verdict.contradictions, " of them different (",
                  verdict.contradictions_after_bridge_kill, " after a bridge kill, ",
                  verdict.contradictions_after_both_kills, " of these after their worker's too), ",
                  evidence.strays, " stray, ", verdict.late, " late; ", verdict.dropped,
                  " ended with the hub's channel\n");
  absl::StrAppend(&text, "unanswered  ", verdict.unanswered, "; lost on the way ",
                  verdict.lost_on_the_way, "; answers of live plugins lost ", verdict.lost_answers,
                  "\n");
  absl::StrAppend(&text, "runs        ", evidence.runs.size(), ", second runs ",
                  verdict.second_runs, " (", verdict.second_runs_after_bridge_kill,
                  " after a bridge kill)\n");
  absl::StrAppendFormat(&text, "latency     median %.1f ms, p99 %.1f ms\n",
                        absl::ToDoubleMilliseconds(verdict.median),
                        absl::ToDoubleMilliseconds(verdict.p99));
  for (const LevelChange& level : evidence.levels) {
    absl::StrAppendFormat(&text, "%-11s memory %.1f to %.1f MB, descriptors %d to %d\n",
                          level.process, static_cast<double>(level.before.memory_kb) / 1024,
                          static_cast<double>(level.after.memory_kb) / 1024,
                          level.before.descriptors, level.after.descriptors);
  }
  absl::StrAppend(&text, "violations  ", verdict.violations.size(), "\n");
  for (const std::string& violation : verdict.violations) {
    absl::StrAppend(&text, "  ", violation, "\n");
  }
  return text;
}

}  // namespace atomemo::chaos
