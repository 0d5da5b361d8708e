#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_STREAM_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_STREAM_H_

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "bridge/plugin_service/peer_table.h"
#include "bridge/plugin_service/rpc_outbox.h"

namespace atomemo::plugin_service {

// What one RPC does with what the plugin sends. All methods are called on the completion queue's
// thread: they must not block. Owned by the RPC's stream.
class RpcHandler {
 public:
  virtual ~RpcHandler() = default;
  // The next one is read only after RpcOutbox::RequestRead; the first one needs no request.
  virtual void OnMessage(grpc::ByteBuffer message) = 0;
  // The plugin sends nothing more.
  virtual void OnHalfClose() = 0;
  // The RPC is over, whoever ended it. Nothing else is called after this.
  virtual void OnDone() {}
  // Whether its end is the end of other RPCs, too.
  virtual bool EndsOthers() const { return false; }
};

// What a handler gets to know of its RPC.
struct RpcStart {
  // For instance "/atomemo.plugin.v1.PluginService/Invoke".
  std::string method;
  // Nothing over TCP.
  std::optional<PeerIdentity> peer;
  std::shared_ptr<RpcOutbox> outbox;
};

// One RPC of any shape, as a bidirectional stream of bytes: a unary call is one that carries one
// message each way. Lives on the completion queue's thread and deletes itself once gRPC has
// returned every operation; RpcOutbox is what others hold.
class RpcStream : private RpcOutbox::Transport {
 public:
  // What streams need of the server.
  class Host {
   public:
    virtual ~Host() = default;
    // A call has come: the host makes a new stream for the next one.
    virtual void OnAccepted() = 0;
    // None will come: the server has shut down.
    virtual void OnNotAccepted() = 0;
    // Null: there is no such method.
    virtual std::unique_ptr<RpcHandler> MakeHandler(const RpcStart& start) = 0;
    virtual std::optional<PeerIdentity> FindPeer(const std::string& grpc_peer) = 0;
    // An error: the server is shutting down, and the RPC ends with that.
    virtual absl::Status OnStreamStarted(const std::shared_ptr<RpcOutbox>& outbox,
                                         bool ends_others) = 0;
    virtual void OnStreamEnded(const std::shared_ptr<RpcOutbox>& outbox) = 0;
    // As RpcOutbox::Transport's.
    virtual void RunAside(std::function<void()> work) = 0;
  };

  // Waits for one call. `host` outlives the completion queue's thread.
  static void Accept(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue,
                     RpcOutbox::Limits limits, Host& host);

  // Handles one event of the completion queue.
  static void Proceed(void* tag, bool ok);

 private:
  using Step = void (RpcStream::*)(bool ok);
  // What gRPC hands back when an operation has ended.
  struct Tag {
    RpcStream* stream;
    Step step;
  };

  RpcStream(grpc::ServerCompletionQueue& queue, RpcOutbox::Limits limits, Host& host);

  void StartRead() override;
  void StartHeaders() override;
  void StartWrite(const grpc::ByteBuffer& message) override;
  void StartWriteAndFinish(const grpc::ByteBuffer& message, const grpc::Status& end) override;
  void StartFinish(const grpc::Status& end) override;
  void Abort(const grpc::Status& end) override;
  void WakeQueueThread() override;
  void RunAside(std::function<void()> work) override { host_.RunAside(std::move(work)); }

  void OnAccept(bool ok);
  void OnRead(bool ok);
  void OnWrite(bool ok);
  void OnFinish(bool ok);
  void OnDone(bool ok);
  void OnWake(bool ok);
  void Release();

  grpc::ServerCompletionQueue& queue_;
  Host& host_;
  const std::shared_ptr<RpcOutbox> outbox_;
  std::unique_ptr<RpcHandler> handler_;
  bool done_ = false;

  // What must still happen before this may be deleted: gRPC's notice that the call is over, the end
  // of Finish, and the end of each read and alarm. (A write ends before Finish starts.)
  std::atomic<int> holds_{2};

  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer incoming_;
  grpc::Alarm alarm_;
  Tag accept_tag_{this, &RpcStream::OnAccept};
  Tag read_tag_{this, &RpcStream::OnRead};
  Tag write_tag_{this, &RpcStream::OnWrite};
  Tag finish_tag_{this, &RpcStream::OnFinish};
  Tag done_tag_{this, &RpcStream::OnDone};
  Tag wake_tag_{this, &RpcStream::OnWake};
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_STREAM_H_
