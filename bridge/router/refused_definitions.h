#ifndef ATOMEMO_BRIDGE_ROUTER_REFUSED_DEFINITIONS_H_
#define ATOMEMO_BRIDGE_ROUTER_REFUSED_DEFINITIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/admin/v1/admin_service.pb.h"
#include "bridge/base/scheduler.h"

namespace atomemo::router {

// The plugins whose definition was refused last, by the bridge or by the hub: seen at the bridge,
// and said once although a plugin tries again and again. Lives on the io thread.
class RefusedDefinitions {
 public:
  explicit RefusedDefinitions(base::Scheduler& scheduler) : scheduler_(scheduler) {}

  // One more. `why` may carry violations, of which the first is told. A line is logged at once, and
  // for the same reason at most once a minute, with a count.
  void Add(absl::string_view name, std::optional<std::int32_t> pid, const absl::Status& why);

  // The plugin has been registered.
  void Remove(absl::string_view plugin);

  // Not long ago.
  bool Contains(absl::string_view plugin) const;

  void FillStatus(admin::v1::GetStatusResponse& status) const;

 private:
  struct Entry {
    admin::v1::RefusedDefinition told;
    absl::Time seen_at;
    absl::Time logged_at = absl::InfinitePast();
    std::uint64_t unlogged = 0;
  };

  base::Scheduler& scheduler_;
  std::map<std::string, Entry, std::less<>> entries_;  // by the plugin's name
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_REFUSED_DEFINITIONS_H_
