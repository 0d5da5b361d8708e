#include "bridge/journal/call_note.h"

#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"

namespace atomemo::journal {
namespace {

using base::QuoteJson;

// In memory: this, then the three texts. Only this machine reads it.
struct Head {
  std::int64_t due_ms;
  std::uint32_t topic_size;
  std::uint32_t request_id_size;
  std::uint32_t text_size;
  NoteKind kind;
  char padding[3];
};
static_assert(sizeof(Head) == 24, "no padding that is not named: it would be written");

bool IsKind(char kind) {
  switch (static_cast<NoteKind>(kind)) {
    case NoteKind::kAccepted:
    case NoteKind::kStarted:
    case NoteKind::kFailed:
    case NoteKind::kEnded:
      return true;
  }
  return false;
}

std::uint32_t Size(absl::string_view text) { return static_cast<std::uint32_t>(text.size()); }

}  // namespace

void EncodeNote(const CallNote& note, std::string& bytes) {
  bytes.clear();
  const Head head = {note.due_ms,     Size(note.topic), Size(note.request_id),
                     Size(note.text), note.kind,        {}};
  bytes.append(reinterpret_cast<const char*>(&head), sizeof(head));
  absl::StrAppend(&bytes, note.topic, note.request_id, note.text);
}

std::optional<CallNote> DecodeNote(absl::string_view bytes) {
  Head head;
  if (bytes.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof(head));
  bytes.remove_prefix(sizeof(head));
  const std::uint64_t size = std::uint64_t{head.topic_size} + head.request_id_size + head.text_size;
  if (!IsKind(static_cast<char>(head.kind)) || size != bytes.size()) return std::nullopt;
  CallNote note;
  note.kind = head.kind;
  note.due_ms = head.due_ms;
  note.topic = bytes.substr(0, head.topic_size);
  note.request_id = bytes.substr(head.topic_size, head.request_id_size);
  note.text = bytes.substr(head.topic_size + head.request_id_size);
  return note;
}

void AppendNoteLine(const CallNote& note, std::string& lines) {
  absl::StrAppend(&lines, "[\"", std::string(1, static_cast<char>(note.kind)), "\",",
                  QuoteJson(note.topic), ",", QuoteJson(note.request_id));
  switch (note.kind) {
    case NoteKind::kAccepted:
      absl::StrAppend(&lines, ",", QuoteJson(note.text), ",", note.due_ms);
      break;
    case NoteKind::kStarted:
      absl::StrAppend(&lines, ",", QuoteJson(note.text));
      break;
    case NoteKind::kFailed:
      absl::StrAppend(&lines, ",\"", absl::Base64Escape(note.text), "\"");
      break;
    case NoteKind::kEnded:
      break;
  }
  lines.append("]\n");
}

std::optional<OwnedNote> ParseNoteLine(absl::string_view line) {
  absl::StatusOr<base::Json> json = base::ParseJson(line, /*max_depth=*/2);
  if (!json.ok() || !json->is_array() || json->size() < 3) return std::nullopt;
  const auto text = [&json](std::size_t index) -> const std::string* {
    return index < json->size() && (*json)[index].is_string()
               ? (*json)[index].get_ptr<const std::string*>()
               : nullptr;
  };
  const std::string* const kind = text(0);
  const std::string* const topic = text(1);
  const std::string* const request_id = text(2);
  if (kind == nullptr || topic == nullptr || request_id == nullptr) return std::nullopt;
  if (kind->size() != 1 || !IsKind(kind->front())) return std::nullopt;
  OwnedNote note{static_cast<NoteKind>(kind->front()), *topic, *request_id, "", 0};
  if (note.kind == NoteKind::kEnded) return note;

  if (text(3) == nullptr) return std::nullopt;
  note.text = *text(3);
  if (note.kind == NoteKind::kFailed && !absl::Base64Unescape(*text(3), &note.text)) {
    return std::nullopt;
  }
  if (note.kind != NoteKind::kAccepted) return note;

  if (json->size() != 5 || !(*json)[4].is_number_integer()) return std::nullopt;
  note.due_ms = (*json)[4].get<std::int64_t>();
  return note;
}

}  // namespace atomemo::journal
