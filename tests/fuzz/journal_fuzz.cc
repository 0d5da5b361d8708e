// A journal file with anything in it: it opens, tells the same when it is opened again, and is
// empty once all its calls have ended.
#include <algorithm>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/journal/call_journal_file.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/scratch_file.h"

namespace atomemo {
namespace {

using Calls = std::vector<router::JournaledCall>;

std::unique_ptr<journal::CallJournalFile> NewJournal() {
  // Small enough to be rewritten on the way.
  journal::JournalOptions options;
  options.writer.compact_bytes = 200;
  return std::make_unique<journal::CallJournalFile>([] { return absl::FromUnixSeconds(1000); },
                                                    options);
}

std::string Tell(const router::JournaledCall& call) {
  return absl::StrCat(call.topic, "|", call.request_id, "|", call.event, "|",
                      absl::FormatDuration(call.time_left), "|", call.started, "|",
                      call.instance_id, "|", call.error ? call.error->SerializeAsString() : "none");
}

std::vector<std::string> OpenAndTell(journal::CallJournalFile& journal, const std::string& path) {
  const absl::StatusOr<Calls> calls = journal.Open(path);
  ATOMEMO_FUZZ_EXPECT(calls.ok(), calls.status().ToString());
  std::vector<std::string> told;
  for (const router::JournaledCall& call : *calls) told.push_back(Tell(call));
  std::sort(told.begin(), told.end());
  return told;
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  static const fuzz::ScratchFile file;
  file.Write(fuzz::ViewOf(data, size));
  const std::vector<std::string> first = OpenAndTell(*NewJournal(), file.path());
  auto journal = NewJournal();
  const absl::StatusOr<Calls> calls = journal->Open(file.path());
  ATOMEMO_FUZZ_EXPECT(calls.ok(), calls.status().ToString());
  std::vector<std::string> second;
  for (const router::JournaledCall& call : *calls) second.push_back(Tell(call));
  std::sort(second.begin(), second.end());
  ATOMEMO_FUZZ_EXPECT(first == second, absl::StrCat(first.size(), " calls, then ", second.size()));
  for (const router::JournaledCall& call : *calls) {
    journal->Started(call.topic, call.request_id, "i");
    router::pb::PluginError error;
    error.set_message(call.event);
    journal->Failed(call.topic, call.request_id, error);
    journal->Ended(call.topic, call.request_id);
  }
  journal.reset();
  ATOMEMO_FUZZ_EXPECT(OpenAndTell(*NewJournal(), file.path()).empty(), "calls that have ended");
  return 0;
}
