#include "sdk-cpp/src/call_table.h"

#include <iterator>
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
    if (const auto kept = kept_by_id_.find(request_id); kept != kept_by_id_.end()) {
      return {Admission::kAnswered, kept->second->reply};
    }
    if (active_.count(request_id) > 0) return {Admission::kKnown, {}};
    ActiveCall& call = active_[request_id];
    call.control = std::move(control);
    call.start = std::move(start);
    call.place = waiting_.insert(waiting_.end(), request_id);
    DropLate();
    starts = TakeStarts();
    if (call.start == nullptr) admission = Admission::kStarted;
  }
  Run(starts);
  return {admission, {}};
}

void CallTable::Cancel(const std::string& request_id) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto call = active_.find(request_id);
    if (call == active_.end()) return;
    call->second.abandoned = true;
    call->second.control->Cancel();
    SetCounts(call->second, false);
    if (call->second.start != nullptr) starts.push_back(TakeStart(call->second));
    for (auto& start : TakeStarts()) starts.push_back(std::move(start));
  }
  Run(starts);
}

void CallTable::CancelAll() {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [request_id, call] : active_) {
      call.control->Cancel();
      if (call.start != nullptr) starts.push_back(TakeStart(call));
    }
  }
  Run(starts);
}

void CallTable::Keep(const std::string& request_id, Reply reply) {
  absl::MutexLock lock(&mutex_);
  const auto call = active_.find(request_id);
  if (call == active_.end() || call->second.abandoned) return;
  SetCounts(call->second, false);
  const auto bytes = static_cast<std::int64_t>(reply.message->ByteSizeLong());
  kept_.push_back({request_id, std::move(reply), bytes, call->second.control->deadline()});
  kept_by_id_[request_id] = std::prev(kept_.end());
  kept_bytes_ += bytes;
}

void CallTable::End(const std::string& request_id) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto call = active_.find(request_id);
    if (call == active_.end()) return;
    SetCounts(call->second, false);
    active_.erase(call);
    DropLate();
    starts = TakeStarts();
  }
  Run(starts);
}

void CallTable::Forget(const std::string& request_id) {
  Starts starts;
  {
    absl::MutexLock lock(&mutex_);
    const auto kept = kept_by_id_.find(request_id);
    if (kept == kept_by_id_.end()) return;
    Drop(kept->second);
    starts = TakeStarts();
  }
  Run(starts);
}

std::vector<Reply> CallTable::Kept() {
  absl::MutexLock lock(&mutex_);
  DropLate();
  std::vector<Reply> replies;
  replies.reserve(kept_.size());
  for (const KeptAnswer& kept : kept_) replies.push_back(kept.reply);
  return replies;
}

std::size_t CallTable::kept() const {
  absl::MutexLock lock(&mutex_);
  return kept_.size();
}

std::vector<std::string> CallTable::Open() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> request_ids;
  request_ids.reserve(active_.size() + kept_.size());
  for (const auto& [request_id, call] : active_) request_ids.push_back(request_id);
  for (const KeptAnswer& kept : kept_) {
    if (active_.count(kept.request_id) == 0) request_ids.push_back(kept.request_id);
  }
  return request_ids;
}

bool CallTable::WaitIdle(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(this, &CallTable::Idle), deadline);
}

std::size_t CallTable::running() const {
  absl::MutexLock lock(&mutex_);
  return active_.size();
}

CallTable::Starts CallTable::TakeStarts() {
  Starts starts;
  while (!waiting_.empty() && HasRoom()) {
    starts.push_back(TakeStart(active_.at(waiting_.front())));
  }
  return starts;
}

std::function<void()> CallTable::TakeStart(ActiveCall& call) {
  waiting_.erase(call.place);
  SetCounts(call, !call.abandoned);
  return std::exchange(call.start, nullptr);
}

void CallTable::SetCounts(ActiveCall& call, bool counts) {
  if (std::exchange(call.counts, counts) == counts) return;
  expected_ += counts ? 1 : -1;
}

void CallTable::Run(const Starts& starts) {
  for (const std::function<void()>& start : starts) start();
}

void CallTable::Drop(KeptList::iterator kept) {
  kept_bytes_ -= kept->bytes;
  kept_by_id_.erase(kept->request_id);
  kept_.erase(kept);
}

// Looks at the oldest only: deadlines follow the order of calls closely enough for housekeeping.
void CallTable::DropLate() {
  const absl::Time limit = absl::Now() - kGrace;
  while (!kept_.empty() && kept_.front().deadline < limit) Drop(kept_.begin());
}

}  // namespace atomemo::internal
