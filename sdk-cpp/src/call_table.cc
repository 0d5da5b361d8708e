#include "sdk-cpp/src/call_table.h"

#include <utility>

#include "absl/time/clock.h"

namespace atomemo::internal {
namespace {

// How long after its deadline an answer is still offered: clocks and queues are not exact.
constexpr absl::Duration kGrace = absl::Minutes(1);

}  // namespace

CallTable::Admitted CallTable::Admit(const std::string& request_id,
                                     std::shared_ptr<LiveCallControl> control,
                                     std::function<void()> start) {
  Starts starts;
  Admission admission = Admission::kWaiting;
  {
    absl::MutexLock lock(&mutex_);
    const auto [place, is_new] = calls_.try_emplace(request_id);
    Call& call = place->second;
    if (!is_new) {
      return {call.state == State::kKept ? Admission::kAnswered : Admission::kKnown, call.answer};
    }
    call.control = std::move(control);
    call.start = std::move(start);
    Enter(State::kWaiting, *place);
    DropLate();
    StartWhatFits(starts);
    if (call.state == State::kRunning) admission = Admission::kStarted;
  }
  Run(starts);
  return {admission, nullptr};
}

void CallTable::Cancel(const std::string& request_id) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto call = calls_.find(request_id);
    if (call == calls_.end()) return;
    call->second.control->Cancel();
    if (call->second.state == State::kKept) {
      Drop(call);
    } else if (call->second.state == State::kWaiting) {
      starts.push_back(Start(State::kAbandoned, *call));
    } else if (call->second.state == State::kRunning) {
      Leave(call->second);
      Enter(State::kAbandoned, *call);
    }
    StartWhatFits(starts);
  }
  Run(starts);
}

void CallTable::CancelAll() {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& call : calls_) {
      if (call.second.state == State::kWaiting) starts.push_back(Start(State::kRunning, call));
      call.second.control->Cancel();
    }
  }
  Run(starts);
}

void CallTable::End(const std::string& request_id, PluginMessagePtr answer) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto call = calls_.find(request_id);
    if (call == calls_.end()) return;
    if (call->second.state == State::kRunning) {
      Leave(call->second);
      call->second.answer_bytes = static_cast<std::int64_t>(answer->ByteSizeLong());
      call->second.answer = std::move(answer);
      Enter(State::kKept, *call);
    } else {
      Drop(call);
    }
    DropLate();
    StartWhatFits(starts);
  }
  Run(starts);
}

void CallTable::Forget(const std::string& request_id) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto call = calls_.find(request_id);
    if (call == calls_.end() || call->second.state != State::kKept) return;
    Drop(call);
    StartWhatFits(starts);
  }
  Run(starts);
}

std::vector<PluginMessagePtr> CallTable::Kept() {
  absl::MutexLock lock(&mutex_);
  DropLate();
  std::vector<PluginMessagePtr> answers;
  answers.reserve(kept_.size());
  for (const std::string* request_id : kept_) answers.push_back(calls_.at(*request_id).answer);
  return answers;
}

std::size_t CallTable::kept() const {
  absl::MutexLock lock(&mutex_);
  return kept_.size();
}

std::vector<std::string> CallTable::Open() {
  absl::MutexLock lock(&mutex_);
  DropLate();
  std::vector<std::string> request_ids;
  request_ids.reserve(calls_.size());
  for (const auto& [request_id, call] : calls_) {
    if (call.state != State::kAbandoned) request_ids.push_back(request_id);
  }
  return request_ids;
}

bool CallTable::empty() const {
  absl::MutexLock lock(&mutex_);
  return calls_.empty();
}

std::size_t CallTable::running() const {
  absl::MutexLock lock(&mutex_);
  return calls_.size() - kept_.size();
}

void CallTable::Enter(State state, Calls::value_type& call) {
  call.second.state = state;
  if (state == State::kRunning) ++running_;
  if (state == State::kKept) kept_bytes_ += call.second.answer_bytes;
  if (state == State::kWaiting || state == State::kKept) {
    std::list<const std::string*>& list = state == State::kKept ? kept_ : waiting_;
    call.second.place = list.insert(list.end(), &call.first);
  }
}

void CallTable::Leave(const Call& call) {
  if (call.state == State::kRunning) --running_;
  if (call.state == State::kKept) kept_bytes_ -= call.answer_bytes;
  if (call.state == State::kWaiting) waiting_.erase(call.place);
  if (call.state == State::kKept) kept_.erase(call.place);
}

std::function<void()> CallTable::Start(State state, Calls::value_type& call) {
  Leave(call.second);
  Enter(state, call);
  return std::exchange(call.second.start, nullptr);
}

void CallTable::StartWhatFits(Starts& starts) {
  while (!waiting_.empty() && HasRoom()) {
    starts.push_back(Start(State::kRunning, *calls_.find(*waiting_.front())));
  }
}

void CallTable::Drop(Calls::iterator call) {
  Leave(call->second);
  calls_.erase(call);
}

// Looks at the oldest only: deadlines follow the order of calls closely enough for housekeeping.
void CallTable::DropLate() {
  const absl::Time limit = absl::Now() - kGrace;
  while (!kept_.empty()) {
    const auto oldest = calls_.find(*kept_.front());
    if (oldest->second.control->deadline() >= limit) return;
    Drop(oldest);
  }
}

void CallTable::Run(const Starts& starts) {
  for (const std::function<void()>& start : starts) start();
}

}  // namespace atomemo::internal
