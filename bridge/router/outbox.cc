#include "bridge/router/outbox.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "bridge/base/invariant.h"

namespace atomemo::router {
namespace {

// One barrier heartbeat proves all answers sent before it, so a burst of answers shares one.
constexpr absl::Duration kProofDelay = absl::Milliseconds(50);
// How far a channel of the hub may be behind its socket.
constexpr absl::Duration kSettleTime = absl::Seconds(1);
// How often settled answers are looked for.
constexpr absl::Duration kSettlePeriod = absl::Milliseconds(250);
// While an answer that the hub cannot take is searched: how long a connection must have been up
// before an answer goes out alone.
constexpr absl::Duration kQuietTime = absl::Milliseconds(200);
// What is sent or proven at once, a few milliseconds' worth: then it is the others' turn.
constexpr std::size_t kAnswersATurn = 500;
constexpr std::size_t kBytesATurn = std::size_t{1} << 20;

}  // namespace

Outbox::Outbox(HubPort& hub, base::Scheduler& scheduler, Limits limits, Callbacks callbacks)
    : hub_(hub), scheduler_(scheduler), limits_(limits), callbacks_(std::move(callbacks)) {}

Outbox::~Outbox() {
  for (const auto& [topic, lane] : lanes_) scheduler_.Cancel(lane.step_timer);
  scheduler_.Cancel(proof_timer_);
  scheduler_.Cancel(settle_timer_);
  scheduler_.Cancel(flush_timer_);
  scheduler_.Cancel(prove_timer_);
}

const AnswerLane* Outbox::FindLane(absl::string_view topic) const {
  const auto lane = lanes_.find(topic);
  return lane == lanes_.end() ? nullptr : &lane->second;
}

std::size_t Outbox::answers_for(absl::string_view topic) const {
  const AnswerLane* lane = FindLane(topic);
  return lane == nullptr ? 0 : lane->answers();
}

std::size_t Outbox::bytes_for(absl::string_view topic) const {
  const AnswerLane* lane = FindLane(topic);
  return lane == nullptr ? 0 : lane->bytes();
}

std::size_t Outbox::suspects_for(absl::string_view topic) const {
  const AnswerLane* lane = FindLane(topic);
  return lane == nullptr ? 0 : lane->suspects();
}

bool Outbox::HasRoomFor(absl::string_view topic) const {
  return answers_for(topic) < limits_.max_topic_answers &&
         bytes_for(topic) < limits_.max_topic_bytes;
}

absl::Duration Outbox::unproven_for(absl::string_view topic) const {
  const AnswerLane* lane = FindLane(topic);
  if (lane == nullptr || lane->sent().empty()) return absl::ZeroDuration();
  return scheduler_.Now() - lane->sent().front().sent_at;
}

Outbox::Copies Outbox::CopiesOf(const HubAnswer& answer) const {
  const auto copies = copies_.find(&answer);
  return copies == copies_.end() ? Copies{} : copies->second;
}

void Outbox::Count(const AnswerLane::Entry& entry, int waiting, int sent) {
  const auto copies = copies_.try_emplace(entry.answer.get()).first;
  copies->second.waiting += static_cast<std::uint32_t>(waiting);
  copies->second.sent += static_cast<std::uint32_t>(sent);
  // Below zero they would be huge.
  (void)ATOMEMO_INVARIANT(copies->second.waiting <= answers_ && copies->second.sent <= answers_);
  if (copies->second.waiting + copies->second.sent == 0) copies_.erase(copies);
}

void Outbox::Drop(const HubAnswer& answer) {
  if (!ATOMEMO_INVARIANT(answers_ > 0 && bytes_ >= answer.size())) return;
  --answers_;
  bytes_ -= answer.size();
}

void Outbox::Add(absl::string_view topic, std::shared_ptr<const HubAnswer> answer) {
  auto [it, inserted] = lanes_.try_emplace(topic);
  AnswerLane& lane = it->second;
  ++answers_;
  bytes_ += answer->size();
  AnswerLane::Entry entry;
  entry.answer = std::move(answer);
  Count(entry, +1, 0);
  lane.Add(std::move(entry));
  Flush(it->first, lane);
}

void Outbox::OnLost(absl::string_view topic, const HubLoss& loss) {
  const auto it = lanes_.find(topic);
  if (it != lanes_.end()) it->second.loss = loss;
}

void Outbox::SetUp(absl::string_view topic, bool up) {
  auto [it, inserted] = lanes_.try_emplace(topic);
  AnswerLane& lane = it->second;
  if (up) {
    if (!std::exchange(lane.up, true)) lane.up_since = scheduler_.Now();
    Flush(it->first, lane);
    return;
  }
  if (std::exchange(lane.up, false)) GoDown(it->first, lane);
  // One that is being left still has what it has sent.
  if (lane.waiting().empty() && lane.sent().empty()) lanes_.erase(it);
  (void)ATOMEMO_INVARIANT(answers_ > 0 || (bytes_ == 0 && copies_.empty()));
}

void Outbox::GoDown(const std::string& topic, AnswerLane& lane) {
  scheduler_.Cancel(std::exchange(lane.step_timer, base::Scheduler::kNoTimer));
  EndSettling(topic, lane, scheduler_.Now() - kSettleTime);
  const HubLoss loss = std::exchange(lane.loss, std::nullopt).value_or(HubLoss());
  for (const AnswerLane::Entry& entry : lane.settling()) {
    ++answers_;
    bytes_ += entry.answer->size();
    Count(entry, +1, 0);
  }
  for (const AnswerLane::Entry& entry : lane.sent()) {
    Count(entry, +1, -1);
  }
  const bool hasten = lane.Lose(loss);
  unproven_.erase(topic);
  settling_.erase(topic);
  if (lane.has_culprit()) Replace(topic, lane, loss);
  if (!hasten) return;
  if (loss.shared) hub_.Quarantine(topic);
  hub_.Hasten(topic);
}

void Outbox::Replace(const std::string& topic, AnswerLane& lane, const HubLoss& loss) {
  const AnswerLane::Entry culprit = lane.culprit();
  Count(culprit, -1, 0);
  Drop(*culprit.answer);
  if (culprit.is_replacement) {
    lane.GiveUpCulprit();
    callbacks_.on_given_up(topic, *culprit.answer, loss);
    return;
  }
  hub_.LearnFrom(*culprit.answer, loss);
  std::shared_ptr<const HubAnswer> replacement =
      callbacks_.on_refused(topic, *culprit.answer, loss);
  ++answers_;
  bytes_ += replacement->size();
  lane.ReplaceCulprit(std::move(replacement));
  Count(lane.culprit(), +1, 0);
}

void Outbox::Remove(absl::string_view topic) {
  const auto it = lanes_.find(topic);
  if (it == lanes_.end()) return;
  AnswerLane& lane = it->second;
  EndSettling(it->first, lane, absl::InfiniteFuture());
  for (const AnswerLane::Entry& entry : lane.waiting()) {
    Count(entry, -1, 0);
    Drop(*entry.answer);
  }
  for (const AnswerLane::Entry& entry : lane.sent()) {
    Count(entry, 0, -1);
    Drop(*entry.answer);
  }
  scheduler_.Cancel(lane.step_timer);
  unproven_.erase(it->first);
  settling_.erase(it->first);
  lanes_.erase(it);
}

void Outbox::OnWritable() {
  Turn turn;
  for (auto& [topic, lane] : lanes_) Flush(topic, lane, turn);
}

void Outbox::OnProven(HubPosition upto) {
  const auto known =
      std::find_if(proven_upto_.begin(), proven_upto_.end(),
                   [upto](const HubPosition& other) { return other.socket == upto.socket; });
  if (known == proven_upto_.end()) {
    proven_upto_.push_back(upto);
  } else {
    known->sequence = std::max(known->sequence, upto.sequence);
  }
  if (prove_timer_ == base::Scheduler::kNoTimer) ProveSome();
}

void Outbox::ProveSome() {
  const HubPosition upto = proven_upto_.front();
  std::vector<std::pair<std::string, AnswerLane::Entry>> proven;
  for (auto topic = unproven_.begin(); topic != unproven_.end();) {
    AnswerLane& lane = lanes_.find(*topic)->second;
    while (proven.size() < kAnswersATurn && !lane.sent().empty() &&
           lane.sent().front().position.socket == upto.socket &&
           lane.sent().front().position.sequence <= upto.sequence) {
      proven.emplace_back(*topic, Prove(*topic, lane));
    }
    if (lane.sent().empty()) {
      if (lane.group_proven()) StepLater(*topic, lane, lane.watch_time());
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
  if (proven.size() < kAnswersATurn) proven_upto_.pop_front();
  if (!proven_upto_.empty()) {
    prove_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
      prove_timer_ = base::Scheduler::kNoTimer;
      ProveSome();
    });
  }
  callbacks_.on_settled_end();
  callbacks_.on_proven_end();
}

AnswerLane::Entry Outbox::Prove(const std::string& topic, AnswerLane& lane) {
  AnswerLane::Entry entry = lane.TakeProven();
  Count(entry, 0, -1);
  Drop(*entry.answer);
  AnswerLane::Entry before = entry;
  entry.proven_before = true;
  Settle(topic, lane, std::move(entry));
  return before;
}

void Outbox::Settle(const std::string& topic, AnswerLane& lane, AnswerLane::Entry entry) {
  entry.proven_at = scheduler_.Now();
  lane.Settle(std::move(entry));
  settling_.insert(topic);
  if (settle_timer_ != base::Scheduler::kNoTimer) return;
  settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
}

void Outbox::SettleDue() {
  settle_timer_ = base::Scheduler::kNoTimer;
  const std::vector<std::string> topics(settling_.begin(), settling_.end());
  for (const std::string& topic : topics) {
    AnswerLane& lane = lanes_.find(topic)->second;
    EndSettling(topic, lane, scheduler_.Now() - kSettleTime);
    if (lane.settling().empty()) settling_.erase(topic);
  }
  if (!settling_.empty()) {
    settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
  }
  callbacks_.on_settled_end();
}

bool Outbox::IsAllSent(absl::string_view topic) const {
  const AnswerLane* lane = FindLane(topic);
  return lane == nullptr || (lane->waiting().empty() && !lane->searching());
}

void Outbox::Leave(absl::string_view topic) {
  const auto lane = lanes_.find(topic);
  if (lane != lanes_.end()) lane->second.up = false;
}

void Outbox::OnLeft(absl::string_view topic, bool handled) {
  const auto it = lanes_.find(topic);
  if (it == lanes_.end()) return;
  AnswerLane& lane = it->second;
  if (!handled) {
    GoDown(it->first, lane);
  } else {
    while (!lane.sent().empty()) {
      const AnswerLane::Entry entry = Prove(it->first, lane);
      if (!entry.proven_before) callbacks_.on_proven(topic, *entry.answer);
    }
    scheduler_.Cancel(std::exchange(lane.step_timer, base::Scheduler::kNoTimer));
    unproven_.erase(it->first);
    EndSettling(it->first, lane, absl::InfiniteFuture());
    settling_.erase(it->first);
    callbacks_.on_settled_end();
  }
  if (lane.waiting().empty()) lanes_.erase(it);
}

void Outbox::EndSettling(const std::string& topic, AnswerLane& lane, absl::Time proven_until) {
  while (
      lane.CanPopSettled(proven_until, limits_.max_settling_answers, limits_.max_settling_bytes)) {
    const AnswerLane::Entry entry = lane.PopSettled();
    callbacks_.on_settled(topic, *entry.answer);
  }
}

bool Outbox::Turn::IsOver() const { return answers >= kAnswersATurn || bytes >= kBytesATurn; }

void Outbox::FlushLater(const std::string& topic, AnswerLane& lane) {
  if (!std::exchange(lane.flush_later, true)) flush_later_.push_back(topic);
  if (flush_timer_ != base::Scheduler::kNoTimer) return;
  flush_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { FlushNext(); });
}

void Outbox::FlushNext() {
  const std::string topic = std::move(flush_later_.front());
  flush_later_.pop_front();
  flush_timer_ = flush_later_.empty()
                     ? base::Scheduler::kNoTimer
                     : scheduler_.After(absl::ZeroDuration(), [this] { FlushNext(); });
  const auto lane = lanes_.find(topic);
  if (lane == lanes_.end()) return;
  lane->second.flush_later = false;
  Flush(lane->first, lane->second);
}

void Outbox::Flush(const std::string& topic, AnswerLane& lane) {
  Turn turn;
  Flush(topic, lane, turn);
}

void Outbox::Flush(const std::string& topic, AnswerLane& lane, Turn& turn) {
  if (!lane.up || lane.waiting().empty()) return;
  if (!lane.searching()) {
    while (!lane.waiting().empty()) {
      if (turn.IsOver()) return FlushLater(topic, lane);
      const std::size_t bytes = lane.waiting().front().answer->size();
      if (!SendNext(topic, lane)) return;
      ++turn.answers;
      turn.bytes += bytes;
    }
    return;
  }
  if (lane.step_timer != base::Scheduler::kNoTimer) return;
  if (lane.next_is_alone()) {
    const absl::Duration wait = lane.up_since + kQuietTime - scheduler_.Now();
    if (wait > absl::ZeroDuration()) return StepLater(topic, lane, wait);
  }
  const std::size_t most = lane.sendable();
  if (most > 0 && turn.IsOver()) return FlushLater(topic, lane);
  std::size_t size = 0;
  while (size < most && !turn.IsOver()) {
    const std::size_t bytes = lane.waiting().front().answer->size();
    if (!SendNext(topic, lane)) break;
    ++size;
    ++turn.answers;
    turn.bytes += bytes;
  }
  lane.CloseGroup(size);
  if (size > 0) hub_.RequestProof(topic);
}

bool Outbox::SendNext(const std::string& topic, AnswerLane& lane) {
  const std::optional<HubPosition> position = hub_.Push(topic, *lane.waiting().front().answer);
  if (!position) return false;
  if (lane.waiting().front().sent_before) ++resent_;
  Count(lane.Send(*position, scheduler_.Now()), -1, +1);
  unproven_.insert(topic);
  ScheduleProofRequest();
  return true;
}

void Outbox::StepLater(const std::string& topic, AnswerLane& lane, absl::Duration delay) {
  if (lane.step_timer != base::Scheduler::kNoTimer) return;
  lane.step_timer = scheduler_.After(delay, [this, topic] { Step(topic); });
}

void Outbox::Step(const std::string& topic) {
  const auto found = lanes_.find(topic);
  if (!ATOMEMO_INVARIANT(found != lanes_.end())) return;
  AnswerLane& lane = found->second;
  lane.step_timer = base::Scheduler::kNoTimer;
  if (lane.group_proven()) lane.Pass();
  if (!lane.searching()) hub_.Unquarantine(topic);
  Flush(topic, lane);
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
