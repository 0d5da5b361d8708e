#include "bridge/plugin_service/fit_event.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;
using Violations = google::protobuf::RepeatedPtrField<pb::DefinitionViolation>;

// Every plugin takes twice as much.
constexpr std::size_t kMaxEventBytes = 64 * 1024;
constexpr std::size_t kMaxReasonBytes = 16 * 1024;
constexpr std::size_t kMissingEntryBytes = 100;

// Ends between characters.
void Truncate(std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  text.resize(limit);
  text += "...";
}

std::vector<pb::SessionEvent> SplitDelivered(pb::Delivered& delivered) {
  std::vector<pb::SessionEvent> events;
  std::size_t bytes = kMaxEventBytes;
  for (std::string& id : *delivered.mutable_request_ids()) {
    bytes += id.size() + 8;
    if (bytes > kMaxEventBytes) {
      events.emplace_back();
      bytes = id.size() + 8;
    }
    events.back().mutable_delivered()->add_request_ids(std::move(id));
  }
  return events;
}

}  // namespace

void FitViolations(std::size_t max_bytes, Violations& violations) {
  if (violations.empty()) return;
  // The first one is there in any case.
  Truncate(*violations[0].mutable_path(), max_bytes / 4);
  Truncate(*violations[0].mutable_message(), max_bytes / 2);
  std::size_t size = kMissingEntryBytes;
  for (int i = 0; i < violations.size(); ++i) {
    size += violations[i].ByteSizeLong() + 4;
    if (size <= max_bytes) continue;
    const int missing = violations.size() - i;
    violations.DeleteSubrange(i, missing);
    violations.Add()->set_message(absl::StrCat("... and ", missing, " more: correct these first"));
    return;
  }
}

void FitViolations(Violations& violations) { FitViolations(kMaxEventBytes, violations); }

std::vector<pb::SessionEvent> FitEvent(pb::SessionEvent event) {
  if (event.ByteSizeLong() <= kMaxEventBytes) return {std::move(event)};
  if (event.has_delivered()) return SplitDelivered(*event.mutable_delivered());
  if (event.has_hub_state()) {
    Truncate(*event.mutable_hub_state()->mutable_reason(), kMaxReasonBytes);
    FitViolations(*event.mutable_hub_state()->mutable_violations());
  } else if (event.has_opened()) {
    FitViolations(*event.mutable_opened()->mutable_warnings());
  }
  return {std::move(event)};
}

}  // namespace atomemo::plugin_service
