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
                                     std::shared_ptr<LiveCallControl> control) {
  absl::MutexLock lock(&mutex_);
  if (const auto kept = kept_by_id_.find(request_id); kept != kept_by_id_.end()) {
    return {Admission::kAnswered, kept->second->reply};
  }
  if (running_.count(request_id) > 0) return {Admission::kRunning, {}};
  running_.emplace(request_id, Running{std::move(control)});
  return {Admission::kNew, {}};
}

void CallTable::Cancel(const std::string& request_id) {
  absl::MutexLock lock(&mutex_);
  const auto it = running_.find(request_id);
  if (it == running_.end()) return;
  it->second.abandoned = true;
  it->second.control->Cancel();
}

void CallTable::CancelAll() {
  absl::MutexLock lock(&mutex_);
  for (auto& [request_id, call] : running_) call.control->Cancel();
}

int CallTable::Keep(const std::string& request_id, Reply reply) {
  absl::MutexLock lock(&mutex_);
  const auto call = running_.find(request_id);
  if (call == running_.end() || call->second.abandoned) return 0;
  const absl::Time deadline = call->second.control->deadline();
  const auto bytes = static_cast<std::int64_t>(reply.message->ByteSizeLong());
  kept_.push_back({request_id, std::move(reply), bytes, deadline});
  kept_by_id_[request_id] = std::prev(kept_.end());
  kept_bytes_ += bytes;
  DropLate();
  int given_up = 0;
  while (static_cast<int>(kept_.size()) > max_kept_ ||
         (kept_bytes_ > max_kept_bytes_ && kept_.size() > 1)) {
    Drop(kept_.begin());
    ++given_up;
  }
  return given_up;
}

void CallTable::End(const std::string& request_id) {
  absl::MutexLock lock(&mutex_);
  running_.erase(request_id);
}

void CallTable::Forget(const std::string& request_id) {
  absl::MutexLock lock(&mutex_);
  const auto kept = kept_by_id_.find(request_id);
  if (kept != kept_by_id_.end()) Drop(kept->second);
}

std::vector<Reply> CallTable::Kept() {
  absl::MutexLock lock(&mutex_);
  DropLate();
  std::vector<Reply> replies;
  replies.reserve(kept_.size());
  for (const KeptAnswer& kept : kept_) replies.push_back(kept.reply);
  return replies;
}

std::vector<std::string> CallTable::Open() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> request_ids;
  request_ids.reserve(running_.size() + kept_.size());
  for (const auto& [request_id, call] : running_) request_ids.push_back(request_id);
  for (const KeptAnswer& kept : kept_) {
    if (running_.count(kept.request_id) == 0) request_ids.push_back(kept.request_id);
  }
  return request_ids;
}

bool CallTable::WaitIdle(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(this, &CallTable::Idle), deadline);
}

std::size_t CallTable::running() const {
  absl::MutexLock lock(&mutex_);
  return running_.size();
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
