#include "bridge/plugin_service/call_front.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/invariant.h"
#include "bridge/plugin_service/plugin_reply.h"
#include "bridge/router/errors.h"
#include "bridge/router/wire_format.h"
#include "google/protobuf/util/time_util.h"

namespace atomemo::plugin_service {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using router::CallKind;

// The one that is set in the message's first oneof; null if none is.
const FieldDescriptor* SetFieldOf(const Message& message) {
  return message.GetReflection()->GetOneofFieldDescriptor(message,
                                                          message.GetDescriptor()->oneof_decl(0));
}

// Of which RPC a message of this type is the result.
std::optional<CallKind> KindOfResult(const google::protobuf::Descriptor* type) {
  for (const router::HubEvent& event : router::HubEvents()) {
    if (event.result->GetDescriptor() == type) return event.kind;
  }
  return std::nullopt;
}

std::unique_ptr<Message> Rejection(const CallFront& front, absl::string_view request_id,
                                   const std::vector<pb::DefinitionViolation>& violations) {
  pb::Rejected rejected;
  rejected.set_request_id(std::string(request_id));
  for (const pb::DefinitionViolation& violation : violations) {
    *rejected.add_violations() = violation;
  }
  FitViolations(*rejected.mutable_violations());
  return Wrap(front.call(), rejected);
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the request_id has ", request_id.size(),
                                                 " bytes, and may have ", kMaxRequestIdBytes));
}

}  // namespace

// ---- The tie

void StreamTie::FailCall(router::CallKind kind, absl::string_view request_id,
                         absl::string_view code, absl::string_view error_name,
                         absl::string_view message) {
  context->io.Post([self = shared_from_this(), kind, id = std::string(request_id),
                    error = router::BridgeError(code, error_name, message)] {
    if (!self->active) return;
    self->context->port.Fail(self->session_id, kind, id, error);
    if (self->on_failed) self->on_failed(id);
  });
}

void StreamTie::SendOrEnd(std::unique_ptr<Message> message, pb::PayloadEncoding message_encoding,
                          RpcOutbox::Lane lane) {
  const auto result = outbox->Send(std::move(message), message_encoding, lane);
  if (result != RpcOutbox::SendResult::kFull) return;
  outbox->Abort(absl::ResourceExhaustedError(OverflowMessage()));
  // The stream may take long to end, as the plugin does not read: its calls fail now.
  context->io.Post([self = shared_from_this()] { self->End(); });
}

std::string StreamTie::OverflowMessage() const {
  return absl::StrCat("the plugin reads its ", name, " stream too slowly: more than ",
                      context->options.max_stream_messages, " messages (--max-stream-messages) or ",
                      context->options.max_stream_bytes, " bytes (--max-stream-bytes) wait");
}

// ---- The messages

const FieldDescriptor& FieldFor(const google::protobuf::Descriptor& container,
                                const google::protobuf::Descriptor& type) {
  const FieldDescriptor* found = container.field(0);
  for (int i = 0; i < container.field_count(); ++i) {
    if (container.field(i)->message_type() == &type) found = container.field(i);
  }
  (void)ATOMEMO_INVARIANT(found->message_type() == &type);
  return *found;
}

std::unique_ptr<Message> Wrap(const Message& container, const Message& part) {
  std::unique_ptr<Message> message(container.New());
  const FieldDescriptor& field = FieldFor(*container.GetDescriptor(), *part.GetDescriptor());
  message->GetReflection()->MutableMessage(message.get(), &field)->CopyFrom(part);
  return message;
}

CallFront::CallFront(const Message& call, const Message& reply) : call_(call), reply_(reply) {
  answers_.first = std::numeric_limits<int>::max();
  const google::protobuf::Descriptor& type = *reply.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::Descriptor* const part = type.field(i)->message_type();
    if (part != pb::CallFailure::descriptor() && !KindOfResult(part)) continue;
    answers_.first = std::min(answers_.first, type.field(i)->number());
    answers_.last = std::max(answers_.last, type.field(i)->number());
  }
}

absl::StatusOr<StreamEvent> CallFront::Read(Message& reply) const {
  const FieldDescriptor* const field = SetFieldOf(reply);
  if (field == nullptr) return ReadOther(reply);
  const auto take = [&] {
    return std::unique_ptr<Message>(reply.GetReflection()->ReleaseMessage(&reply, field));
  };
  router::PluginReply read;
  if (field->message_type() == pb::CallFailure::descriptor()) {
    read = FailureReply(std::move(static_cast<pb::CallFailure&>(*take())));
  } else if (const auto kind = KindOfResult(field->message_type())) {
    read = ResultReply(*kind, take());
  } else {
    return ReadOther(reply);
  }
  if (absl::Status status = CheckRequestId(read.request_id); !status.ok()) return status;
  return read;
}

// ---- To the plugin

StreamSink::StreamSink(std::shared_ptr<StreamTie> tie, const CallFront& front, CallKind kind,
                       RpcOutbox::Lane lane)
    : tie_(std::move(tie)),
      front_(front),
      kind_(kind),
      lane_(lane),
      call_field_(
          FieldFor(*front.call().GetDescriptor(), *router::EventOf(kind).call->GetDescriptor())
              .number()) {}

void StreamSink::Send(const router::CallForWorker& call) {
  absl::Cord info = call.body.info;
  router::AppendField(info, pb::CallInfo::kTimeLeftFieldNumber,
                      absl::Cord(google::protobuf::util::TimeUtil::NanosecondsToDuration(
                                     absl::ToInt64Nanoseconds(call.time_left))
                                     .SerializeAsString()));
  absl::Cord message;
  router::AppendField(message, pb::Invocation::kInfoFieldNumber, std::move(info));
  message.Append(call.body.fields);
  WireCall sent;
  router::AppendField(sent.bytes, call_field_, std::move(message));
  sent.type = &front_.call();
  sent.kind = kind_;
  sent.request_id = call.request_id;
  if (tie_->outbox->Send(std::move(sent), tie_->encoding, lane_) == RpcOutbox::SendResult::kFull) {
    tie_->FailCall(kind_, call.request_id, code::kOverloaded, "Overloaded",
                   tie_->OverflowMessage());
  }
}

void StreamSink::Cancel(absl::string_view request_id, absl::string_view reason) {
  pb::Cancel cancel;
  cancel.set_request_id(std::string(request_id));
  cancel.set_reason(std::string(reason));
  tie_->SendOrEnd(Wrap(front_.call(), cancel));
}

void StreamSink::Reject(absl::string_view request_id,
                        const std::vector<pb::DefinitionViolation>& violations) {
  tie_->SendOrEnd(Rejection(front_, request_id, violations));
}

void StreamSink::Drained() { tie_->SendOrEnd(Wrap(front_.call(), pb::Drained())); }

void StreamSink::Finish(absl::Status status) {
  tie_->active = false;
  tie_->outbox->Finish(status);
}

// ---- From the plugin

// What a message says: an event, or why it cannot be used.
struct ReplyReader::Content {
  absl::StatusOr<StreamEvent> event;
  // It was no answer, and has been refused otherwise.
  bool refused = false;
  // Of one that cannot be used; empty if there is none.
  std::string request_id;
};

ReplyReader::ReplyReader(std::shared_ptr<StreamTie> tie, const CallFront& front,
                         std::shared_ptr<StreamEvents> events)
    : tie_(std::move(tie)), front_(front), events_(std::move(events)) {
  // The tie's outbox must not hold the tie.
  const std::weak_ptr<StreamTie> weak(tie_);
  tie_->outbox->SetOnUnsendable([weak, &front](const Message& message, const absl::Status& why) {
    if (const auto locked = weak.lock()) front.OnUnsendable(*locked, message, why);
  });
  tie_->outbox->SetOnUnsendableCall([weak](const WireCall& call, const absl::Status& why) {
    const auto locked = weak.lock();
    if (locked == nullptr) return;
    locked->FailCall(call.kind, call.request_id, code::kInvalidParameter, "InvalidParameter",
                     absl::StrCat("the call cannot be sent to the plugin: ", why.message()));
  });
}

ReplyReader::Content ReplyReader::ReadContent(const StreamTie& tie, const CallFront& front,
                                              grpc::ByteBuffer& message) {
  const std::unique_ptr<Message> reply(front.reply().New());
  absl::Status status = CheckMessageSize(message.Length(), tie.context->options.max_message_bytes);
  if (status.ok()) status = ParseMessage(message, *reply);
  if (!status.ok()) return {status, false, front.RequestIdIn(message)};
  Content content{front.Read(*reply)};
  if (!content.event.ok()) content.request_id = front.RequestIdIn(message);
  return content;
}

void ReplyReader::Read(grpc::ByteBuffer& message) {
  const std::size_t size = message.Length();
  if (size <= base::kLargeMessage) {
    Content content = ReadContent(*tie_, front_, message);
    content.refused =
        !content.event.ok() && front_.RefuseOther(*tie_, message, content.event.status());
    return Take(*tie_, front_, *events_, std::move(content), size);
  }
  // Read where it may take its time. The next message is asked for afterwards.
  struct Large {
    grpc::ByteBuffer message;
    Content content;
  };
  auto large = std::make_shared<Large>(Large{message, {absl::UnknownError("not read")}});
  events_->Expect();
  tie_->context->io.RunAside(
      [tie = tie_, &front = front_, large] {
        Content content = ReadContent(*tie, front, large->message);
        if (!content.event.ok()) {
          content.refused = front.RefuseOther(*tie, large->message, content.event.status());
        } else if (auto* const reply = std::get_if<router::PluginReply>(&*content.event)) {
          *reply = ReadInFull(std::move(*reply));
        }
        large->content = std::move(content);
        large->message.Clear();
      },
      [tie = tie_, &front = front_, events = events_, large, size] {
        Take(*tie, front, *events, std::move(large->content), size);
      });
}

void ReplyReader::Take(StreamTie& tie, const CallFront& front, StreamEvents& events,
                       Content content, std::size_t size) {
  if (content.refused) return tie.outbox->RequestRead();
  if (!content.event.ok()) {
    // The one call whose answer cannot be used fails, if that is known, and the plugin is told.
    const absl::string_view why = content.event.status().message();
    pb::DefinitionViolation violation;
    violation.set_message(std::string(why));
    tie.SendOrEnd(Rejection(front, content.request_id, {violation}));
    if (content.request_id.empty()) return tie.outbox->RequestRead();
    size = content.request_id.size();
    content.event = router::FailedReply(
        std::move(content.request_id),
        router::BridgeError(code::kInvalidReturn, "InvalidReturn",
                            absl::StrCat("the plugin's answer cannot be used: ", why)));
  }
  if (events.Push(*std::move(content.event), size)) tie.outbox->RequestRead();
}

void ReplyReader::End() {
  // Nothing more is read, so it does not matter whether there is room.
  const auto push = [events = events_] { static_cast<void>(events->Push(StreamEnd(), 0)); };
  if (!events_->expects()) return push();
  tie_->context->io.RunAside([] {}, push);  // behind what is being read
}

}  // namespace atomemo::plugin_service
