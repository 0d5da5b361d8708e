#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_

// What every stream that carries calls does alike, whatever its messages are. A stream's `Traits`:
//
//   Call, Reply           its messages, to the plugin and from it
//   kName                 its RPC's name
//   kAnswers              the fields of Reply that are answers
//   LaneOf(kind)          where a kind of call waits to be sent
//   PutCall(payload, m)   puts a call into a message
//   CallOf(m)             the call that is in a message; an empty request_id if none is
//   Check(reply)          whether it is a message that may come once the stream has begun
//   RequestId(reply)      of a reply; empty for anything else
//   Read(reply)           what it is for the io thread. May take long
//   RefuseOther(tie, bytes, why)  refuses a message that is no answer; false if it is none of these
//   OnOtherUnsendable(tie, m, why)  a message without a call cannot be sent

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/large_reply.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpc_outbox.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/router/call.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// On one stream, waiting for the io thread.
inline constexpr StreamEvents::Limits kMaxUnhandled{256, 1024 * 1024};

// The call in a message.
struct CallPlace {
  router::CallKind kind;
  const std::string& request_id;
};

pb::CallFailure Failure(absl::string_view request_id, absl::string_view code,
                        absl::string_view name, absl::string_view message);

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

template <typename Traits>
std::unique_ptr<typename Traits::Call> Rejection(
    absl::string_view request_id, const std::vector<pb::DefinitionViolation>& violations) {
  auto message = std::make_unique<typename Traits::Call>();
  message->mutable_rejected()->set_request_id(std::string(request_id));
  for (const pb::DefinitionViolation& violation : violations) {
    *message->mutable_rejected()->add_violations() = violation;
  }
  FitViolations(*message->mutable_rejected()->mutable_violations());
  return message;
}

// What the router writes a kind of call to, on the io thread.
template <typename Traits>
class StreamSink : public router::CallSink {
 public:
  StreamSink(std::shared_ptr<StreamTie> tie, router::CallKind kind)
      : tie_(std::move(tie)), kind_(kind) {}

  void Send(router::CallPayload payload) override {
    auto message = std::make_unique<typename Traits::Call>();
    Traits::PutCall(std::move(payload), *message);
    const std::string request_id = Traits::CallOf(*message).request_id;
    const auto result =
        tie_->outbox->Send(std::move(message), tie_->encoding, Traits::LaneOf(kind_));
    if (result == RpcOutbox::SendResult::kFull) {
      tie_->FailCall(kind_, request_id, "transient:overloaded", "Overloaded",
                     tie_->OverflowMessage());
    }
  }

  void Cancel(absl::string_view request_id, absl::string_view reason) override {
    auto message = std::make_unique<typename Traits::Call>();
    message->mutable_cancel()->set_request_id(std::string(request_id));
    message->mutable_cancel()->set_reason(std::string(reason));
    tie_->SendOrEnd(std::move(message));
  }

  void Reject(absl::string_view request_id,
              const std::vector<pb::DefinitionViolation>& violations) override {
    tie_->SendOrEnd(Rejection<Traits>(request_id, violations));
  }

  void Drained() override {
    auto message = std::make_unique<typename Traits::Call>();
    message->mutable_drained();
    tie_->SendOrEnd(std::move(message));
  }

  void Finish(absl::Status status) override {
    tie_->active = false;
    tie_->outbox->Finish(status);
  }

  bool IsOpen() const override { return !tie_->outbox->closed(); }
  std::string WhyClosed() const override { return tie_->outbox->WhyClosed(); }

 private:
  const std::shared_ptr<StreamTie> tie_;
  const router::CallKind kind_;
};

// Reads what comes once the stream has begun: from then on no message ends it, and one that is
// wrong costs its own call alone. On the completion queue's thread.
template <typename Traits>
class ReplyReader {
 public:
  ReplyReader(std::shared_ptr<StreamTie> tie, std::shared_ptr<StreamEvents> events)
      : tie_(std::move(tie)), events_(std::move(events)) {
    // The tie's outbox must not hold the tie.
    tie_->outbox->SetOnUnsendable(
        [weak = std::weak_ptr<StreamTie>(tie_)](const google::protobuf::Message& message,
                                                const absl::Status& why) {
          if (const auto locked = weak.lock()) OnUnsendable(*locked, message, why);
        });
  }

  void Read(grpc::ByteBuffer& message) {
    const std::size_t size = message.Length();
    if (size > base::kLargeMessage) return ReadAside(message, size);
    typename Traits::Reply reply;
    absl::Status status = CheckMessageSize(size, tie_->context->options.max_message_bytes);
    if (status.ok()) status = ParseMessage(message, reply);
    if (status.ok()) status = Traits::Check(reply);
    if (status.ok()) status = CheckRequestId(Traits::RequestId(reply));
    if (!status.ok()) {
      if (Traits::RefuseOther(*tie_, message, status)) return tie_->outbox->RequestRead();
      return Refuse(*tie_, *events_, FindRequestId(message, Traits::kAnswers), status.message());
    }
    Take(*tie_, *events_, Traits::Read(std::move(reply)), size);
  }

  // The stream has ended: that comes behind what was read.
  void End() {
    // Nothing more is read, so it does not matter whether there is room.
    const auto push = [events = events_] { static_cast<void>(events->Push(StreamEnd(), 0)); };
    if (!events_->expects()) return push();
    tie_->context->io.RunAside([] {}, push);  // behind what is being read
  }

 private:
  static void Take(StreamTie& tie, StreamEvents& events, StreamEvent event, std::size_t size) {
    if (events.Push(std::move(event), size)) tie.outbox->RequestRead();
  }

  // Fails the one call whose answer cannot be used, if that is known, and tells the plugin.
  static void Refuse(StreamTie& tie, StreamEvents& events, const std::string& request_id,
                     absl::string_view why) {
    pb::DefinitionViolation violation;
    violation.set_message(std::string(why));
    tie.SendOrEnd(Rejection<Traits>(request_id, {violation}));
    if (request_id.empty()) return tie.outbox->RequestRead();
    Take(tie, events,
         router::PluginReply(Failure(request_id, "sdk:invalid_return", "InvalidReturn",
                                     absl::StrCat("the plugin's answer cannot be used: ", why))),
         request_id.size());
  }

  // Reads a large reply where that may take its time. The next message is asked for afterwards.
  void ReadAside(const grpc::ByteBuffer& message, std::size_t size) {
    struct Large {
      grpc::ByteBuffer message;
      absl::Status status;
      std::string request_id;
      std::optional<StreamEvent> event;
      // It was no answer, and has been refused otherwise.
      bool refused = false;
    };
    auto large = std::make_shared<Large>();
    large->message = message;  // its slices are shared
    large->status = CheckMessageSize(size, tie_->context->options.max_message_bytes);
    events_->Expect();
    tie_->context->io.RunAside(
        [tie = tie_, large] {
          typename Traits::Reply reply;
          absl::Status& status = large->status;
          if (status.ok()) status = ParseMessage(large->message, reply);
          if (status.ok()) status = Traits::Check(reply);
          if (status.ok()) status = CheckRequestId(Traits::RequestId(reply));
          if (status.ok()) {
            large->event = Traits::Read(std::move(reply));
            if (auto* const read = std::get_if<router::PluginReply>(&*large->event)) {
              *read = ReadInFull(std::move(*read));
            }
          } else {
            large->refused = Traits::RefuseOther(*tie, large->message, status);
            large->request_id = FindRequestId(large->message, Traits::kAnswers);
          }
          large->message.Clear();
        },
        [tie = tie_, events = events_, large, size] {
          if (large->event) return Take(*tie, *events, *std::move(large->event), size);
          if (large->refused) return tie->outbox->RequestRead();
          Refuse(*tie, *events, large->request_id, large->status.message());
        });
  }

  static absl::Status CheckRequestId(const std::string& request_id) {
    if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("the request_id has ", request_id.size(),
                                                   " bytes, and may have ", kMaxRequestIdBytes));
  }

  static void OnUnsendable(StreamTie& tie, const google::protobuf::Message& message,
                           const absl::Status& why) {
    const auto& call_message = static_cast<const typename Traits::Call&>(message);
    const CallPlace call = Traits::CallOf(call_message);
    if (call.request_id.empty()) return Traits::OnOtherUnsendable(tie, call_message, why);
    tie.FailCall(call.kind, call.request_id, "sdk:invalid_parameter", "InvalidParameter",
                 absl::StrCat("the call cannot be sent to the plugin: ", why.message()));
  }

  const std::shared_ptr<StreamTie> tie_;
  const std::shared_ptr<StreamEvents> events_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_CALL_FRONT_H_
