#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_

// What every stream that carries calls does alike, whatever its messages are.

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpc_outbox.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/router/call.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// On one stream, waiting for the io thread.
inline constexpr StreamEvents::Limits kMaxUnhandled{256, 1024 * 1024};

// What holds a stream and the router together. It outlives both.
class StreamTie : public std::enable_shared_from_this<StreamTie> {
 public:
  StreamTie(ContextPtr context, std::shared_ptr<RpcOutbox> outbox, absl::string_view name)
      : context(std::move(context)), outbox(std::move(outbox)), name(name) {}

  const ContextPtr context;
  const std::shared_ptr<RpcOutbox> outbox;
  const absl::string_view name;

  // Set on the io thread before anything is sent.
  pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_STRUCT;

  // The rest on the io thread only.

  std::string session_id;
  // The router has the stream.
  bool active = false;
  // The RPC ended before the io thread came to give it to the router.
  bool stream_ended = false;
  bool ending = false;
  // Takes it from the router.
  std::function<void()> detach;
  // A call that had been sent, or was about to be, was answered by FailCall.
  std::function<void(absl::string_view request_id)> on_failed;

  // Once. What was read until then still counts.
  void End() {
    if (!active || std::exchange(ending, true)) return;
    detach();
    active = false;
  }

  // Answers a call in the plugin's place. Later, because the router may be in the middle of
  // something. Thread-safe.
  void FailCall(router::CallKind kind, absl::string_view request_id, absl::string_view code,
                absl::string_view error_name, absl::string_view message);

  // Sends what the stream cannot do without, or ends it. Thread-safe.
  void SendOrEnd(std::unique_ptr<google::protobuf::Message> message,
                 pb::PayloadEncoding message_encoding = pb::PAYLOAD_ENCODING_JSON,
                 RpcOutbox::Lane lane = RpcOutbox::Lane::kInOrder);

  std::string OverflowMessage() const;
};

// The field of `container` that is of this type. There must be one.
const google::protobuf::FieldDescriptor& FieldFor(const google::protobuf::Descriptor& container,
                                                  const google::protobuf::Descriptor& type);

// A message like `container` with `part` in the field of its type.
std::unique_ptr<google::protobuf::Message> Wrap(const google::protobuf::Message& container,
                                                const google::protobuf::Message& part);

// The two messages of a stream, whose fields are found by their types: in `call` those of the calls
// and Cancel, Rejected and Drained; in `reply` those of the results and CallFailure. Has no state.
class CallFront {
 public:
  // `reply` must be a oneof of nothing else.
  CallFront(const google::protobuf::Message& call, const google::protobuf::Message& reply);
  virtual ~CallFront() = default;
  CallFront(const CallFront&) = delete;
  CallFront& operator=(const CallFront&) = delete;

  const google::protobuf::Message& call() const { return call_; }
  const google::protobuf::Message& reply() const { return reply_; }

  // What a reply is for the io thread, once it is known that it may come. May take long.
  // INVALID_ARGUMENT for what may not come once the stream has begun.
  absl::StatusOr<StreamEvent> Read(google::protobuf::Message& reply) const;

  // The request_id in a reply that cannot be used; empty if there is none.
  std::string RequestIdIn(grpc::ByteBuffer& reply) const { return FindRequestId(reply, answers_); }

  // A reply that is no answer. INVALID_ARGUMENT unless this front has such.
  virtual absl::StatusOr<StreamEvent> ReadOther(google::protobuf::Message& reply) const = 0;
  // Refuses a reply that is no answer; false if it is none of these.
  virtual bool RefuseOther(StreamTie&, grpc::ByteBuffer&, const absl::Status&) const {
    return false;
  }
  // A message that is no call cannot be sent. Those of most fronts are small.
  virtual void OnUnsendable(StreamTie&, const google::protobuf::Message&,
                            const absl::Status&) const {}

 private:
  const google::protobuf::Message& call_;
  const google::protobuf::Message& reply_;
  AnswerFields answers_;  // in the order of their numbers, with nothing between them
};

// What the router writes a kind of call to, on the io thread.
class StreamSink : public router::CallSink {
 public:
  StreamSink(std::shared_ptr<StreamTie> tie, const CallFront& front, router::CallKind kind,
             RpcOutbox::Lane lane);

  void Send(const router::CallForWorker& call) override;
  void Cancel(absl::string_view request_id, absl::string_view reason) override;
  void Reject(absl::string_view request_id,
              const std::vector<pb::DefinitionViolation>& violations) override;
  void Drained() override;
  void Finish(absl::Status status) override;
  bool IsOpen() const override { return !tie_->outbox->closed(); }
  std::string WhyClosed() const override { return tie_->outbox->WhyClosed(); }

 private:
  const std::shared_ptr<StreamTie> tie_;
  const CallFront& front_;
  const router::CallKind kind_;
  const RpcOutbox::Lane lane_;
  const int call_field_;
};

// Reads what comes once the stream has begun: from then on no message ends it, and one that is
// wrong costs its own call alone. On the completion queue's thread.
class ReplyReader {
 public:
  ReplyReader(std::shared_ptr<StreamTie> tie, const CallFront& front,
              std::shared_ptr<StreamEvents> events);

  void Read(grpc::ByteBuffer& message);
  // The stream has ended: that comes behind what was read.
  void End();

 private:
  struct Content;
  static Content ReadContent(const StreamTie& tie, const CallFront& front,
                             grpc::ByteBuffer& message);
  static void Take(StreamTie& tie, const CallFront& front, StreamEvents& events, Content content,
                   std::size_t size);

  const std::shared_ptr<StreamTie> tie_;
  const CallFront& front_;
  const std::shared_ptr<StreamEvents> events_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_
