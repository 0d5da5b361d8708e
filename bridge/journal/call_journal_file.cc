#include "bridge/journal/call_journal_file.h"

#include <utility>

#include "bridge/base/invariant.h"
#include "bridge/base/log.h"
#include "bridge/base/random.h"
#include "bridge/journal/journal_memory.h"

namespace atomemo::journal {
namespace {

constexpr absl::Duration kLastWrite = absl::Seconds(1);

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
  const std::string generation = base::RandomId();
  JournalOpening opening([open = options_.open, sync = options_.sync, path, generation] {
    return open(path, sync, generation);
  });
  if (!opening.Wait(options_.open_limit)) {
    const absl::Status why = absl::UnavailableError("opening it has not come back");
    base::LogError("the journal's disk does not answer: calls of an earlier bridge are not known",
                   {{"path", path}});
    StartWriter(path, generation, SharedMemoryPathFor(generation),
                {std::make_unique<LateStore>(std::move(opening)), OpenCalls(), why});
    return std::vector<router::JournaledCall>();
  }
  absl::StatusOr<OpenedJournal> opened = opening.Take();
  if (!opened.ok()) return opened.status();
  std::vector<router::JournaledCall> left = opened->calls.Calls(clock_());
  StartWriter(path, generation, MemoryPathFor(path, generation), *std::move(opened));
  return left;
}

void CallJournalFile::StartWriter(const std::string& path, const std::string& generation,
                                  const std::string& memory_path, OpenedJournal opened) {
  path_ = path;
  writer_ = NoteWriter::Start(std::move(opened.file),
                              std::make_unique<JournalMemory>(memory_path, kMemoryBytes),
                              generation, std::move(opened.calls), options_.writer, opened.written);
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
