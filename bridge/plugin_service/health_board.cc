#include "bridge/plugin_service/health_board.h"

#include <algorithm>

namespace atomemo::plugin_service {
namespace {

constexpr int kPartOfTime = 20;
// Whoever asks now and then is told how it is right now.
constexpr absl::Duration kMaxDebt = absl::Milliseconds(2);
constexpr absl::Duration kMaxAge = absl::Seconds(1);

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
  debt_ = std::max(absl::ZeroDuration(), debt_ - (begin - counted_at_) / kPartOfTime);
  counted_at_ = begin;
  if (debt_ > kMaxDebt && begin - known_at_ < kMaxAge) return;
  const admin::v1::GetStatusResponse status = status_.Status();
  ready_ = status.ready();
  draining_ = status.draining();
  plugins_.clear();
  for (const admin::v1::PluginStatus& plugin : status.plugins()) {
    const auto [place, is_new] = plugins_.try_emplace(plugin.name(), plugin.ready());
    place->second = place->second && plugin.ready();
  }
  known_at_ = counted_at_ = io_.Now();
  debt_ = std::min(debt_ + (known_at_ - begin), kMaxDebt + kMaxAge / kPartOfTime);
}

}  // namespace atomemo::plugin_service
