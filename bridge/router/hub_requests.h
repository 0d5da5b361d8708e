#ifndef ATOMEMO_BRIDGE_ROUTER_HUB_REQUESTS_H_
#define ATOMEMO_BRIDGE_ROUTER_HUB_REQUESTS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/router/options.h"
#include "bridge/router/session.h"

namespace atomemo::router {

// The calls that plugins make to the hub, each until its outcome. Lives on the io thread.
class HubRequests {
 public:
  using Done = std::function<void(absl::StatusOr<std::string>)>;

  HubRequests(HubPort& hub, base::Scheduler& scheduler, const RouterOptions& options);
  ~HubRequests();
  HubRequests(const HubRequests&) = delete;
  HubRequests& operator=(const HubRequests&) = delete;

  // `done` is called once, possibly before this returns. `data_json` is a valid JSON object.
  void Start(Session& session, absl::string_view event, std::string data_json,
             std::optional<absl::Duration> timeout, Done done);

  // The hub's answer. One for a request that is not under way (any more) is ignored.
  void OnReply(absl::string_view topic, absl::string_view request_id,
               absl::StatusOr<std::string> outcome);

  // The session ends: its requests fail with CANCELLED.
  void SessionClosed(const Session& session);

 private:
  struct Request {
    Session* session = nullptr;
    std::string topic;
    Done done;
    base::Scheduler::TimerId timer = base::Scheduler::kNoTimer;
  };

  void Finish(const std::string& request_id, absl::StatusOr<std::string> outcome);

  HubPort& hub_;
  base::Scheduler& scheduler_;
  const RouterOptions& options_;
  absl::flat_hash_map<std::string, Request> requests_;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_BRIDGE_ROUTER_HUB_REQUESTS_H_
