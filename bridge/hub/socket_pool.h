#ifndef ATOMEMO_BRIDGE_HUB_SOCKET_POOL_H_
#define ATOMEMO_BRIDGE_HUB_SOCKET_POOL_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"
#include "bridge/hub/phoenix_socket.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

// The sockets to the hub. Each carries topics of one mode and a bounded number of them; further
// sockets are opened as they are needed, and closed some time after their last topic has gone.
//
// What one plugin is sent stands in line with what is sent to the others on its socket. So the
// first few topics have a socket each, and only further ones share.
//
// Lives on the io thread. Its methods may be called inside a socket's callbacks.
class SocketPool {
 public:
  struct Options {
    // What Phoenix allows by default.
    std::size_t max_channels_per_socket = 100;
    // So many sockets are opened, for each mode, before topics share one.
    std::size_t spread = 8;
    // At most so many topics get a socket of their own from AcquireAlone at a time.
    std::size_t max_alone = 32;
    absl::Duration linger = absl::Seconds(30);
  };
  using Make = std::function<std::unique_ptr<PhoenixSocket>(router::HubMode)>;

  SocketPool(base::Scheduler& scheduler, Make make, Options options);
  ~SocketPool();
  SocketPool(const SocketPool&) = delete;
  SocketPool& operator=(const SocketPool&) = delete;

  // Opens a socket before any topic needs one, and never closes it for lack of topics: so it is
  // known whether the hub can be reached.
  void Keep(router::HubMode mode);

  // A socket with room for one more topic, which is then taken until Release.
  PhoenixSocket& Acquire(router::HubMode mode);
  void Release(const PhoenixSocket& socket);

  // A socket for one topic of `shared` that nobody else gets until Share; the caller releases
  // `shared`. Null if the topic is alone there (it is kept so), or too many are.
  PhoenixSocket* AcquireAlone(const PhoenixSocket& shared);
  void Share(const PhoenixSocket& socket);

  // The hub refused the topic that was acquired last: the socket has no room for it or any further
  // one. False if it has no other topic: then another socket would be no better.
  bool MarkFull(const PhoenixSocket& socket);

  // Closes all sockets; `done` runs once, later, when all are closed.
  void Shutdown(std::function<void()> done);

  std::size_t size() const { return entries_.size(); }
  std::size_t open() const;
  // Of a socket, first of one that is kept; null if there is none at all.
  const router::pb::HubState* state() const;

 private:
  struct Entry {
    router::HubMode mode = router::HubMode::kDebug;
    std::unique_ptr<PhoenixSocket> socket;
    std::size_t channels = 0;
    std::size_t capacity = 0;
    bool alone = false;
    bool kept = false;
    base::Scheduler::TimerId linger_timer = base::Scheduler::kNoTimer;
  };

  Entry& Open(router::HubMode mode);
  Entry& Find(const PhoenixSocket& socket);
  void Close(const PhoenixSocket& socket);

  base::Scheduler& scheduler_;
  const Make make_;
  const Options options_;
  std::list<Entry> entries_;
  // Expires with this object.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_SOCKET_POOL_H_
