#ifndef ATOMEMO_BRIDGE_HUB_PENDING_REQUESTS_H_
#define ATOMEMO_BRIDGE_HUB_PENDING_REQUESTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::hub {

// The calls to the hub on one topic that wait for its answer.
class PendingRequests {
 public:
  // The longest that a plugin may wait (see CallHub): what is older is forgotten.
  static constexpr absl::Duration kLifetime = absl::Hours(1);

  // `ref` is that of the push.
  void Add(absl::string_view request_id, absl::string_view ref, absl::Time now);

  // False if it does not wait (any more).
  bool Remove(absl::string_view request_id);

  // The request that was pushed with `ref`, removed; empty if none was.
  std::string RemoveByRef(absl::string_view ref);

  // All of them, removed.
  std::vector<std::string> RemoveAll();

  bool empty() const { return requests_.empty(); }

 private:
  struct Request {
    std::string ref;
    absl::Time sent_at;
  };

  void Forget(absl::Time now);

  std::map<std::string, Request, std::less<>> requests_;
  absl::Time forget_at_ = absl::InfinitePast();
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_PENDING_REQUESTS_H_
