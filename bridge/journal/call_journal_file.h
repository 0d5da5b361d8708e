#ifndef ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_
#define ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/journal/journal_opening.h"
#include "bridge/journal/note_writer.h"
#include "bridge/router/ports.h"

namespace atomemo::journal {

struct JournalOptions {
  // Each batch of notes is on the disk before the next one is written.
  bool sync = false;
  // How long Open waits for a disk that does not answer.
  absl::Duration open_limit = absl::Seconds(5);
  // Another one for tests.
  std::function<absl::StatusOr<OpenedJournal>(const std::string& path, bool sync,
                                              const std::string& generation)>
      open = OpenJournal;
  NoteWriter::Options writer;
};

// The journal as a file. No payload, plugin's answer or secret is in it: the errors are the
// bridge's own.
//
// A note goes into memory that outlives the process, and from there, a millisecond later and on
// another thread, to the file (docs/adr/0016): what is noted has survived the process, though not
// the machine, and nobody waits for a disk. A file that cannot be written stops no calls; it is
// tried again until it can.
//
// For one thread at a time. Before Open nothing is noted.
class CallJournalFile : public router::CallJournal {
 public:
  using WallClock = std::function<absl::Time()>;

  explicit CallJournalFile(WallClock clock, JournalOptions options = {});
  // Writes what is not in the file yet, for a second at most.
  ~CallJournalFile() override;
  CallJournalFile(const CallJournalFile&) = delete;
  CallJournalFile& operator=(const CallJournalFile&) = delete;

  // Opens or makes the file, locks it, and gives the calls that are open, in no particular order.
  // Blocks. For errors see JournalFile::Open; a disk that is full, or does not answer in time, is
  // none: `health` tells. Once only.
  absl::StatusOr<std::vector<router::JournaledCall>> Open(const std::string& path);

  void Accepted(absl::string_view topic, absl::string_view request_id, absl::string_view event,
                absl::Duration time_left) override;
  void Started(absl::string_view topic, absl::string_view request_id,
               absl::string_view instance_id) override;
  void Failed(absl::string_view topic, absl::string_view request_id,
              const router::pb::PluginError& error) override;
  void Ended(absl::string_view topic, absl::string_view request_id) override;

  // Where it is; empty before Open.
  const std::string& path() const { return path_; }
  // See NoteWriter. Thread-safe after Open.
  JournalHealth health() const { return writer_ == nullptr ? JournalHealth() : writer_->health(); }
  bool Flush(absl::Duration limit) { return writer_ == nullptr || writer_->Flush(limit); }

 private:
  void StartWriter(const std::string& path, const std::string& generation,
                   const std::string& memory_path, OpenedJournal opened);
  void Add(const CallNote& note) {
    if (writer_ != nullptr) writer_->Add(note);
  }

  const WallClock clock_;
  const JournalOptions options_;
  std::string path_;
  std::shared_ptr<NoteWriter> writer_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_
