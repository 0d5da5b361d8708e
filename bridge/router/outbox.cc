#include "bridge/router/outbox.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace atomemo::router {
namespace {

// One barrier heartbeat proves all answers sent before it, so a burst of answers shares one.
constexpr absl::Duration kProofDelay = absl::Milliseconds(50);
// How far a channel of the hub may be behind its socket.
constexpr absl::Duration kSettleTime = absl::Seconds(1);
// How often settled answers are looked for.
constexpr absl::Duration kSettlePeriod = absl::Milliseconds(250);

}  // namespace

Outbox::Outbox(HubPort& hub, base::Scheduler& scheduler, Limits limits, Callbacks callbacks)
    : hub_(hub), scheduler_(scheduler), limits_(limits), callbacks_(std::move(callbacks)) {}

Outbox::~Outbox() {
  scheduler_.Cancel(proof_timer_);
  scheduler_.Cancel(settle_timer_);
}

const Outbox::Lane* Outbox::FindLane(absl::string_view topic) const {
  const auto lane = lanes_.find(topic);
  return lane == lanes_.end() ? nullptr : &lane->second;
}

bool Outbox::IsWaiting(absl::string_view topic, absl::string_view request_id) const {
  const Lane* lane = FindLane(topic);
  return lane != nullptr &&
         std::any_of(lane->waiting.begin(), lane->waiting.end(),
                     [&](const Entry& entry) { return entry.answer->request_id == request_id; });
}

std::size_t Outbox::answers_for(absl::string_view topic) const {
  const Lane* lane = FindLane(topic);
  return lane == nullptr ? 0 : lane->answers();
}

std::size_t Outbox::bytes_for(absl::string_view topic) const {
  const Lane* lane = FindLane(topic);
  return lane == nullptr ? 0 : lane->bytes;
}

bool Outbox::HasRoomFor(absl::string_view topic) const {
  return answers_for(topic) < limits_.max_topic_answers &&
         bytes_for(topic) < limits_.max_topic_bytes;
}

absl::Duration Outbox::unproven_for(absl::string_view topic) const {
  const Lane* lane = FindLane(topic);
  if (lane == nullptr || lane->sent.empty()) return absl::ZeroDuration();
  return scheduler_.Now() - lane->sent.front().sent_at;
}

void Outbox::Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer) {
  auto [it, inserted] = lanes_.try_emplace(topic);
  Lane& lane = it->second;
  ++answers_;
  bytes_ += answer->size();
  lane.bytes += answer->size();
  lane.waiting.push_back(Entry{std::move(answer), {}, {}});
  Flush(it->first, lane);
}

void Outbox::SetUp(absl::string_view topic, bool up) {
  auto [it, inserted] = lanes_.try_emplace(topic);
  Lane& lane = it->second;
  lane.up = up;
  if (up) {
    Flush(it->first, lane);
    return;
  }
  EndSettling(it->first, lane, scheduler_.Now() - kSettleTime);
  SendAgain(lane);
  unproven_.erase(it->first);
  settling_.erase(it->first);
  if (lane.waiting.empty()) lanes_.erase(it);
}

void Outbox::SendAgain(Lane& lane) {
  std::deque<Entry> again;  // in the order in which they were sent
  for (Proven& proven : lane.settling) {
    ++answers_;
    bytes_ += proven.answer->size();
    lane.bytes += proven.answer->size();
    again.push_back(Entry{std::move(proven.answer), {}, {}, true, true});
  }
  lane.settling.clear();
  lane.settling_bytes = 0;
  again.insert(again.end(), std::make_move_iterator(lane.sent.begin()),
               std::make_move_iterator(lane.sent.end()));
  lane.sent.clear();
  lane.waiting.insert(lane.waiting.begin(), std::make_move_iterator(again.begin()),
                      std::make_move_iterator(again.end()));
}

void Outbox::Remove(absl::string_view topic) {
  const auto it = lanes_.find(topic);
  if (it == lanes_.end()) return;
  EndSettling(it->first, it->second, absl::InfiniteFuture());
  answers_ -= it->second.answers();
  bytes_ -= it->second.bytes;
  unproven_.erase(it->first);
  settling_.erase(it->first);
  lanes_.erase(it);
}

void Outbox::OnWritable() {
  for (auto& [topic, lane] : lanes_) Flush(topic, lane);
}

void Outbox::OnProven(HubPosition upto) {
  std::vector<std::pair<std::string, Entry>> proven;
  for (auto topic = unproven_.begin(); topic != unproven_.end();) {
    Lane& lane = lanes_.find(*topic)->second;
    std::deque<Entry>& sent = lane.sent;
    while (!sent.empty() && sent.front().position.socket == upto.socket &&
           sent.front().position.sequence <= upto.sequence) {
      --answers_;
      bytes_ -= sent.front().answer->size();
      lane.bytes -= sent.front().answer->size();
      Settle(*topic, lane, sent.front().answer);
      proven.emplace_back(*topic, std::move(sent.front()));
      sent.pop_front();
    }
    if (sent.empty()) {
      unproven_.erase(topic++);
    } else {
      ++topic;
    }
  }
  // Last, because the callback may add answers.
  for (const auto& [topic, entry] : proven) {
    if (!entry.proven_before) callbacks_.on_proven(topic, *entry.answer);
  }
  const std::string* settled = nullptr;  // one topic's answers stand together
  for (const auto& [topic, entry] : proven) {
    if (settled != nullptr && *settled == topic) continue;
    settled = &topic;
    const auto lane = lanes_.find(topic);
    if (lane == lanes_.end()) continue;
    EndSettling(topic, lane->second, scheduler_.Now() - kSettleTime);
  }
  callbacks_.on_settled_end();
}

void Outbox::Settle(const std::string& topic, Lane& lane, std::shared_ptr<const HubAnswer> answer) {
  lane.settling_bytes += answer->size();
  lane.settling.push_back({std::move(answer), scheduler_.Now()});
  settling_.insert(topic);
  if (settle_timer_ != base::Scheduler::kNoTimer) return;
  settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
}

void Outbox::SettleDue() {
  settle_timer_ = base::Scheduler::kNoTimer;
  const std::vector<std::string> topics(settling_.begin(), settling_.end());
  for (const std::string& topic : topics) {
    Lane& lane = lanes_.find(topic)->second;
    EndSettling(topic, lane, scheduler_.Now() - kSettleTime);
    if (lane.settling.empty()) settling_.erase(topic);
  }
  if (!settling_.empty()) {
    settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
  }
  callbacks_.on_settled_end();
}

void Outbox::SettleAll() {
  for (const std::string& topic : settling_) {
    EndSettling(topic, lanes_.find(topic)->second, absl::InfiniteFuture());
  }
  settling_.clear();
  callbacks_.on_settled_end();
}

void Outbox::EndSettling(const std::string& topic, Lane& lane, absl::Time proven_until) {
  while (!lane.settling.empty() && (lane.settling.front().at <= proven_until ||
                                    lane.settling.size() > limits_.max_settling_answers ||
                                    lane.settling_bytes > limits_.max_settling_bytes)) {
    const std::shared_ptr<const HubAnswer> answer = std::move(lane.settling.front().answer);
    lane.settling_bytes -= answer->size();
    lane.settling.pop_front();
    callbacks_.on_settled(topic, *answer);
  }
}

void Outbox::Flush(const std::string& topic, Lane& lane) {
  while (lane.up && !lane.waiting.empty()) {
    Entry& entry = lane.waiting.front();
    const std::optional<HubPosition> position = hub_.Push(topic, *entry.answer);
    if (!position) return;
    if (entry.sent_before) ++resent_;
    entry.sent_before = true;
    entry.position = *position;
    entry.sent_at = scheduler_.Now();
    lane.sent.push_back(std::move(entry));
    lane.waiting.pop_front();
    unproven_.insert(topic);
    ScheduleProofRequest();
  }
}

void Outbox::ScheduleProofRequest() {
  if (proof_timer_ != base::Scheduler::kNoTimer) return;
  proof_timer_ = scheduler_.After(kProofDelay, [this] { RequestProofs(); });
}

void Outbox::RequestProofs() {
  proof_timer_ = base::Scheduler::kNoTimer;
  if (unproven_.empty()) return;
  const std::vector<std::string> topics(unproven_.begin(), unproven_.end());
  for (const std::string& topic : topics) hub_.RequestProof(topic);
  ScheduleProofRequest();
}

}  // namespace atomemo::router
