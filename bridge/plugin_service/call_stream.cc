#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "bridge/plugin_service/call_front.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;

// The messages of one RPC's own stream: `subscribe`, then `result` and `failure`.
class KindFront : public CallFront {
 public:
  explicit KindFront(CallKind kind)
      : CallFront(*router::EventOf(kind).stream_call, *router::EventOf(kind).stream_reply) {}

  absl::StatusOr<StreamEvent> ReadOther(google::protobuf::Message& reply) const override {
    return absl::InvalidArgumentError(SubscribeIn(reply) != nullptr
                                          ? "`subscribe` may only be the first message"
                                          : "a message must be `result` or `failure`");
  }

  // Null if it is something else.
  static const pb::Subscribe* SubscribeIn(const google::protobuf::Message& reply) {
    const auto& field = FieldFor(*reply.GetDescriptor(), *pb::Subscribe::descriptor());
    if (!reply.GetReflection()->HasField(reply, &field)) return nullptr;
    return &static_cast<const pb::Subscribe&>(reply.GetReflection()->GetMessage(reply, &field));
  }
};

const KindFront& FrontOf(CallKind kind) {
  static const auto& fronts = *new std::array<const KindFront*, router::kCallKindCount>([] {
    std::array<const KindFront*, router::kCallKindCount> made{};
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = new KindFront(static_cast<CallKind>(i));
    return made;
  }());
  return *fronts[static_cast<std::size_t>(kind)];
}

class CallStream : public RpcHandler {
 public:
  CallStream(CallKind kind, ContextPtr context, const RpcStart& start)
      : kind_(kind),
        peer_(start.peer),
        tie_(std::make_shared<StreamTie>(std::move(context), start.outbox,
                                         router::CallKindName(kind))),
        events_(std::make_shared<StreamEvents>(
            tie_->context->io, kMaxUnhandled,
            [tie = tie_, kind](StreamEvent event) { Handle(*tie, kind, std::move(event)); },
            [outbox = start.outbox] { outbox->RequestRead(); })),
        reader_(tie_, FrontOf(kind), events_) {}

  void OnMessage(grpc::ByteBuffer message) override {
    if (subscribed_) return reader_.Read(message);
    const std::unique_ptr<google::protobuf::Message> reply(FrontOf(kind_).reply().New());
    absl::Status status =
        CheckMessageSize(message.Length(), tie_->context->options.max_message_bytes);
    if (status.ok()) status = ParseMessage(message, *reply);
    if (!status.ok()) return tie_->outbox->Finish(status);
    const pb::Subscribe* const subscribe = KindFront::SubscribeIn(*reply);
    if (subscribe == nullptr) return EndUnsubscribed();
    subscribed_ = true;
    Subscribe(*subscribe);
    tie_->outbox->RequestRead();
  }

  void OnHalfClose() override {
    if (!subscribed_) return EndUnsubscribed();
    reader_.End();
    tie_->outbox->Finish(absl::OkStatus());
  }

  void OnDone() override { reader_.End(); }

 private:
  void EndUnsubscribed() {
    tie_->outbox->Finish(absl::InvalidArgumentError("the first message must be `subscribe`"));
  }

  void Subscribe(const pb::Subscribe& subscribe) {
    tie_->context->io.Post([tie = tie_, kind = kind_, peer = peer_, events = events_, subscribe] {
      if (tie->stream_ended) return;
      ServiceContext& context = *tie->context;
      const std::string& session_id = subscribe.session_id();
      const absl::StatusOr<KnownSession> session = context.sessions.Find(session_id, peer);
      if (!session.ok()) return tie->outbox->Finish(session.status());
      tie->encoding = session->encoding;
      tie->outbox->SetMaxReceiveBytes(session->max_receive_bytes);
      tie->session_id = session_id;
      tie->detach = [&context, session_id, kind] { context.port.Unsubscribe(session_id, kind); };
      // Set first: the router may use the sink, and even finish it, before it returns.
      tie->active = true;
      const absl::Status status = context.port.Subscribe(
          session_id, kind, subscribe.max_in_flight(),
          std::make_shared<StreamSink>(tie, FrontOf(kind), kind, RpcOutbox::Lane::kInOrder));
      if (status.ok()) return context.sessions.AddStream(session_id, kind, events);
      tie->active = false;
      tie->outbox->Finish(status);
    });
  }

  static void Handle(StreamTie& tie, CallKind kind, StreamEvent event) {
    if (std::holds_alternative<StreamEnd>(event)) {
      tie.stream_ended = true;
      tie.End();
    } else if (auto* const reply = std::get_if<router::PluginReply>(&event);
               reply != nullptr && tie.active) {
      reply->kind = kind;
      tie.context->port.Reply(tie.session_id, std::move(*reply));
    }
  }

  const CallKind kind_;
  const std::optional<PeerIdentity> peer_;
  const std::shared_ptr<StreamTie> tie_;
  const std::shared_ptr<StreamEvents> events_;
  ReplyReader reader_;
  bool subscribed_ = false;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeCallStream(CallKind kind, ContextPtr context,
                                           const RpcStart& start) {
  return std::make_unique<CallStream>(kind, std::move(context), start);
}

}  // namespace atomemo::plugin_service
