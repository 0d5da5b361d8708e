#include "bridge/journal/journal_opening.h"

#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"
#include "bridge/base/invariant.h"
#include "bridge/base/log.h"
#include "bridge/base/signal_free_thread.h"
#include "bridge/journal/call_note.h"
#include "bridge/journal/journal_memory.h"
#include "bridge/journal/note_ring.h"

namespace atomemo::journal {
namespace {

// Adds to what was in the file what its bridge had noted but not yet written there. All is
// forgotten if that bridge knew that the two together are not the whole truth.
void AddRecent(const std::string& path, const std::string& memory_path,
               JournalFile::Contents& contents) {
  const absl::StatusOr<std::string> bytes = ReadMemoryFile(memory_path, kMemoryBytes);
  absl::StatusOr<RingRemains> remains =
      bytes.ok() ? NoteRing::Read(*bytes, contents.generation) : bytes.status();
  if (!remains.ok()) {
    base::LogWarning(
        "what the earlier bridge noted in its last moments is gone, as after a restart of the "
        "machine or the container",
        {{"reason", remains.status().message()}});
    return;
  }
  if (remains->gaps != kNoGap) {
    base::LogWarning(
        "the earlier bridge was ended while it could not write its journal: its calls are not "
        "known",
        {{"path", path}});
    contents.calls.clear();
    return;
  }
  for (const std::string& record : remains->records) {
    if (const std::optional<CallNote> note = DecodeNote(record)) contents.calls.Apply(*note);
  }
}

// Whether time may help: a full disk, say, but not a folder that is not the bridge's.
bool MayPass(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsOutOfRange(status) || absl::IsUnknown(status);
}

}  // namespace

absl::StatusOr<OpenedJournal> OpenJournal(const std::string& path, bool sync,
                                          const std::string& generation) {
  absl::StatusOr<std::unique_ptr<JournalFile>> file = JournalFile::Open(path, generation, sync);
  if (!file.ok()) return file.status();
  absl::StatusOr<JournalFile::Contents> contents = (*file)->Read();
  if (!contents.ok()) return contents.status();
  const std::string earlier =
      contents->generation.empty() ? "" : MemoryPathFor(path, contents->generation);
  if (!earlier.empty()) AddRecent(path, earlier, *contents);

  const absl::Status written = (*file)->Replace(contents->calls.Lines());
  if (!written.ok()) {
    if (!MayPass(written)) return written;
    // It must not say what is not so any more, should this bridge be killed.
    if (absl::Status cleared = (*file)->Clear(); !cleared.ok()) return cleared;
  }
  if (!earlier.empty()) unlink(earlier.c_str());  // From here on it belongs to no file any more.
  RemoveAbandonedFiles(MemoryPathFor(path, generation), absl::Now());
  return OpenedJournal{*std::move(file), std::move(contents->calls), written};
}

JournalOpening::JournalOpening(std::function<Result()> open) : state_(std::make_shared<State>()) {
  base::StartWithoutSignals([state = state_, open = std::move(open)] {
    Result result = open();
    absl::MutexLock lock(&state->mutex);
    state->result.emplace(std::move(result));
  }).detach();
}

bool JournalOpening::Wait(absl::Duration limit) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->mutex.AwaitWithTimeout(absl::Condition(state_.get(), &State::IsDone), limit);
}

JournalOpening::Result JournalOpening::Take() const {
  absl::MutexLock lock(&state_->mutex);
  state_->mutex.Await(absl::Condition(state_.get(), &State::IsDone));
  return *std::move(state_->result);
}

absl::Status LateStore::Append(absl::string_view lines) {
  if (!ATOMEMO_INVARIANT(file_ != nullptr)) return absl::InternalError("not opened yet");
  return file_->Append(lines);
}

absl::Status LateStore::Replace(absl::string_view lines) {
  if (opening_.has_value()) {
    JournalOpening::Result opened = opening_->Take();
    opening_.reset();
    error_ = opened.status();
    if (opened.ok()) file_ = std::move(opened->file);
  }
  return error_.ok() ? file_->Replace(lines) : error_;
}

absl::Status LateStore::Clear() { return file_ == nullptr ? absl::OkStatus() : file_->Clear(); }

void LateStore::Seal() {
  if (file_ != nullptr) file_->Seal();
}

}  // namespace atomemo::journal
