#ifndef ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_
#define ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/router/ports.h"

namespace atomemo::journal {

// The journal as a file: one JSON array a line, appended with one write each, so that it survives
// the process (not the machine: nothing is synced to disk).
//
//   ["+", topic, request_id, event, due]   accepted; due in milliseconds since 1970
//   [">", topic, request_id, instance_id]  started
//   ["!", topic, request_id, error]        failed; the error as base64 of its protobuf form
//   ["-", topic, request_id]               ended
//
// No payload, plugin's answer or secret is in it: the errors are the bridge's own. Rewritten with
// the open calls alone when it has grown, so its size is bounded by theirs. A file that cannot be
// written any more (a full disk) is given up with one line in the log: calls matter more than their
// journal.
//
// For one thread at a time. Before Open, and with an empty path, nothing is noted.
class CallJournalFile : public router::CallJournal {
 public:
  using WallClock = std::function<absl::Time()>;

  explicit CallJournalFile(WallClock clock, std::size_t compact_bytes = std::size_t{4} << 20);
  ~CallJournalFile() override;
  CallJournalFile(const CallJournalFile&) = delete;
  CallJournalFile& operator=(const CallJournalFile&) = delete;

  // Opens or makes the file, locks it, and gives the calls that are open in it, in no particular
  // order. Lines that cannot be read are skipped. UNAVAILABLE if another bridge has it locked; else
  // the system's error. The message names the path and what to do. Once only.
  absl::StatusOr<std::vector<router::JournaledCall>> Open(const std::string& path);

  void Accepted(absl::string_view topic, absl::string_view request_id, absl::string_view event,
                absl::Duration time_left) override;
  void Started(absl::string_view topic, absl::string_view request_id,
               absl::string_view instance_id) override;
  void Failed(absl::string_view topic, absl::string_view request_id,
              const router::pb::PluginError& error) override;
  void Ended(absl::string_view topic, absl::string_view request_id) override;

 private:
  using Key = std::pair<std::string, std::string>;  // topic, request_id
  struct Entry {
    std::string event;
    absl::Time due;
    bool started = false;
    std::string instance_id;
    std::string error;  // as it stands in the file; empty if there is none
  };

  bool is_open() const { return fd_ >= 0; }
  void Read(absl::string_view text);
  void ReadLine(absl::string_view line);
  void Append(const std::string& line);
  void CompactIfGrown();
  absl::Status Compact();
  void GiveUp(const absl::Status& why);

  const WallClock clock_;
  const std::size_t compact_bytes_;
  std::string path_;
  int fd_ = -1;
  std::size_t size_ = 0;
  std::size_t compact_at_ = 0;
  absl::flat_hash_map<Key, Entry> open_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_CALL_JOURNAL_FILE_H_
