#include "bridge/journal/note_writer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/base/invariant.h"
#include "bridge/base/log.h"
#include "bridge/base/signal_free_thread.h"

namespace atomemo::journal {
namespace {

// How long the writing thread rests between two looks at a ring that outlives the process, so that
// it is woken once for many notes.
constexpr std::chrono::milliseconds kRest(1);

// A store that has worked for so long fails for a new reason.
constexpr absl::Duration kSteady = absl::Minutes(1);

constexpr absl::Duration kOverflowLogInterval = absl::Minutes(1);

// Not the time of the day, which may be set.
absl::Time Now() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

std::shared_ptr<NoteWriter> NoteWriter::Start(std::unique_ptr<JournalStore> store,
                                              std::unique_ptr<JournalMemory> memory,
                                              absl::string_view generation, OpenCalls calls,
                                              Options options, absl::Status first_write) {
  std::shared_ptr<NoteWriter> writer(new NoteWriter(std::move(store), std::move(memory), generation,
                                                    std::move(calls), options,
                                                    std::move(first_write)));
  base::StartWithoutSignals([writer] { writer->Run(); }).detach();
  return writer;
}

NoteWriter::NoteWriter(std::unique_ptr<JournalStore> store, std::unique_ptr<JournalMemory> memory,
                       absl::string_view generation, OpenCalls calls, Options options,
                       absl::Status first_write)
    : options_(options),
      memory_(std::move(memory)),
      first_write_(std::move(first_write)),
      open_(calls.Keys()),
      store_(std::move(store)),
      calls_(std::move(calls)),
      compact_at_(options.compact_bytes),
      retry_(options.retry),
      ring_(memory_->data(), memory_->size(), generation) {
  // Before anybody asks for its health, or it is killed.
  if (!first_write_.ok()) ring_.AddGap(kNotWritten);
  failure_ = std::string(first_write_.message());
  CheckMemory();
}

// ---- For the thread that adds

void NoteWriter::Add(const CallNote& note) {
  if (!ATOMEMO_INVARIANT(note.topic.size() + note.request_id.size() + note.text.size() <=
                         kMaxNoteBytes)) {
    return;
  }
  const auto open = open_.find(CallKey::View(note.topic, note.request_id));
  const bool was_open = open != open_.end();
  if (note.kind == NoteKind::kAccepted) {
    if (!was_open) open_.insert({std::string(note.topic), std::string(note.request_id)});
  } else {
    if (!was_open) return;
    if (note.kind == NoteKind::kEnded) open_.erase(open);
  }
  EncodeNote(note, scratch_);
  if (overflowing_.load(std::memory_order_acquire) || !ring_.Push(scratch_)) {
    AddToOverflow(note, was_open);
  }
  if (asleep_.load(std::memory_order_seq_cst)) Wake();
}

void NoteWriter::AddToOverflow(const CallNote& note, bool was_open) {
  absl::MutexLock lock(&mutex_);
  if (!overflowing_) {
    if (ring_.Push(scratch_)) return;  // Room was made since.
    ring_.AddGap(kOverflowed);
    overflowing_ = true;
    if (Now() >= next_overflow_log_) {
      next_overflow_log_ = Now() + kOverflowLogInterval;
      base::LogWarning(
          "the journal does not keep up: should the bridge be killed meanwhile, the next one will "
          "not know its calls");
    }
  }
  const CallKey::View key(note.topic, note.request_id);
  auto found = overflow_.find(key);
  if (found == overflow_.end()) {
    found =
        overflow_
            .try_emplace({std::string(key.first), std::string(key.second)}, Overflow{was_open, ""})
            .first;
  }
  Overflow& call = found->second;
  if (note.kind == NoteKind::kEnded) {
    call.records.clear();  // Nobody need know what was before.
    if (!call.known_elsewhere) {
      overflow_.erase(found);
      return;
    }
  }
  AppendRecord(scratch_, call.records);
}

void NoteWriter::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

// ---- For any thread

JournalHealth NoteWriter::health() const {
  absl::MutexLock lock(&mutex_);
  if (!failure_.empty()) return {false, failure_};
  const absl::Duration busy = Now() - busy_since_;
  if (busy >= options_.stalled_after) {
    return {false, absl::StrCat("a write to it has not come back for ",
                                absl::FormatDuration(absl::Trunc(busy, absl::Seconds(1))))};
  }
  if ((ring_.gaps() & kOverflowed) != 0) return {false, "it does not keep up with the calls"};
  if (memory_problem_.empty()) return {};
  return {true, absl::StrCat("should the bridge be killed, it may lack the last moments: ",
                             memory_problem_)};
}

bool NoteWriter::Flush(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  const std::uint64_t asked = ++flushes_asked_;
  const auto done = [this, asked] {
    mutex_.AssertHeld();
    return flushes_done_ >= asked;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&done), limit);
}

bool NoteWriter::Stop(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  return mutex_.AwaitWithTimeout(absl::Condition(&ended_), limit);
}

// ---- For the writing thread

void NoteWriter::Run() {
  if (!first_write_.ok()) Fail(first_write_);
  while (true) {
    std::uint64_t flushes_asked = 0;
    bool is_stopping = false;
    {
      absl::MutexLock lock(&mutex_);
      flushes_asked = flushes_asked_;
      is_stopping = stopping_;
    }
    const bool took = TakeFromRing() || TakeFromOverflow();
    if (failing_ && (is_stopping || Now() >= retry_at_)) Retry();
    if (!took && Settle(flushes_asked) && is_stopping) break;
    Rest(/*was_busy=*/took);
  }
  store_->Seal();
  if (!store_is_outdated_) memory_->Remove();
  store_.reset();  // Before Stop returns: the next one may want its lock.
  absl::MutexLock lock(&mutex_);
  ended_ = true;
}

bool NoteWriter::TakeFromRing() {
  const std::string records = ring_.Copy();
  if (records.empty()) return false;
  Write(Apply(records));
  ring_.Release(records.size());
  return true;
}

bool NoteWriter::TakeFromOverflow() {
  CallMap<Overflow> taken;
  {
    absl::MutexLock lock(&mutex_);
    if (!overflowing_) return false;
    if (!ring_.empty()) return true;  // What is there comes first.
    overflow_.swap(taken);
    overflowing_ = false;
  }
  std::string records;
  for (const auto& [key, call] : taken) records += call.records;
  Write(Apply(records));
  absl::MutexLock lock(&mutex_);
  if (overflowing_) return true;  // Again.
  ring_.RemoveGap(kOverflowed);
  base::LogInfo("the journal has caught up", {{"calls", calls_.size()}});
  return true;
}

bool NoteWriter::Settle(std::uint64_t flushes_asked) {
  absl::MutexLock lock(&mutex_);
  if (!ring_.empty() || overflowing_) return false;
  flushes_done_ = flushes_asked;
  return true;
}

std::string NoteWriter::Apply(absl::string_view records) {
  std::vector<absl::string_view> split;
  const bool is_whole = SplitRecords(records, split).ok();
  (void)ATOMEMO_INVARIANT(is_whole);
  std::string lines;
  for (absl::string_view record : split) {
    const std::optional<CallNote> note = DecodeNote(record);
    if (!ATOMEMO_INVARIANT(note.has_value())) continue;
    const bool was_open = calls_.Apply(*note);
    if (ATOMEMO_INVARIANT(was_open)) AppendNoteLine(*note, lines);
  }
  return lines;
}

void NoteWriter::Write(const std::string& lines) {
  CheckMemory();
  if (failing_ || lines.empty()) return;
  SetBusy(true);
  absl::Status status = store_->Append(lines);
  SetBusy(false);
  if (status.ok()) {
    size_ += lines.size();
    if (size_ >= compact_at_) status = Replace();
  }
  if (!status.ok()) StartAnew(status);
}

absl::Status NoteWriter::Replace() {
  SetBusy(true);
  const std::string lines = calls_.Lines();
  const absl::Status status = store_->Replace(lines);
  SetBusy(false);
  if (!status.ok()) return status;
  store_is_outdated_ = false;
  size_ = lines.size();
  compact_at_ = std::max(options_.compact_bytes, 2 * size_);
  return absl::OkStatus();
}

void NoteWriter::StartAnew(const absl::Status& why) {
  // Before the notes leave the ring: from here on the next process would not know them.
  ring_.AddGap(kNotWritten);
  SetBusy(true);
  const absl::Status cleared = store_->Clear();
  SetBusy(false);
  if (!cleared.ok()) {
    store_is_outdated_ = true;  // The gap in the memory tells.
    base::LogError("the journal is outdated", {{"error", cleared.message()}});
  }
  // What was cleared may be the room that was missing.
  if (!Replace().ok()) return Fail(why);
  ring_.RemoveGap(kNotWritten);
}

void NoteWriter::Fail(const absl::Status& why) {
  failing_ = true;
  failing_since_ = Now();
  retry_ = failing_since_ - recovered_at_ < kSteady ? std::min(2 * retry_, options_.max_retry)
                                                    : options_.retry;
  retry_at_ = failing_since_ + retry_;
  base::LogError(
      "the journal cannot be written: should the bridge be killed meanwhile, the next one will not "
      "know its calls",
      {{"error", why.message()}, {"tried_again_after", absl::FormatDuration(retry_)}});
  absl::MutexLock lock(&mutex_);
  failure_ = std::string(why.message());
}

void NoteWriter::Retry() {
  const absl::Status status = Replace();
  const absl::Time now = Now();
  if (!status.ok()) {
    retry_at_ = now + retry_;
    absl::MutexLock lock(&mutex_);
    failure_ = std::string(status.message());
    return;
  }
  failing_ = false;
  recovered_at_ = now;
  ring_.RemoveGap(kNotWritten);
  base::LogInfo(
      "the journal is written again",
      {{"calls", calls_.size()}, {"after_seconds", absl::ToInt64Seconds(now - failing_since_)}});
  absl::MutexLock lock(&mutex_);
  failure_.clear();
}

void NoteWriter::SetBusy(bool busy) {
  absl::MutexLock lock(&mutex_);
  busy_since_ = busy ? Now() : absl::InfiniteFuture();
}

void NoteWriter::CheckMemory() {
  if (memory_is_lost_) return;
  const absl::Status status = memory_->CheckOutlivesProcess();
  if (status.ok()) return;
  memory_is_lost_ = true;
  base::LogWarning("should the bridge be killed, its journal may lack the last moments",
                   {{"reason", status.message()}});
  absl::MutexLock lock(&mutex_);
  memory_problem_ = std::string(status.message());
}

void NoteWriter::Rest(bool was_busy) {
  if (was_busy) {
    if (!memory_is_lost_) std::this_thread::sleep_for(kRest);
    return;
  }
  absl::MutexLock lock(&mutex_);
  asleep_.store(true, std::memory_order_seq_cst);
  if (ring_.empty() && !overflowing_) {
    mutex_.AwaitWithTimeout(absl::Condition(this, &NoteWriter::IsCalled),
                            failing_ ? retry_at_ - Now() : absl::InfiniteDuration());
  }
  asleep_.store(false, std::memory_order_seq_cst);
  woken_ = false;
}

}  // namespace atomemo::journal
