#include "bridge/router/outbox.h"

#include <algorithm>
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
// While an answer that the hub cannot take is searched: how long a connection must have been up
// before an answer goes out alone.
constexpr absl::Duration kQuietTime = absl::Milliseconds(200);
// What is sent or proven at once, a few milliseconds' worth: then it is the others' turn.
constexpr std::size_t kAnswersATurn = 500;
constexpr std::size_t kBytesATurn = std::size_t{1} << 20;

}  // namespace

Outbox::Outbox(HubPort& hub, base::Scheduler& scheduler, CallTable& calls, Limits limits,
               Callbacks callbacks)
    : hub_(hub),
      scheduler_(scheduler),
      calls_(calls),
      limits_(limits),
      callbacks_(std::move(callbacks)) {}

Outbox::~Outbox() {
  scheduler_.Cancel(proof_timer_);
  scheduler_.Cancel(settle_timer_);
  scheduler_.Cancel(flush_timer_);
  scheduler_.Cancel(prove_timer_);
}

absl::Duration Outbox::unproven_for(const Plugin& plugin) const {
  if (plugin.lane.sent().empty()) return absl::ZeroDuration();
  return scheduler_.Now() - plugin.lane.sent().front().sent_at;
}

void Outbox::SendAgain(LiveCall& call) {
  Plugin& plugin = *call.plugin;
  plugin.lane.SendAgain(calls_, call, scheduler_.Now());
  if (plugin.lane.sent().empty()) unproven_.erase(&plugin);
  Flush(plugin);
}

void Outbox::OnLost(Plugin& plugin, const HubLoss& loss) { plugin.lane.loss = loss; }

void Outbox::SetUp(Plugin& plugin, bool up) {
  AnswerLane& lane = plugin.lane;
  if (up) {
    up_.insert(&plugin);
    if (!std::exchange(lane.up, true)) lane.up_since = scheduler_.Now();
    return Flush(plugin);
  }
  up_.erase(&plugin);
  if (std::exchange(lane.up, false)) GoDown(plugin);
}

void Outbox::GoDown(Plugin& plugin) {
  AnswerLane& lane = plugin.lane;
  scheduler_.Cancel(std::exchange(lane.step_timer, base::Scheduler::kNoTimer));
  EndSettling(plugin, scheduler_.Now() - kSettleTime);
  const HubLoss loss = std::exchange(lane.loss, std::nullopt).value_or(HubLoss());
  const bool hasten = lane.Lose(calls_, loss);
  unproven_.erase(&plugin);
  settling_.erase(&plugin);
  if (lane.culprit() != nullptr) ReplaceCulprit(plugin, loss);
  if (!hasten) return;
  if (loss.shared) hub_.Quarantine(plugin.topic);
  hub_.Hasten(plugin.topic);
}

void Outbox::ReplaceCulprit(Plugin& plugin, const HubLoss& loss) {
  LiveCall& culprit = *plugin.lane.culprit();
  if (culprit.is_replacement) {
    callbacks_.on_given_up(culprit, loss);
    return calls_.Settle(culprit);
  }
  hub_.LearnFrom(*culprit.answer, loss);
  callbacks_.on_refused(culprit, loss);
  plugin.lane.CulpritReplaced();
}

void Outbox::Remove(Plugin& plugin) {
  AnswerLane& lane = plugin.lane;
  scheduler_.Cancel(std::exchange(lane.step_timer, base::Scheduler::kNoTimer));
  lane.Lose(calls_, HubLoss());  // then all that it has waits
  while (lane.waiting() > 0) {
    LiveCall& call = lane.next();
    if (call.proven_before) callbacks_.on_settled(call);
    calls_.Settle(call);
  }
  callbacks_.on_settled_end();
  up_.erase(&plugin);
  unproven_.erase(&plugin);
  settling_.erase(&plugin);
  flush_later_.erase(std::remove(flush_later_.begin(), flush_later_.end(), &plugin),
                     flush_later_.end());
}

void Outbox::OnWritable() {
  Turn turn;
  for (Plugin* plugin : up_) Flush(*plugin, turn);
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
  std::size_t proven = 0;
  for (auto it = unproven_.begin(); it != unproven_.end();) {
    Plugin& plugin = **it;
    AnswerLane& lane = plugin.lane;
    const std::size_t before = proven;
    while (proven < kAnswersATurn && !lane.sent().empty() &&
           lane.sent().front().position.socket == upto.socket &&
           lane.sent().front().position.sequence <= upto.sequence) {
      Prove(plugin);
      ++proven;
    }
    if (proven > before) EndSettling(plugin, scheduler_.Now() - kSettleTime);
    if (lane.sent().empty()) {
      if (lane.group_proven()) StepLater(plugin, lane.watch_time());
      unproven_.erase(it++);
    } else {
      ++it;
    }
  }
  if (proven < kAnswersATurn) proven_upto_.pop_front();
  if (!proven_upto_.empty()) {
    prove_timer_ = scheduler_.After(absl::ZeroDuration(), [this] {
      prove_timer_ = base::Scheduler::kNoTimer;
      ProveSome();
    });
  }
  callbacks_.on_settled_end();
  callbacks_.on_proven_end();
}

void Outbox::Prove(Plugin& plugin) {
  plugin.lane.Prove(calls_);
  settling_.insert(&plugin);
  if (settle_timer_ != base::Scheduler::kNoTimer) return;
  settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
}

void Outbox::SettleDue() {
  settle_timer_ = base::Scheduler::kNoTimer;
  const std::vector<Plugin*> plugins(settling_.begin(), settling_.end());
  for (Plugin* plugin : plugins) EndSettling(*plugin, scheduler_.Now() - kSettleTime);
  if (!settling_.empty()) {
    settle_timer_ = scheduler_.After(kSettlePeriod, [this] { SettleDue(); });
  }
  callbacks_.on_settled_end();
}

bool Outbox::IsAllSent(const Plugin& plugin) const {
  return plugin.lane.waiting() == 0 && !plugin.lane.searching();
}

void Outbox::Leave(Plugin& plugin) {
  plugin.lane.up = false;
  up_.erase(&plugin);
}

void Outbox::OnLeft(Plugin& plugin, bool handled) {
  AnswerLane& lane = plugin.lane;
  if (!handled) return GoDown(plugin);
  while (!lane.sent().empty()) Prove(plugin);
  scheduler_.Cancel(std::exchange(lane.step_timer, base::Scheduler::kNoTimer));
  unproven_.erase(&plugin);
  EndSettling(plugin, absl::InfiniteFuture());
  callbacks_.on_settled_end();
}

void Outbox::EndSettling(Plugin& plugin, absl::Time proven_until) {
  AnswerLane& lane = plugin.lane;
  bool again = false;
  while (lane.CanSettle(proven_until, limits_.max_settling_answers, plugin.settling_bytes,
                        limits_.max_settling_bytes)) {
    LiveCall& call = lane.settling().front();
    if (call.asked_again) {
      call.suspicion = Suspicion();
      calls_.Move(call, CallState::kAnswered, lane.rest());
      again = true;
      continue;
    }
    callbacks_.on_settled(call);
    calls_.Settle(call);
  }
  if (lane.settling().empty()) settling_.erase(&plugin);
  if (again) FlushLater(plugin);
}

bool Outbox::Turn::IsOver() const { return answers >= kAnswersATurn || bytes >= kBytesATurn; }

void Outbox::FlushLater(Plugin& plugin) {
  if (!std::exchange(plugin.lane.flush_later, true)) flush_later_.push_back(&plugin);
  if (flush_timer_ != base::Scheduler::kNoTimer) return;
  flush_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { FlushNext(); });
}

void Outbox::FlushNext() {
  flush_timer_ = base::Scheduler::kNoTimer;
  if (flush_later_.empty()) return;
  Plugin& plugin = *flush_later_.front();
  flush_later_.pop_front();
  if (!flush_later_.empty()) {
    flush_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { FlushNext(); });
  }
  plugin.lane.flush_later = false;
  Flush(plugin);
}

void Outbox::Flush(Plugin& plugin) {
  Turn turn;
  Flush(plugin, turn);
}

void Outbox::Flush(Plugin& plugin, Turn& turn) {
  AnswerLane& lane = plugin.lane;
  if (!lane.up || lane.waiting() == 0) return;
  if (!lane.searching()) {
    SendSome(plugin, lane.sendable(), turn);
    if (lane.waiting() > 0 && turn.IsOver()) FlushLater(plugin);
    return;
  }
  if (lane.step_timer != base::Scheduler::kNoTimer) return;
  if (lane.next_is_alone()) {
    const absl::Duration wait = lane.up_since + kQuietTime - scheduler_.Now();
    if (wait > absl::ZeroDuration()) return StepLater(plugin, wait);
  }
  const std::size_t most = lane.sendable();
  if (most > 0 && turn.IsOver()) return FlushLater(plugin);
  const std::size_t size = SendSome(plugin, most, turn);
  lane.CloseGroup(size);
  if (size > 0) hub_.RequestProof(plugin.topic);
}

std::size_t Outbox::SendSome(Plugin& plugin, std::size_t most, Turn& turn) {
  std::size_t size = 0;
  for (; size < most && !turn.IsOver(); ++size) {
    const HubAnswer& answer = *plugin.lane.next().answer;
    const std::optional<HubPosition> position = hub_.Push(plugin.topic, answer);
    if (!position) break;
    turn.bytes += answer.size();
    ++turn.answers;
    plugin.lane.Send(calls_, *position);
    unproven_.insert(&plugin);
    ScheduleProofRequest();
  }
  return size;
}

void Outbox::StepLater(Plugin& plugin, absl::Duration delay) {
  if (plugin.lane.step_timer != base::Scheduler::kNoTimer) return;
  plugin.lane.step_timer = scheduler_.After(delay, [this, &plugin] { Step(plugin); });
}

void Outbox::Step(Plugin& plugin) {
  AnswerLane& lane = plugin.lane;
  lane.step_timer = base::Scheduler::kNoTimer;
  if (lane.group_proven()) lane.Pass();
  if (!lane.searching()) hub_.Unquarantine(plugin.topic);
  Flush(plugin);
}

void Outbox::ScheduleProofRequest() {
  if (proof_timer_ != base::Scheduler::kNoTimer) return;
  proof_timer_ = scheduler_.After(kProofDelay, [this] { RequestProofs(); });
}

void Outbox::RequestProofs() {
  proof_timer_ = base::Scheduler::kNoTimer;
  if (unproven_.empty()) return;
  const std::vector<Plugin*> plugins(unproven_.begin(), unproven_.end());
  for (const Plugin* plugin : plugins) hub_.RequestProof(plugin->topic);
  ScheduleProofRequest();
}

}  // namespace atomemo::router
