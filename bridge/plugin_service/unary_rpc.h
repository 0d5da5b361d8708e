#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNARY_RPC_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNARY_RPC_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpc_stream.h"

namespace atomemo::plugin_service {

// One request of a unary or server-streaming RPC, and the way to answer it. May be copied, moved to
// any thread, and used after the RPC is over (then it does nothing).
template <typename RequestT>
struct RpcCall {
  RequestT request;
  std::optional<PeerIdentity> peer;
  std::shared_ptr<RpcOutbox> outbox;

  // Sends the one response of a unary RPC, or ends any RPC with an error.
  template <typename Response>
  void Answer(Response response,
              plugin::v1::PayloadEncoding encoding = plugin::v1::PAYLOAD_ENCODING_JSON) const {
    outbox->Send(std::make_unique<Response>(std::move(response)), encoding);
    outbox->Finish(absl::OkStatus());
  }
  void Fail(const absl::Status& status) const { outbox->Finish(status); }
};

template <typename Request>
using UnaryCall = std::shared_ptr<const RpcCall<Request>>;

// Reads the one request of a unary or server-streaming RPC and hands it to `serve`, which is called
// on the completion queue's thread and must not block.
template <typename RequestT>
class UnaryRpc : public RpcHandler {
 public:
  using Serve = std::function<void(const UnaryCall<RequestT>&)>;

  UnaryRpc(const RpcStart& start, std::size_t max_message_bytes, Serve serve)
      : start_(start), max_message_bytes_(max_message_bytes), serve_(std::move(serve)) {}

  void OnMessage(grpc::ByteBuffer message) override {
    absl::Status status = CheckMessageSize(message.Length(), max_message_bytes_);
    auto call = std::make_shared<RpcCall<RequestT>>();
    if (status.ok()) status = ParseMessage(message, call->request);
    if (!status.ok()) return start_.outbox->Finish(status);
    call->peer = start_.peer;
    call->outbox = start_.outbox;
    serve_(call);
  }

  void OnHalfClose() override {
    start_.outbox->Finish(absl::InvalidArgumentError("the call has no request"));
  }

 private:
  const RpcStart start_;
  const std::size_t max_message_bytes_;
  const Serve serve_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_UNARY_RPC_H_
