#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_PEER_TABLE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_PEER_TABLE_H_

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"

namespace atomemo::plugin_service {

// A process on the other end of a Unix socket, as the kernel vouches for it.
struct PeerIdentity {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
};

// Who is behind each connection that was handed to gRPC as a descriptor. gRPC names such a peer
// "fd:N". Entries are never removed, only replaced when the number comes again: UnixListener sees
// to it that this is long after the last call of the earlier connection. Thread-safe.
class PeerTable {
 public:
  void Remember(int fd, PeerIdentity peer) {
    absl::MutexLock lock(&mutex_);
    peers_[fd] = peer;
  }

  // Nothing for peers of other kinds, such as TCP.
  std::optional<PeerIdentity> Find(absl::string_view grpc_peer) const {
    int fd = -1;
    if (!absl::ConsumePrefix(&grpc_peer, "fd:") || !absl::SimpleAtoi(grpc_peer, &fd)) return {};
    absl::MutexLock lock(&mutex_);
    const auto found = peers_.find(fd);
    if (found == peers_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  std::unordered_map<int, PeerIdentity> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_PEER_TABLE_H_
