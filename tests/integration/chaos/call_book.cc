#include "tests/integration/chaos/call_book.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"

namespace atomemo::chaos {
namespace {

constexpr absl::string_view kPrefix = "call-";
constexpr std::size_t kKeptText = 240;

std::string RequestId(std::size_t index) { return absl::StrFormat("%s%07u", kPrefix, index); }

// Past any index if `request_id` is not one of ours.
std::size_t IndexOf(absl::string_view request_id) {
  std::uint64_t index = 0;
  if (!absl::ConsumePrefix(&request_id, kPrefix) || !absl::SimpleAtoi(request_id, &index)) {
    return SIZE_MAX;
  }
  return index;
}

std::string CodeOf(absl::string_view event, absl::string_view payload) {
  if (absl::EndsWith(event, "_response")) return "";
  const std::optional<std::string> error = base::ObjectMember(payload, "error");
  const std::optional<std::string> code = error ? base::StringMember(*error, "code") : std::nullopt;
  return code.value_or("(none)");
}

}  // namespace

std::string CallBook::Open(CallPlan plan, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  BookedCall& call = calls_.emplace_back();
  call.request_id = RequestId(calls_.size() - 1);
  call.plan = std::move(plan);
  call.sent = now;
  ++pending_;
  return base::PrependMember(call.plan.payload, "request_id", base::QuoteJson(call.request_id));
}

void CallBook::OnAnswer(absl::string_view event, absl::string_view request_id,
                        absl::string_view payload, absl::Time now) {
  Answer answer{now, std::string(event), CodeOf(event, payload),
                std::string(payload.substr(0, kKeptText)),
                std::hash<std::string>()(std::string(payload))};
  absl::MutexLock lock(&mutex_);
  BookedCall* const found = Find(request_id);
  if (found == nullptr) {
    ++strays_;
    return;
  }
  BookedCall& call = *found;
  if (!call.answer) {
    call.answer = std::move(answer);
    call.plan.payload = std::string();
    --pending_;
    return;
  }
  ++call.duplicates;
  if (!call.contradiction && !answer.SaysTheSame(*call.answer)) {
    call.contradiction = std::move(answer);
  }
}

BookedCall* CallBook::Find(absl::string_view request_id) {
  const std::size_t index = IndexOf(request_id);
  if (index >= calls_.size() || calls_[index].request_id != request_id) return nullptr;
  return &calls_[index];
}

void CallBook::OnAnswerDropped(absl::string_view request_id) {
  absl::MutexLock lock(&mutex_);
  if (BookedCall* const call = Find(request_id)) ++call->dropped;
}

std::vector<std::pair<std::string, std::string>> CallBook::Repeat(absl::Time now) {
  std::vector<std::pair<std::string, std::string>> repeated;
  absl::MutexLock lock(&mutex_);
  for (BookedCall& call : calls_) {
    if (call.answer || call.dropped > 0 || call.deadline() <= now) continue;
    ++call.repeats;
    repeated.emplace_back(call.plan.event, base::PrependMember(call.plan.payload, "request_id",
                                                               base::QuoteJson(call.request_id)));
  }
  return repeated;
}

void CallBook::OnLineRestored(absl::Time time) {
  absl::MutexLock lock(&mutex_);
  line_restored_.push_back(time);
}

void CallBook::OnPostponed(std::size_t count) {
  absl::MutexLock lock(&mutex_);
  postponed_ += count;
}

std::size_t CallBook::pending() const {
  absl::MutexLock lock(&mutex_);
  return pending_;
}

std::int64_t CallBook::CallsSince(absl::Time time) const {
  absl::MutexLock lock(&mutex_);
  return std::count_if(calls_.begin(), calls_.end(),
                       [&](const BookedCall& call) { return call.sent >= time; });
}

absl::Time CallBook::last_deadline() const {
  absl::MutexLock lock(&mutex_);
  absl::Time last = absl::InfinitePast();
  for (const BookedCall& call : calls_) last = std::max(last, call.deadline());
  return last;
}

std::vector<BookedCall> CallBook::calls() const {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

std::vector<absl::Time> CallBook::line_restored() const {
  absl::MutexLock lock(&mutex_);
  return line_restored_;
}

std::size_t CallBook::postponed() const {
  absl::MutexLock lock(&mutex_);
  return postponed_;
}

std::size_t CallBook::strays() const {
  absl::MutexLock lock(&mutex_);
  return strays_;
}

}  // namespace atomemo::chaos
