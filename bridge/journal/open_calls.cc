#include "bridge/journal/open_calls.h"

#include <algorithm>
#include <optional>

namespace atomemo::journal {
namespace {

// Longer than any call may take: past it the file is wrong, or the clock was.
constexpr absl::Duration kMaxTimeLeft = absl::Hours(24);

// Nothing if there is none, or it cannot be read.
std::optional<router::pb::PluginError> DecodeError(const std::string& bytes) {
  router::pb::PluginError error;
  if (bytes.empty() || !error.ParseFromString(bytes)) return std::nullopt;
  return error;
}

}  // namespace

bool OpenCalls::Apply(const CallNote& note) {
  if (note.kind == NoteKind::kAccepted) {
    Entry entry;
    entry.event = std::string(note.text);
    entry.due_ms = note.due_ms;
    calls_[CallKey{std::string(note.topic), std::string(note.request_id)}] = std::move(entry);
    return true;
  }
  const auto found = calls_.find(CallKey::View(note.topic, note.request_id));
  if (found == calls_.end()) return false;
  Entry& entry = found->second;
  switch (note.kind) {
    case NoteKind::kStarted:
      entry.started = true;
      entry.instance_id = std::string(note.text);
      break;
    case NoteKind::kFailed:
      entry.error = std::string(note.text);
      break;
    default:
      calls_.erase(found);
  }
  return true;
}

std::string OpenCalls::Lines() const {
  std::string lines;
  for (const auto& [key, entry] : calls_) {
    CallNote note{NoteKind::kAccepted, key.topic, key.request_id, entry.event, entry.due_ms};
    AppendNoteLine(note, lines);
    if (entry.started) {
      note.kind = NoteKind::kStarted;
      note.text = entry.instance_id;
      AppendNoteLine(note, lines);
    }
    if (!entry.error.empty()) {
      note.kind = NoteKind::kFailed;
      note.text = entry.error;
      AppendNoteLine(note, lines);
    }
  }
  return lines;
}

std::vector<router::JournaledCall> OpenCalls::Calls(absl::Time now) const {
  std::vector<router::JournaledCall> calls;
  calls.reserve(calls_.size());
  for (const auto& [key, entry] : calls_) {
    calls.push_back({key.topic, key.request_id, entry.event,
                     std::min(absl::FromUnixMillis(entry.due_ms) - now, kMaxTimeLeft),
                     entry.started, entry.instance_id, DecodeError(entry.error)});
  }
  return calls;
}

CallSet OpenCalls::Keys() const {
  CallSet keys;
  keys.reserve(calls_.size());
  for (const auto& [key, entry] : calls_) keys.insert(key);
  return keys;
}

}  // namespace atomemo::journal
