// A journal with anything in its file and its memory: it is read, tells the same when what was read
// is written and read again, and is empty once all its calls have ended.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/journal/call_note.h"
#include "bridge/journal/journal_file.h"
#include "bridge/journal/note_ring.h"
#include "bridge/journal/open_calls.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/scratch_file.h"

namespace atomemo {
namespace {

using Calls = std::vector<router::JournaledCall>;

std::vector<std::string> Tell(const Calls& calls) {
  std::vector<std::string> told;
  for (const router::JournaledCall& call : calls) {
    told.push_back(absl::StrCat(call.topic, "|", call.request_id, "|", call.event, "|",
                                absl::FormatDuration(call.time_left), "|", call.started, "|",
                                call.instance_id, "|",
                                call.error ? call.error->SerializeAsString() : "none"));
  }
  std::sort(told.begin(), told.end());
  return told;
}

Calls CallsOf(const journal::OpenCalls& calls) { return calls.Calls(absl::FromUnixSeconds(1000)); }

std::unique_ptr<journal::JournalFile> Open(const std::string& path) {
  auto file = journal::JournalFile::Open(path, std::string(32, 'a'), /*sync=*/false);
  ATOMEMO_FUZZ_EXPECT(file.ok(), file.status().ToString());
  return *std::move(file);
}

journal::JournalFile::Contents Read(journal::JournalFile& file) {
  auto contents = file.Read();
  ATOMEMO_FUZZ_EXPECT(contents.ok(), contents.status().ToString());
  return *std::move(contents);
}

// What a dead process may have left: a ring whose header is so far right that it is looked at.
void TryRing(absl::string_view input) {
  constexpr char kGeneration[] = "generation";
  constexpr std::size_t kSize = 1024;
  constexpr std::size_t kFixed = 48;  // what names the ring and its generation
  alignas(64) static char memory[kSize];
  journal::NoteRing ring(memory, kSize, kGeneration);
  std::memcpy(memory + kFixed, input.data(), std::min(input.size(), kSize - kFixed));
  const absl::StatusOr<journal::RingRemains> remains =
      journal::NoteRing::Read({memory, kSize}, kGeneration);
  if (!remains.ok()) return;
  journal::OpenCalls calls;
  for (const std::string& record : remains->records) {
    if (const auto note = journal::DecodeNote(record)) calls.Apply(*note);
  }
  (void)CallsOf(calls);
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  TryRing(fuzz::ViewOf(data, size));

  static const fuzz::ScratchFile scratch;
  scratch.Write(fuzz::ViewOf(data, size));
  auto file = Open(scratch.path());
  journal::JournalFile::Contents contents = Read(*file);
  const Calls calls = CallsOf(contents.calls);
  ATOMEMO_FUZZ_EXPECT(file->Replace(contents.calls.Lines()).ok(), scratch.path());
  const std::vector<std::string> first = Tell(calls);
  const std::vector<std::string> second = Tell(CallsOf(Read(*file).calls));
  ATOMEMO_FUZZ_EXPECT(first == second, absl::StrCat(first.size(), " calls, then ", second.size()));

  std::string lines;
  for (const router::JournaledCall& call : calls) {
    const journal::CallNote notes[] = {
        {journal::NoteKind::kStarted, call.topic, call.request_id, "i"},
        {journal::NoteKind::kFailed, call.topic, call.request_id, call.event},
        {journal::NoteKind::kEnded, call.topic, call.request_id}};
    for (const journal::CallNote& note : notes) journal::AppendNoteLine(note, lines);
  }
  ATOMEMO_FUZZ_EXPECT(file->Append(lines).ok(), scratch.path());
  file = nullptr;
  file = Open(scratch.path());
  ATOMEMO_FUZZ_EXPECT(Read(*file).calls.size() == 0, "calls that have ended");
  return 0;
}
