#include "bridge/devhub/call_broker.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/log.h"

namespace atomemo::devhub {
namespace {

constexpr absl::string_view kUnsupportedEvent = "unsupported_event";
constexpr absl::Duration kGrace = absl::Seconds(5);

struct EventTime {
  absl::string_view event;
  absl::Duration time;
};

const EventTime kEventTimes[] = {
    {"credential_auth_spec", absl::Seconds(5)}, {"oauth2_build_authorize_url", absl::Seconds(60)},
    {"oauth2_get_token", absl::Seconds(60)},    {"oauth2_refresh_token", absl::Seconds(60)},
    {"invoke_tool", absl::Minutes(30)},         {"locator_list", absl::Seconds(15)},
    {"resource_mapping", absl::Seconds(15)},
};

const EventTime* FindEvent(absl::string_view event) {
  for (const EventTime& known : kEventTimes) {
    if (known.event == event) return &known;
  }
  return nullptr;
}

// Whether `answer` is one of the events that answer a call of `event`.
bool Answers(absl::string_view answer, absl::string_view event) {
  if (answer == kUnsupportedEvent) return true;
  return absl::ConsumePrefix(&answer, event) && (answer == "_response" || answer == "_error");
}

}  // namespace

absl::Duration DefaultCallTimeout(absl::string_view event) {
  const EventTime* known = FindEvent(event);
  return (known != nullptr ? known->time : absl::Seconds(15)) + kGrace;
}

bool IsAnswerEvent(absl::string_view event) {
  if (event == kUnsupportedEvent) return true;
  return (absl::ConsumeSuffix(&event, "_response") || absl::ConsumeSuffix(&event, "_error")) &&
         FindEvent(event) != nullptr;
}

absl::string_view CallStateName(Call::State state) {
  switch (state) {
    case Call::State::kPending:
      return "pending";
    case Call::State::kAnswered:
      return "answered";
    case Call::State::kTimedOut:
      return "timed_out";
    case Call::State::kAborted:
      return "aborted";
  }
  return "";
}

CallBroker::CallBroker(base::Scheduler& scheduler, Limits limits)
    : scheduler_(scheduler), limits_(limits) {}

CallBroker::~CallBroker() {
  for (const Entry& entry : pending_) scheduler_.Cancel(entry.timer);
}

absl::Status CallBroker::Start(std::string request_id, std::string topic, std::string event,
                               absl::Duration timeout, OnFinished on_finished,
                               CallDigestion digestion) {
  if (by_id_.count(request_id) != 0) {
    return absl::AlreadyExistsError("a call with this request_id was made before");
  }
  if (pending_.size() >= limits_.max_pending) {
    return absl::ResourceExhaustedError(
        absl::StrCat(limits_.max_pending, " calls are pending, which is the limit"));
  }
  const auto entry = pending_.emplace(pending_.end());
  entry->call.request_id = std::move(request_id);
  entry->call.topic = std::move(topic);
  entry->call.event = std::move(event);
  entry->call.started = scheduler_.Now();
  entry->call.digestion = digestion;
  digests_badly_ = digests_badly_ || digestion.response != Digestion::kTake ||
                   digestion.error != Digestion::kTake;
  entry->on_finished = std::move(on_finished);
  entry->timer =
      scheduler_.After(timeout, [this, entry] { Finish(entry, Call::State::kTimedOut); });
  by_id_.emplace(entry->call.request_id, entry);
  ++counters_.started;
  return absl::OkStatus();
}

Digestion CallBroker::DigestionOf(absl::string_view event, const std::string& request_id) const {
  const auto found = by_id_.find(request_id);
  if (found == by_id_.end() || !Answers(event, found->second->call.event)) return Digestion::kTake;
  const CallDigestion& digestion = found->second->call.digestion;
  return absl::EndsWith(event, "_response") ? digestion.response : digestion.error;
}

void CallBroker::OnUndigested(const std::string& request_id) {
  const auto found = by_id_.find(request_id);
  if (found == by_id_.end()) return;
  ++found->second->call.undigested_count;
  ++counters_.undigested_answers;
}

void CallBroker::OnAnswer(const std::string& topic, const std::string& event,
                          const std::string& request_id, std::string payload) {
  const auto found = by_id_.find(request_id);
  if (found == by_id_.end() || !Record(*found->second, topic, event, std::move(payload))) {
    ++counters_.stray_answers;
    base::LogWarning("answer to no call", {{"topic", topic}, {"event", event}});
    return;
  }
  const Entries::iterator entry = found->second;
  if (entry->call.answer_count > 1) ++counters_.duplicate_answers;
  if (entry->call.state == Call::State::kPending) {
    Finish(entry, Call::State::kAnswered);
  } else {
    ForgetOldest();
  }
}

bool CallBroker::Record(Entry& entry, const std::string& topic, const std::string& event,
                        std::string payload) {
  Call& call = entry.call;
  if (call.topic != topic || !Answers(event, call.event)) return false;
  ++call.answer_count;
  if (call.answers.size() >= kMaxKeptAnswers) return true;
  entry.payload_bytes += payload.size();
  if (call.state != Call::State::kPending) finished_bytes_ += payload.size();
  call.answers.push_back({event, std::move(payload), scheduler_.Now() - call.started});
  return true;
}

void CallBroker::Finish(Entries::iterator entry, Call::State state) {
  scheduler_.Cancel(std::exchange(entry->timer, base::Scheduler::kNoTimer));
  entry->call.state = state;
  if (state == Call::State::kAnswered) ++counters_.answered;
  if (state == Call::State::kTimedOut) ++counters_.timed_out;
  finished_.splice(finished_.end(), pending_, entry);
  finished_bytes_ += entry->payload_bytes;
  if (const OnFinished on_finished = std::exchange(entry->on_finished, nullptr)) {
    on_finished(entry->call);
  }
  ForgetOldest();
}

void CallBroker::ForgetOldest() {
  while (finished_.size() > limits_.max_finished ||
         (finished_bytes_ > limits_.max_finished_bytes && !finished_.empty())) {
    finished_bytes_ -= finished_.front().payload_bytes;
    by_id_.erase(finished_.front().call.request_id);
    finished_.pop_front();
  }
}

void CallBroker::AbortAll() {
  while (!pending_.empty()) Finish(pending_.begin(), Call::State::kAborted);
}

const Call* CallBroker::Find(const std::string& request_id) const {
  const auto found = by_id_.find(request_id);
  return found == by_id_.end() ? nullptr : &found->second->call;
}

std::vector<const Call*> CallBroker::Recent(std::size_t count) const {
  std::vector<const Call*> calls;
  for (auto it = finished_.rbegin(); it != finished_.rend() && calls.size() < count; ++it) {
    calls.push_back(&it->call);
  }
  return calls;
}

}  // namespace atomemo::devhub
