#include "bridge/router/refused_definitions.h"

#include <algorithm>
#include <utility>

#include "bridge/base/log.h"
#include "bridge/definition/messages.h"
#include "bridge/router/ports.h"

namespace atomemo::router {
namespace {

// Names come from plugins: any number of them.
constexpr std::size_t kMaxPlugins = 200;
constexpr std::size_t kMaxNameBytes = 100;
constexpr absl::Duration kLogAgainAfter = absl::Minutes(1);
// A plugin that does not come again is gone.
constexpr absl::Duration kForgetAfter = absl::Minutes(10);

std::string KeyOf(absl::string_view name) {
  return std::string(definition::CutText(name, kMaxNameBytes));
}

}  // namespace

void RefusedDefinitions::Add(absl::string_view name, std::optional<std::int32_t> pid,
                             const absl::Status& why) {
  const std::string plugin = KeyOf(name);
  if (entries_.size() >= kMaxPlugins && entries_.find(plugin) == entries_.end()) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.seen_at < b.second.seen_at;
    }));
  }
  Entry& entry = entries_[plugin];
  entry.seen_at = scheduler_.Now();
  admin::v1::RefusedDefinition told;
  told.set_name(plugin);
  told.set_pid(pid.value_or(0));
  told.set_times(entry.told.times() + 1);
  told.set_message(std::string(why.message()));
  if (const std::optional<plugin::v1::DefinitionViolations> violations = GetViolations(why);
      violations && violations->violations_size() > 0) {
    told.set_path(violations->violations(0).path());
    told.set_message(violations->violations(0).message());
    told.set_violations(violations->violations_size());
  }
  const bool is_same = told.path() == entry.told.path() && told.message() == entry.told.message();
  entry.told = std::move(told);
  ++entry.unlogged;
  if (is_same && scheduler_.Now() < entry.logged_at + kLogAgainAfter) return;
  entry.logged_at = scheduler_.Now();
  base::LogWarning("definition refused", {{"plugin", plugin},
                                          {"pid", pid},
                                          {"path", entry.told.path()},
                                          {"reason", entry.told.message()},
                                          {"violations", entry.told.violations()},
                                          {"times", std::exchange(entry.unlogged, 0)}});
}

void RefusedDefinitions::Remove(absl::string_view plugin) { entries_.erase(KeyOf(plugin)); }

bool RefusedDefinitions::Contains(absl::string_view plugin) const {
  const auto entry = entries_.find(KeyOf(plugin));
  return entry != entries_.end() && scheduler_.Now() - entry->second.seen_at < kForgetAfter;
}

void RefusedDefinitions::FillStatus(admin::v1::GetStatusResponse& status) const {
  for (const auto& [name, entry] : entries_) {
    if (scheduler_.Now() - entry.seen_at < kForgetAfter) {
      *status.add_refused_definitions() = entry.told;
    }
  }
}

}  // namespace atomemo::router
