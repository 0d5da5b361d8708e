#include "bridge/plugin_service/call_stream.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/large_reply.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;
using router::CallKind;
using router::CallPayload;
using router::PluginReply;

// ---- What differs between the five kinds: the messages' types, and the call's place in them

struct AuthenticateTraits {
  using Call = pb::AuthenticateCall;
  using Reply = pb::AuthenticateReply;
  static constexpr CallKind kKind = CallKind::kAuthenticate;
  static constexpr auto kMutablePayload = &Call::mutable_authenticate;
  static constexpr auto kPayload = &Call::authenticate;
};

struct AuthorizeOAuth2Traits {
  using Call = pb::AuthorizeOAuth2Call;
  using Reply = pb::AuthorizeOAuth2Reply;
  static constexpr CallKind kKind = CallKind::kAuthorizeOAuth2;
  static constexpr auto kMutablePayload = &Call::mutable_step;
  static constexpr auto kPayload = &Call::step;
};

struct InvokeTraits {
  using Call = pb::InvokeCall;
  using Reply = pb::InvokeReply;
  static constexpr CallKind kKind = CallKind::kInvoke;
  static constexpr auto kMutablePayload = &Call::mutable_invoke;
  static constexpr auto kPayload = &Call::invoke;
};

struct ListResourcesTraits {
  using Call = pb::ListResourcesCall;
  using Reply = pb::ListResourcesReply;
  static constexpr CallKind kKind = CallKind::kListResources;
  static constexpr auto kMutablePayload = &Call::mutable_list;
  static constexpr auto kPayload = &Call::list;
};

struct MapResourceTraits {
  using Call = pb::MapResourceCall;
  using Reply = pb::MapResourceReply;
  static constexpr CallKind kKind = CallKind::kMapResource;
  static constexpr auto kMutablePayload = &Call::mutable_map;
  static constexpr auto kPayload = &Call::map;
};

// On one stream, waiting for the io thread.
constexpr StreamEvents::Limits kMaxUnhandled{256, 1024 * 1024};

pb::CallFailure Failure(absl::string_view request_id, absl::string_view code,
                        absl::string_view name, absl::string_view message) {
  pb::CallFailure failure;
  failure.set_request_id(std::string(request_id));
  failure.mutable_error()->set_code(std::string(code));
  failure.mutable_error()->set_name(std::string(name));
  failure.mutable_error()->set_message(std::string(message));
  return failure;
}

// A stream's standing with the router. On the io thread only.
struct Subscription {
  CallKind kind;
  std::string session_id;
  bool active = false;
  // The RPC ended before the io thread came to subscribe it.
  bool stream_ended = false;

  // Tells the router, once.
  void End(ServiceContext& context) {
    if (std::exchange(active, false)) context.port.Unsubscribe(session_id, kind);
  }
};

// What the router writes to, on the io thread. FailCall and Reject may be called on any thread.
template <typename Traits>
class StreamSink : public router::CallSink,
                   public std::enable_shared_from_this<StreamSink<Traits>> {
 public:
  StreamSink(ContextPtr context, std::shared_ptr<RpcOutbox> outbox,
             std::shared_ptr<Subscription> subscription)
      : context_(std::move(context)),
        outbox_(std::move(outbox)),
        subscription_(std::move(subscription)) {}

  void set_encoding(pb::PayloadEncoding encoding) { encoding_ = encoding; }

  void Send(CallPayload payload) override {
    using Payload =
        std::decay_t<decltype((std::declval<typename Traits::Call>().*Traits::kPayload)())>;
    auto message = std::make_unique<typename Traits::Call>();
    *(message.get()->*Traits::kMutablePayload)() = std::get<Payload>(std::move(payload));
    const std::string request_id = (message.get()->*Traits::kPayload)().info().request_id();
    if (outbox_->Send(std::move(message), encoding_) == RpcOutbox::SendResult::kFull) {
      FailCall(request_id, "transient:overloaded", "Overloaded", OverflowMessage());
    }
  }

  void Cancel(absl::string_view request_id, absl::string_view reason) override {
    auto message = std::make_unique<typename Traits::Call>();
    message->mutable_cancel()->set_request_id(std::string(request_id));
    message->mutable_cancel()->set_reason(std::string(reason));
    SendOrEnd(std::move(message));
  }

  void Reject(absl::string_view request_id,
              const std::vector<pb::DefinitionViolation>& violations) override {
    auto message = std::make_unique<typename Traits::Call>();
    message->mutable_rejected()->set_request_id(std::string(request_id));
    for (const pb::DefinitionViolation& violation : violations) {
      *message->mutable_rejected()->add_violations() = violation;
    }
    FitViolations(*message->mutable_rejected()->mutable_violations());
    SendOrEnd(std::move(message));
  }

  void Drained() override {
    auto message = std::make_unique<typename Traits::Call>();
    message->mutable_drained();
    SendOrEnd(std::move(message));
  }

  void Finish(absl::Status status) override {
    subscription_->active = false;
    outbox_->Finish(status);
  }

  bool IsOpen() const override { return !outbox_->closed(); }
  std::string WhyClosed() const override { return outbox_->WhyClosed(); }

  // Answers a call in the plugin's place. Later, because the router may be in the middle of
  // something. Thread-safe.
  void FailCall(absl::string_view request_id, absl::string_view code, absl::string_view name,
                absl::string_view message) {
    context_->io.Post([self = this->shared_from_this(),
                       failure = Failure(request_id, code, name, message)]() mutable {
      if (!self->subscription_->active) return;
      self->context_->port.Fail(self->subscription_->session_id, Traits::kKind, std::move(failure));
    });
  }

 private:
  void SendOrEnd(std::unique_ptr<typename Traits::Call> message) {
    if (outbox_->Send(std::move(message)) != RpcOutbox::SendResult::kFull) return;
    outbox_->Abort(absl::ResourceExhaustedError(OverflowMessage()));
    // The stream may take long to end, as the plugin does not read: its calls fail now.
    context_->io.Post(
        [self = this->shared_from_this()] { self->subscription_->End(*self->context_); });
  }

  std::string OverflowMessage() const {
    return absl::StrCat("the plugin reads its ", CallKindName(Traits::kKind),
                        " stream too slowly: more than ", context_->options.max_stream_messages,
                        " messages (--max-stream-messages) or ", context_->options.max_stream_bytes,
                        " bytes (--max-stream-bytes) wait");
  }

  const ContextPtr context_;
  const std::shared_ptr<RpcOutbox> outbox_;
  const std::shared_ptr<Subscription> subscription_;
  pb::PayloadEncoding encoding_ = pb::PAYLOAD_ENCODING_STRUCT;
};

template <typename Traits>
class CallStream : public RpcHandler {
 public:
  CallStream(ContextPtr context, const RpcStart& start)
      : context_(std::move(context)),
        peer_(start.peer),
        outbox_(start.outbox),
        subscription_(std::make_shared<Subscription>(Subscription{Traits::kKind})),
        sink_(std::make_shared<StreamSink<Traits>>(context_, outbox_, subscription_)),
        events_(std::make_shared<StreamEvents>(
            context_->io, kMaxUnhandled,
            [context = context_, subscription = subscription_](std::optional<PluginReply> event) {
              Handle(*context, *subscription, std::move(event));
            },
            [outbox = outbox_] { outbox->RequestRead(); })) {
    // The sink's outbox must not hold the sink.
    outbox_->SetOnUnsendable([sink = std::weak_ptr<StreamSink<Traits>>(sink_)](
                                 const google::protobuf::Message& message,
                                 const absl::Status& why) { OnUnsendable(sink, message, why); });
  }

  void OnMessage(grpc::ByteBuffer message) override {
    const std::size_t size = message.Length();
    if (subscribed_ && size > base::kLargeMessage) return ReadAside(std::move(message), size);
    typename Traits::Reply reply;
    absl::Status status = CheckMessageSize(size, context_->options.max_message_bytes);
    if (status.ok()) status = ParseMessage(message, reply);
    if (!subscribed_) {
      if (!status.ok()) return End(status);
      if (!reply.has_subscribe()) return End("the first message must be `subscribe`");
      subscribed_ = true;
      Subscribe(reply.subscribe());
      return outbox_->RequestRead();
    }
    // From here on no message ends the stream: one that is wrong costs its own call alone.
    if (status.ok()) status = CheckReply(reply);
    if (!status.ok()) return Refuse(FindRequestId(message), status.message());
    TakeReply(ReplyOf(std::move(reply)), size);
  }

  void OnHalfClose() override {
    if (!subscribed_) return End("the first message must be `subscribe`");
    Unsubscribe();
    outbox_->Finish(absl::OkStatus());
  }

  void OnDone() override { Unsubscribe(); }

 private:
  void End(const absl::Status& status) { outbox_->Finish(status); }
  void End(absl::string_view what) { End(absl::InvalidArgumentError(what)); }

  void Subscribe(const pb::Subscribe& subscribe) {
    context_->io.Post([context = context_, peer = peer_, outbox = outbox_, sink = sink_,
                       subscription = subscription_, events = events_, subscribe] {
      if (subscription->stream_ended) return;
      const absl::StatusOr<KnownSession> session =
          context->sessions.Find(subscribe.session_id(), peer);
      if (!session.ok()) return outbox->Finish(session.status());
      sink->set_encoding(session->encoding);
      outbox->SetMaxReceiveBytes(session->max_receive_bytes);
      subscription->session_id = subscribe.session_id();
      // Set first: the router may use the sink, and even finish it, before it returns.
      subscription->active = true;
      const absl::Status status = context->port.Subscribe(subscribe.session_id(), Traits::kKind,
                                                          subscribe.max_in_flight(), sink);
      if (status.ok()) {
        context->sessions.AddStream(subscribe.session_id(), Traits::kKind, events);
        return;
      }
      subscription->active = false;
      outbox->Finish(status);
    });
  }

  void Unsubscribe() {
    // Nothing more is read, so it does not matter whether there is room.
    const auto push = [events = events_] { static_cast<void>(events->Push(std::nullopt, 0)); };
    if (!events_->expects()) return push();
    context_->io.RunAside([] {}, push);  // behind what is being read
  }

  static absl::Status CheckReply(const typename Traits::Reply& reply) {
    if (reply.has_result() || reply.has_failure()) return absl::OkStatus();
    return absl::InvalidArgumentError(reply.has_subscribe()
                                          ? "`subscribe` may only be the first message"
                                          : "a message must be `result` or `failure`");
  }

  static absl::Status CheckRequestId(const typename Traits::Reply& reply) {
    const std::size_t bytes =
        (reply.has_result() ? reply.result().request_id() : reply.failure().request_id()).size();
    if (bytes <= kMaxRequestIdBytes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the request_id has ", bytes, " bytes, and may have ", kMaxRequestIdBytes));
  }

  static PluginReply ReplyOf(typename Traits::Reply reply) {
    if (reply.has_result()) return std::move(*reply.mutable_result());
    return std::move(*reply.mutable_failure());
  }

  // Reads a large reply where that may take its time. The next message is asked for afterwards.
  void ReadAside(grpc::ByteBuffer message, std::size_t size) {
    struct Large {
      grpc::ByteBuffer message;
      absl::Status status;
      std::string request_id;
      std::optional<PluginReply> reply;
    };
    auto large = std::make_shared<Large>();
    large->message = std::move(message);
    large->status = CheckMessageSize(size, context_->options.max_message_bytes);
    events_->Expect();
    context_->io.RunAside(
        [large] {
          typename Traits::Reply reply;
          absl::Status& status = large->status;
          if (status.ok()) status = ParseMessage(large->message, reply);
          if (status.ok()) status = CheckReply(reply);
          if (status.ok()) status = CheckRequestId(reply);
          if (status.ok()) {
            large->reply = ReadInFull(ReplyOf(std::move(reply)));
          } else {
            large->request_id = FindRequestId(large->message);
          }
          large->message.Clear();
        },
        [outbox = outbox_, sink = sink_, events = events_, large, size] {
          if (large->reply) return TakeReply(*outbox, *events, *std::move(large->reply), size);
          Refuse(*outbox, *sink, *events, large->request_id, large->status.message());
        });
  }

  static void Handle(ServiceContext& context, Subscription& subscription,
                     std::optional<PluginReply> event) {
    if (!event) {
      subscription.stream_ended = true;
      subscription.End(context);
    } else if (subscription.active) {
      context.port.Reply(subscription.session_id, Traits::kKind, *std::move(event));
    }
  }

  void TakeReply(PluginReply reply, std::size_t size) {
    TakeReply(*outbox_, *events_, std::move(reply), size);
  }
  static void TakeReply(RpcOutbox& outbox, StreamEvents& events, PluginReply reply,
                        std::size_t size) {
    if (events.Push(std::move(reply), size)) outbox.RequestRead();
  }

  // Fails the one call whose answer cannot be used, if that is known, and tells the plugin.
  void Refuse(const std::string& request_id, absl::string_view why) {
    Refuse(*outbox_, *sink_, *events_, request_id, why);
  }
  static void Refuse(RpcOutbox& outbox, StreamSink<Traits>& sink, StreamEvents& events,
                     const std::string& request_id, absl::string_view why) {
    pb::DefinitionViolation violation;
    violation.set_message(std::string(why));
    sink.Reject(request_id, {violation});
    if (request_id.empty()) return outbox.RequestRead();
    TakeReply(outbox, events,
              Failure(request_id, "sdk:invalid_return", "InvalidReturn",
                      absl::StrCat("the plugin's answer cannot be used: ", why)),
              request_id.size());
  }

  static void OnUnsendable(const std::weak_ptr<StreamSink<Traits>>& weak_sink,
                           const google::protobuf::Message& message, const absl::Status& why) {
    const auto sink = weak_sink.lock();
    const auto& call = static_cast<const typename Traits::Call&>(message);
    const std::string& request_id = (call.*Traits::kPayload)().info().request_id();
    if (sink == nullptr || request_id.empty()) return;
    sink->FailCall(request_id, "sdk:invalid_parameter", "InvalidParameter",
                   absl::StrCat("the call cannot be sent to the plugin: ", why.message()));
  }

  const ContextPtr context_;
  const std::optional<PeerIdentity> peer_;
  const std::shared_ptr<RpcOutbox> outbox_;
  const std::shared_ptr<Subscription> subscription_;
  const std::shared_ptr<StreamSink<Traits>> sink_;
  const std::shared_ptr<StreamEvents> events_;
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
