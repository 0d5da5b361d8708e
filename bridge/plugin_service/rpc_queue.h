#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bridge/plugin_service/rpc_stream.h"

namespace atomemo::plugin_service {

// The completion queue that carries every RPC, and the one thread that polls it. One poller is
// faster than several, and than gRPC's callback API beside it: see
// tests/benchmark/plugin_service_benchmark.cc.
class RpcQueue : private RpcStream::Host {
 public:
  using HandlerFactory = std::function<std::unique_ptr<RpcHandler>(const RpcStart&)>;
  using PeerLookup = std::function<std::optional<PeerIdentity>(const std::string& grpc_peer)>;

  // `run_aside` runs a task soon on a thread that may take its time; it must, until Stop has
  // returned.
  RpcQueue(RpcOutbox::Limits limits, HandlerFactory make_handler, PeerLookup find_peer,
           std::function<void(std::function<void()>)> run_aside);
  ~RpcQueue() override;

  // Adds the queue to a server that is about to be built.
  void Register(grpc::ServerBuilder& builder);

  // Begins to take calls. After the server was built.
  void Start();

  // Ends every RPC that is open now, and from now on every further one, with `status`: those first
  // whose end is nobody else's, so that no RPC ends as a consequence of another one.
  void Close(const absl::Status& status);

  // Waits for the last RPC to end; whether that was in time.
  bool WaitIdle(absl::Duration timeout);

  // Ends now those whose plugin does not read their end. After Close.
  void AbortAll();

  // Waits for the last RPC to end, and ends the thread. After the server has shut down.
  void Stop();

 private:
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return open_.empty(); }
  bool IsOver() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return IsIdle() && accepting_ == 0; }

  void Accept();
  void OnAccepted() override { Accept(); }
  void OnNotAccepted() override;
  std::unique_ptr<RpcHandler> MakeHandler(const RpcStart& start) override;
  std::optional<PeerIdentity> FindPeer(const std::string& grpc_peer) override;
  absl::Status OnStreamStarted(const std::shared_ptr<RpcOutbox>& outbox, bool ends_others) override;
  void OnStreamEnded(const std::shared_ptr<RpcOutbox>& outbox) override;
  void RunAside(std::function<void()> work) override { run_aside_(std::move(work)); }

  const RpcOutbox::Limits limits_;
  const HandlerFactory make_handler_;
  const PeerLookup find_peer_;
  const std::function<void(std::function<void()>)> run_aside_;

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;

  absl::Mutex mutex_;
  // With what OnStreamStarted was told.
  std::unordered_map<std::shared_ptr<RpcOutbox>, bool> open_ ABSL_GUARDED_BY(mutex_);
  // An error once closed.
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  // Streams that wait for a call. One that has got it, but not heard of it yet, is among them.
  int accepting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_QUEUE_H_
