#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bridge/plugin_service/rpc_stream.h"

namespace atomemo::plugin_service {

// The completion queue that carries every RPC, and the one thread that polls it. One poller is
// faster than several, and than gRPC's callback API beside it: see
// tests/benchmark/plugin_service_benchmark.cc.
class RpcQueue : private RpcStream::Host {
 public:
  using HandlerFactory = std::function<std::unique_ptr<RpcHandler>(const RpcStart&)>;
  using PeerLookup = std::function<std::optional<PeerIdentity>(const std::string& grpc_peer)>;

  RpcQueue(RpcOutbox::Limits limits, HandlerFactory make_handler, PeerLookup find_peer);
  ~RpcQueue() override;

  // Adds the queue to a server that is about to be built.
  void Register(grpc::ServerBuilder& builder);

  // Begins to take calls. After the server was built.
  void Start();

  // Ends every RPC that is open now.
  void FinishAll(const absl::Status& status);

  // Waits for the last RPC to end, and ends the thread. After the server has shut down.
  void Stop();

 private:
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return open_.empty(); }

  void OnAccepted() override;
  std::unique_ptr<RpcHandler> MakeHandler(const RpcStart& start) override;
  std::optional<PeerIdentity> FindPeer(const std::string& grpc_peer) override;
  void OnStreamStarted(const std::shared_ptr<RpcOutbox>& outbox) override;
  void OnStreamEnded(const std::shared_ptr<RpcOutbox>& outbox) override;

  const RpcOutbox::Limits limits_;
  const HandlerFactory make_handler_;
  const PeerLookup find_peer_;

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;

  absl::Mutex mutex_;
  std::unordered_set<std::shared_ptr<RpcOutbox>> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_
