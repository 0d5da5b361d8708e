#include "bridge/plugin_service/call_stream.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "bridge/plugin_service/call_front.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using router::CallPayload;

// ---- What differs between the five kinds: the messages' types, and the call's place in them

template <CallKind kKindOfStream, typename CallMessage, typename ReplyMessage, typename Payload,
          Payload* (CallMessage::*kMutablePayload)(),
          const Payload& (CallMessage::*kPayload)() const>
struct KindTraits {
  using Call = CallMessage;
  using Reply = ReplyMessage;
  static constexpr CallKind kKind = kKindOfStream;
  static constexpr AnswerFields kAnswers{Reply::kResultFieldNumber, Reply::kFailureFieldNumber};

  static RpcOutbox::Lane LaneOf(CallKind) { return RpcOutbox::Lane::kInOrder; }

  static void PutCall(CallPayload payload, Call& message) {
    *(message.*kMutablePayload)() = std::get<Payload>(std::move(payload));
  }
  static CallPlace CallOf(const Call& message) {
    return {kKind, (message.*kPayload)().info().request_id()};
  }

  static absl::Status Check(const Reply& reply) {
    if (reply.has_result() || reply.has_failure()) return absl::OkStatus();
    return absl::InvalidArgumentError(reply.has_subscribe()
                                          ? "`subscribe` may only be the first message"
                                          : "a message must be `result` or `failure`");
  }
  static bool RefuseOther(StreamTie&, grpc::ByteBuffer&, const absl::Status&) { return false; }
  static const std::string& RequestId(const Reply& reply) {
    return reply.has_result() ? reply.result().request_id() : reply.failure().request_id();
  }
  static StreamEvent Read(Reply reply) {
    if (reply.has_result()) return router::PluginReply(std::move(*reply.mutable_result()));
    return router::PluginReply(std::move(*reply.mutable_failure()));
  }
  // What is not a call is small.
  static void OnOtherUnsendable(StreamTie&, const Call&, const absl::Status&) {}
};

using AuthenticateTraits =
    KindTraits<CallKind::kAuthenticate, pb::AuthenticateCall, pb::AuthenticateReply,
               pb::Authentication, &pb::AuthenticateCall::mutable_authenticate,
               &pb::AuthenticateCall::authenticate>;
using AuthorizeOAuth2Traits =
    KindTraits<CallKind::kAuthorizeOAuth2, pb::AuthorizeOAuth2Call, pb::AuthorizeOAuth2Reply,
               pb::OAuth2Step, &pb::AuthorizeOAuth2Call::mutable_step,
               &pb::AuthorizeOAuth2Call::step>;
using InvokeTraits = KindTraits<CallKind::kInvoke, pb::InvokeCall, pb::InvokeReply, pb::Invocation,
                                &pb::InvokeCall::mutable_invoke, &pb::InvokeCall::invoke>;
using ListResourcesTraits =
    KindTraits<CallKind::kListResources, pb::ListResourcesCall, pb::ListResourcesReply,
               pb::ResourceQuery, &pb::ListResourcesCall::mutable_list,
               &pb::ListResourcesCall::list>;
using MapResourceTraits =
    KindTraits<CallKind::kMapResource, pb::MapResourceCall, pb::MapResourceReply, pb::MappingQuery,
               &pb::MapResourceCall::mutable_map, &pb::MapResourceCall::map>;

template <typename Traits>
class CallStream : public RpcHandler {
 public:
  CallStream(ContextPtr context, const RpcStart& start)
      : peer_(start.peer),
        tie_(std::make_shared<StreamTie>(std::move(context), start.outbox,
                                         router::CallKindName(Traits::kKind))),
        events_(std::make_shared<StreamEvents>(
            tie_->context->io, kMaxUnhandled,
            [tie = tie_](StreamEvent event) { Handle(*tie, std::move(event)); },
            [outbox = start.outbox] { outbox->RequestRead(); })),
        reader_(tie_, events_) {}

  void OnMessage(grpc::ByteBuffer message) override {
    if (subscribed_) return reader_.Read(message);
    typename Traits::Reply reply;
    absl::Status status =
        CheckMessageSize(message.Length(), tie_->context->options.max_message_bytes);
    if (status.ok()) status = ParseMessage(message, reply);
    if (!status.ok()) return tie_->outbox->Finish(status);
    if (!reply.has_subscribe()) return EndUnsubscribed();
    subscribed_ = true;
    Subscribe(reply.subscribe());
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
    tie_->context->io.Post([tie = tie_, peer = peer_, events = events_, subscribe] {
      if (tie->stream_ended) return;
      ServiceContext& context = *tie->context;
      const std::string& session_id = subscribe.session_id();
      const absl::StatusOr<KnownSession> session = context.sessions.Find(session_id, peer);
      if (!session.ok()) return tie->outbox->Finish(session.status());
      tie->encoding = session->encoding;
      tie->outbox->SetMaxReceiveBytes(session->max_receive_bytes);
      tie->session_id = session_id;
      tie->detach = [&context, session_id] { context.port.Unsubscribe(session_id, Traits::kKind); };
      // Set first: the router may use the sink, and even finish it, before it returns.
      tie->active = true;
      const absl::Status status =
          context.port.Subscribe(session_id, Traits::kKind, subscribe.max_in_flight(),
                                 std::make_shared<StreamSink<Traits>>(tie, Traits::kKind));
      if (status.ok()) return context.sessions.AddStream(session_id, Traits::kKind, events);
      tie->active = false;
      tie->outbox->Finish(status);
    });
  }

  static void Handle(StreamTie& tie, StreamEvent event) {
    if (std::holds_alternative<StreamEnd>(event)) {
      tie.stream_ended = true;
      tie.End();
    } else if (auto* const reply = std::get_if<router::PluginReply>(&event);
               reply != nullptr && tie.active) {
      tie.context->port.Reply(tie.session_id, Traits::kKind, std::move(*reply));
    }
  }

  const std::optional<PeerIdentity> peer_;
  const std::shared_ptr<StreamTie> tie_;
  const std::shared_ptr<StreamEvents> events_;
  ReplyReader<Traits> reader_;
  bool subscribed_ = false;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeCallStream(CallKind kind, ContextPtr context,
                                           const RpcStart& start) {
  switch (kind) {
    case CallKind::kAuthenticate:
      return std::make_unique<CallStream<AuthenticateTraits>>(std::move(context), start);
    case CallKind::kAuthorizeOAuth2:
      return std::make_unique<CallStream<AuthorizeOAuth2Traits>>(std::move(context), start);
    case CallKind::kInvoke:
      return std::make_unique<CallStream<InvokeTraits>>(std::move(context), start);
    case CallKind::kListResources:
      return std::make_unique<CallStream<ListResourcesTraits>>(std::move(context), start);
    case CallKind::kMapResource:
      return std::make_unique<CallStream<MapResourceTraits>>(std::move(context), start);
  }
  return nullptr;
}

}  // namespace atomemo::plugin_service
