#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_BOARD_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_BOARD_H_

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {

// What is ready, for everybody who asks. It is worked out for all of them together, and so seldom
// that it takes a twentieth of the io thread's time in the long run, however many plugins there are
// and however often anybody asks; but when it is a second old. Lives on the io thread.
class HealthBoard {
 public:
  HealthBoard(const router::StatusPort& status, base::Scheduler& io) : status_(status), io_(io) {}
  HealthBoard(const HealthBoard&) = delete;
  HealthBoard& operator=(const HealthBoard&) = delete;

  bool ready();
  bool draining();
  // Of a plugin, in each of its versions; nothing if none is published.
  std::optional<bool> IsReady(absl::string_view plugin);

 private:
  void Refresh();

  const router::StatusPort& status_;
  base::Scheduler& io_;
  bool ready_ = false;
  bool draining_ = false;
  absl::flat_hash_map<std::string, bool> plugins_;
  // When it was worked out.
  absl::Time known_at_ = absl::InfinitePast();
  // The time that it took, less a twentieth of all the time until `counted_at_`.
  absl::Duration debt_;
  absl::Time counted_at_ = absl::InfinitePast();
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_HEALTH_BOARD_H_
