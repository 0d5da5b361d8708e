#include "bridge/plugin_service/health_board.h"

#include <algorithm>

namespace atomemo::plugin_service {
namespace {

// For so many times as long as it took to work it out.
constexpr int kValidFor = 19;
// So quick that it need not be kept.
constexpr absl::Duration kQuick = absl::Milliseconds(1);
constexpr absl::Duration kMaxValid = absl::Seconds(1);

}  // namespace

bool HealthBoard::ready() {
  Refresh();
  return ready_;
}

bool HealthBoard::draining() {
  Refresh();
  return draining_;
}

std::optional<bool> HealthBoard::IsReady(absl::string_view plugin) {
  Refresh();
  const auto found = plugins_.find(plugin);
  if (found == plugins_.end()) return std::nullopt;
  return found->second;
}

void HealthBoard::Refresh() {
  const absl::Time begin = io_.Now();
  if (begin < valid_until_) return;
  const admin::v1::GetStatusResponse status = status_.Status();
  ready_ = status.ready();
  draining_ = status.draining();
  plugins_.clear();
  for (const admin::v1::PluginStatus& plugin : status.plugins()) {
    const auto [place, is_new] = plugins_.try_emplace(plugin.name(), plugin.ready());
    place->second = place->second && plugin.ready();
  }
  const absl::Time end = io_.Now();
  if (end - begin > kQuick) valid_until_ = end + std::min(kValidFor * (end - begin), kMaxValid);
}

}  // namespace atomemo::plugin_service
