#include "bridge/hub/pending_requests.h"

#include <algorithm>
#include <utility>

namespace atomemo::hub {

void PendingRequests::Add(absl::string_view request_id, absl::string_view ref, absl::Time now) {
  if (now >= forget_at_) Forget(now);
  requests_[std::string(request_id)] = {std::string(ref), now};
}

bool PendingRequests::Remove(absl::string_view request_id) {
  return requests_.erase(std::string(request_id)) > 0;
}

std::string PendingRequests::RemoveByRef(absl::string_view ref) {
  const auto found = std::find_if(requests_.begin(), requests_.end(),
                                  [&](const auto& request) { return request.second.ref == ref; });
  if (found == requests_.end()) return "";
  return requests_.extract(found).key();
}

std::vector<std::string> PendingRequests::RemoveAll() {
  std::vector<std::string> ids;
  for (const auto& [id, request] : std::exchange(requests_, {})) ids.push_back(id);
  return ids;
}

// Costs a walk over all, so it is done now and then.
void PendingRequests::Forget(absl::Time now) {
  forget_at_ = now + absl::Minutes(1);
  for (auto it = requests_.begin(); it != requests_.end();) {
    it = now - it->second.sent_at > kLifetime ? requests_.erase(it) : std::next(it);
  }
}

}  // namespace atomemo::hub
