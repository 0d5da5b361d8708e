#include "bridge/journal/call_journal_file.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "bridge/base/invariant.h"
#include "bridge/base/log.h"

namespace atomemo::journal {
namespace {

// Some 8,000 notes: what 7,000 calls a second note in 0.4 seconds.
constexpr std::size_t kMemoryBytes = std::size_t{1} << 20;
constexpr absl::Duration kLastWrite = absl::Seconds(1);

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

CallJournalFile::CallJournalFile(WallClock clock, JournalOptions options)
    : clock_(std::move(clock)), options_(options) {}

CallJournalFile::~CallJournalFile() {
  if (writer_ != nullptr && !writer_->Stop(kLastWrite)) {
    base::LogWarning("the journal's last notes are not in its file", {{"path", path_}});
  }
}

absl::StatusOr<std::vector<router::JournaledCall>> CallJournalFile::Open(const std::string& path) {
  if (!ATOMEMO_INVARIANT(writer_ == nullptr)) return absl::InternalError("opened twice");
  absl::StatusOr<std::unique_ptr<JournalFile>> file = JournalFile::Open(path, options_.sync);
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

  const std::string generation = (*file)->generation();
  const std::string memory_path = MemoryPathFor(path, generation);
  if (!memory_path.empty()) RemoveAbandonedFiles(memory_path, absl::Now());
  std::vector<router::JournaledCall> left = contents->calls.Calls(clock_());
  path_ = path;
  writer_ = NoteWriter::Start(*std::move(file),
                              std::make_unique<JournalMemory>(memory_path, kMemoryBytes),
                              generation, std::move(contents->calls), options_.writer, written);
  return left;
}

void CallJournalFile::Accepted(absl::string_view topic, absl::string_view request_id,
                               absl::string_view event, absl::Duration time_left) {
  Add({NoteKind::kAccepted, topic, request_id, event, absl::ToUnixMillis(clock_() + time_left)});
}

void CallJournalFile::Started(absl::string_view topic, absl::string_view request_id,
                              absl::string_view instance_id) {
  Add({NoteKind::kStarted, topic, request_id, instance_id});
}

void CallJournalFile::Failed(absl::string_view topic, absl::string_view request_id,
                             const router::pb::PluginError& error) {
  Add({NoteKind::kFailed, topic, request_id, error.SerializeAsString()});
}

void CallJournalFile::Ended(absl::string_view topic, absl::string_view request_id) {
  Add({NoteKind::kEnded, topic, request_id});
}

}  // namespace atomemo::journal
