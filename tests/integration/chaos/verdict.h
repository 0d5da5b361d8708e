#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_VERDICT_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_VERDICT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/integration/chaos/call_book.h"
#include "tests/integration/chaos/process_level.h"
#include "tests/integration/chaos/run_record.h"

namespace atomemo::chaos {

struct WorkerKill {
  pid_t pid = 0;
  absl::Time at;
};

// A process's level when it was new and when all was over.
struct LevelChange {
  std::string process;
  ProcessLevel before;
  ProcessLevel after;
  std::int64_t allowed_growth_kb = 0;
};

// All that is known of a run of the bench when it is over.
struct Evidence {
  // Whether the hub repeated unanswered calls whenever the plugin registered.
  bool repeat_pending = true;
  std::vector<BookedCall> calls;
  std::size_t postponed = 0;
  std::size_t strays = 0;
  std::vector<Run> runs;
  // When hub and bridge could talk again after they could not.
  std::vector<absl::Time> line_restored;
  std::vector<WorkerKill> worker_kills;
  std::vector<absl::Time> bridge_kills;
  // Those really carried out, by name.
  std::map<std::string, int> faults;
  std::vector<LevelChange> levels;
  // What must not happen at all, such as a process that ended by itself.
  std::vector<std::string> incidents;
};

// What the evidence says. The invariants:
//
//   every call has exactly one accepted answer, and whatever came later says the same, unless the
//   bridge and the worker that had answered were both killed in between
//   a call is run once at most
//   no answer comes later than a second after its deadline, or after its tool's timeout if bridge
//   and worker were both killed
//   a run that ended in time is what the hub has as the answer, unless its worker was killed before
//   it could hand the answer over, or worker and bridge were both killed before the hub had it
//   memory is back at its level, and no descriptor is left open
struct Verdict {
  std::size_t responses = 0;
  std::map<std::string, std::size_t> errors;  // by code
  std::size_t repeats = 0;
  std::size_t duplicates = 0;
  // Answers that a channel took with it when it ended.
  std::size_t dropped = 0;
  // Contradictions and second runs: of these, those with a bridge killed in between.
  std::size_t contradictions = 0;
  std::size_t contradictions_after_bridge_kill = 0;
  std::size_t contradictions_after_both_kills = 0;
  std::size_t second_runs = 0;
  std::size_t second_runs_after_bridge_kill = 0;
  std::size_t late = 0;
  // Without any answer. Lost on the way: never run, and its connection was lost after it was sent;
  // no violation if the hub does not repeat calls.
  std::size_t unanswered = 0;
  std::size_t lost_on_the_way = 0;
  // Runs whose answer the hub does not have, although their workers lived on.
  std::size_t lost_answers = 0;
  absl::Duration median;
  absl::Duration p99;

  // In words, a few examples of each kind; empty if all invariants hold.
  std::vector<std::string> violations;

  bool ok() const { return violations.empty(); }
};

Verdict Judge(const Evidence& evidence);

// For people, several lines.
std::string Report(const Evidence& evidence, const Verdict& verdict);

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_VERDICT_H_
