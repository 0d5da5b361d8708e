#ifndef ATOMEMO_BRIDGE_JOURNAL_CALL_NOTE_H_
#define ATOMEMO_BRIDGE_JOURNAL_CALL_NOTE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::journal {

// What has become of a call. The values stand in the file.
enum class NoteKind : char { kAccepted = '+', kStarted = '>', kFailed = '!', kEnded = '-' };

// One note of the journal. Refers to what it was made of.
struct CallNote {
  NoteKind kind = NoteKind::kEnded;
  absl::string_view topic;
  absl::string_view request_id;
  // kAccepted: the hub's event; kStarted: the worker's instance_id; kFailed: the error's protobuf
  // form.
  absl::string_view text;
  // kAccepted: when the answer is due, in milliseconds since 1970.
  std::int64_t due_ms = 0;
};

// More than any message from hub or plugin holds.
constexpr std::size_t kMaxNoteBytes = std::size_t{1} << 30;

// The note, whose texts have up to kMaxNoteBytes, as bytes, for memory. Replaces what `bytes` held.
void EncodeNote(const CallNote& note, std::string& bytes);

// Nothing if `bytes` are not what EncodeNote makes.
std::optional<CallNote> DecodeNote(absl::string_view bytes);

// Appends the note as a line of the file, one JSON array:
//
//   ["+", topic, request_id, event, due]   accepted
//   [">", topic, request_id, instance_id]  started
//   ["!", topic, request_id, error]        failed; the error in base64
//   ["-", topic, request_id]               ended
void AppendNoteLine(const CallNote& note, std::string& lines);

// A note that owns its texts.
struct OwnedNote {
  NoteKind kind = NoteKind::kEnded;
  std::string topic;
  std::string request_id;
  std::string text;
  std::int64_t due_ms = 0;

  CallNote view() const { return {kind, topic, request_id, text, due_ms}; }
};

// The note in a line of the file; nothing if it is none.
std::optional<OwnedNote> ParseNoteLine(absl::string_view line);

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_CALL_NOTE_H_
