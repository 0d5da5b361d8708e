#ifndef ATOMEMO_BRIDGE_DEVHUB_CALL_BROKER_H_
#define ATOMEMO_BRIDGE_DEVHUB_CALL_BROKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"

namespace atomemo::devhub {

// How long the hub waits for the answer to `event`: the time that a plugin has for it, and a few
// seconds more, so that the plugin side's own "timed out" error is still seen.
absl::Duration DefaultCallTimeout(absl::string_view event);

// Whether the hub has a clause for `event`: the response or error of one of its calls, or
// `unsupported_event`.
bool IsAnswerEvent(absl::string_view event);

// What the hub does with an answer: a hub has bugs, too, and a client must live with them.
enum class Digestion {
  kTake,
  kCrash,  // the channel crashes on it, each time that it comes: phx_error
  kClose,  // its parser cannot read it: the socket closes with 1011
};

// How the answers to one call are digested.
struct CallDigestion {
  Digestion response = Digestion::kTake;
  Digestion error = Digestion::kTake;  // `unsupported_event` as well
};

// One answer to a call.
struct CallAnswer {
  std::string event;
  std::string payload;  // JSON text
  absl::Duration elapsed;
};

// One call that the hub made.
struct Call {
  enum class State { kPending, kAnswered, kTimedOut, kAborted };

  std::string request_id;
  std::string topic;
  std::string event;
  absl::Time started;  // scheduler time
  State state = State::kPending;
  // The first kMaxKeptAnswers answers, late ones and duplicates too.
  std::vector<CallAnswer> answers;
  std::size_t answer_count = 0;
  CallDigestion digestion;
  // Answers that came and were not taken.
  std::size_t undigested_count = 0;
};

absl::string_view CallStateName(Call::State state);

// Matches answers to calls by request_id and remembers finished calls within bounds. Every
// operation takes constant time, but for the timers'. Lives on the io thread.
class CallBroker {
 public:
  static constexpr std::size_t kMaxKeptAnswers = 8;

  struct Limits {
    std::size_t max_pending = 100000;
    std::size_t max_finished = 10000;
    std::size_t max_finished_bytes = 64u << 20;  // of the answers' payloads
  };
  struct Counters {
    std::uint64_t started = 0;
    std::uint64_t answered = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t duplicate_answers = 0;
    std::uint64_t stray_answers = 0;       // for no call that is remembered, or from another plugin
    std::uint64_t undigested_answers = 0;  // that crashed a channel or closed a socket
  };
  // Runs once, when the call is no longer pending; the call is valid during the run only.
  using OnFinished = std::function<void(const Call&)>;

  explicit CallBroker(base::Scheduler& scheduler) : CallBroker(scheduler, Limits{}) {}
  CallBroker(base::Scheduler& scheduler, Limits limits);
  ~CallBroker();
  CallBroker(const CallBroker&) = delete;
  CallBroker& operator=(const CallBroker&) = delete;

  // ALREADY_EXISTS when the request_id is remembered; RESOURCE_EXHAUSTED past max_pending.
  absl::Status Start(std::string request_id, std::string topic, std::string event,
                     absl::Duration timeout, OnFinished on_finished, CallDigestion digestion = {});

  // How an answer with this event and request_id is digested: kTake unless its call says otherwise.
  Digestion DigestionOf(absl::string_view event, const std::string& request_id) const;

  // An answer to the call came and was not taken. Its call waits on.
  void OnUndigested(const std::string& request_id);

  // Records an answer that arrived on `topic`.
  void OnAnswer(const std::string& topic, const std::string& event, const std::string& request_id,
                std::string payload);

  // Finishes every pending call as aborted.
  void AbortAll();

  // Null when unknown or forgotten.
  const Call* Find(const std::string& request_id) const;

  // Up to `count` finished calls, newest first.
  std::vector<const Call*> Recent(std::size_t count) const;

  std::size_t pending() const { return pending_.size(); }
  std::size_t finished() const { return finished_.size(); }
  const Counters& counters() const { return counters_; }
  // Whether any call so far had answers that are not taken.
  bool digests_badly() const { return digests_badly_; }

 private:
  struct Entry {
    Call call;
    OnFinished on_finished;
    base::Scheduler::TimerId timer = base::Scheduler::kNoTimer;
    std::size_t payload_bytes = 0;
  };
  using Entries = std::list<Entry>;

  bool Record(Entry& entry, const std::string& topic, const std::string& event,
              std::string payload);
  void Finish(Entries::iterator entry, Call::State state);
  void ForgetOldest();

  base::Scheduler& scheduler_;
  const Limits limits_;
  Entries pending_;
  Entries finished_;  // oldest first
  std::size_t finished_bytes_ = 0;
  std::unordered_map<std::string, Entries::iterator> by_id_;
  Counters counters_;
  bool digests_badly_ = false;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_CALL_BROKER_H_
