#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"
#include "bridge/payload/payload.h"
#include "bridge/plugin_service/call_front.h"
#include "bridge/plugin_service/hub_call.h"
#include "bridge/plugin_service/rpcs.h"
#include "bridge/plugin_service/session_draft.h"
#include "bridge/plugin_service/session_opening.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using Violations = std::vector<pb::DefinitionViolation>;

constexpr std::size_t kMaxHubRequestIdBytes = 128;
constexpr int kMaxPartViolations = 1000;
constexpr std::int32_t kDefaultCallsAtOnce = 16;
constexpr std::int32_t kMaxCallsAtOnce = 10'000;

std::unique_ptr<google::protobuf::Message> WrapEvent(pb::SessionEvent event) {
  const pb::BridgeMessage& container = pb::BridgeMessage::default_instance();
  switch (event.event_case()) {
    case pb::SessionEvent::kOpened:
      return Wrap(container, event.opened());
    case pb::SessionEvent::kHubState:
      return Wrap(container, event.hub_state());
    case pb::SessionEvent::kDraining:
      return Wrap(container, event.draining());
    case pb::SessionEvent::kDelivered:
      return Wrap(container, event.delivered());
    case pb::SessionEvent::EVENT_NOT_SET:
      break;
  }
  return std::make_unique<pb::BridgeMessage>();
}

pb::HubReply ReplyTo(const std::string& id, absl::StatusOr<std::string> outcome) {
  pb::HubReply reply;
  reply.set_id(id);
  if (outcome.ok()) {
    *reply.mutable_data() = payload::JsonValueOf(*std::move(outcome));
    return reply;
  }
  pb::HubFailure& failure = *reply.mutable_failure();
  failure.set_code(static_cast<std::int32_t>(outcome.status().code()));
  failure.set_message(std::string(outcome.status().message()));
  if (std::optional<pb::HubError> error = router::GetHubError(outcome.status())) {
    *failure.mutable_error() = *std::move(error);
  }
  return reply;
}

void SendHubReply(StreamTie& tie, pb::HubReply reply) {
  auto message = std::make_unique<pb::BridgeMessage>();
  *message->mutable_hub_reply() = std::move(reply);
  tie.SendOrEnd(std::move(message), tie.encoding, RpcOutbox::Lane::kAhead);
}

class ServeFront : public CallFront {
 public:
  ServeFront()
      : CallFront(pb::BridgeMessage::default_instance(), pb::PluginMessage::default_instance()) {}

  absl::StatusOr<StreamEvent> ReadOther(google::protobuf::Message& reply) const override {
    auto& message = static_cast<pb::PluginMessage&>(reply);
    if (message.has_drain()) return StreamDrain();
    if (message.has_hello()) {
      return absl::InvalidArgumentError("`hello` may only be the first message");
    }
    if (!message.has_hub_request()) {
      return absl::InvalidArgumentError("the message is empty, or of a later contract");
    }
    const std::size_t bytes = message.hub_request().id().size();
    if (bytes > kMaxHubRequestIdBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the hub_request's id has ", bytes, " bytes, and may have ", kMaxHubRequestIdBytes));
    }
    return StreamHubCall{message.hub_request().id(), ReadHubCall(message.hub_request().call())};
  }

  bool RefuseOther(StreamTie& tie, grpc::ByteBuffer& message,
                   const absl::Status& why) const override {
    constexpr int kField = pb::PluginMessage::kHubRequestFieldNumber;
    const std::string id = FindRequestId(message, {kField, kField});
    if (id.empty() || id.size() > kMaxHubRequestIdBytes) return false;
    SendHubReply(tie, ReplyTo(id, why));
    return true;
  }

  void OnUnsendable(StreamTie& tie, const google::protobuf::Message& message,
                    const absl::Status& why) const override {
    const pb::HubReply& reply = static_cast<const pb::BridgeMessage&>(message).hub_reply();
    if (reply.has_data()) return SendHubReply(tie, ReplyTo(reply.id(), why));
    if (reply.failure().error().has_error()) {
      pb::HubReply shorter = reply;  // what the hub sent beside code and message does not fit
      shorter.mutable_failure()->mutable_error()->clear_error();
      return SendHubReply(tie, std::move(shorter));
    }
    base::LogWarning("a message for a session was dropped", {{"reason", why.message()}});
  }
};

const ServeFront& Front() {
  static const auto& front = *new ServeFront();
  return front;
}

// Knows what the plugin has still to do, so that the bridge can end the stream when a plugin that
// stops is done. All of it on the io thread only.
class ServeTie : public StreamTie {
 public:
  using StreamTie::StreamTie;

  // The plugin has these calls, and has not answered.
  absl::flat_hash_set<std::string> open_calls;
  std::size_t open_hub_requests = 0;
  // The plugin has asked for no further calls.
  bool stopping = false;
  // It was told that none comes.
  bool drained = false;

  // Ends the stream if all is done. Later, because the router may be in the middle of something.
  void EndIfDone() {
    if (!IsDone()) return;
    context->io.Post([self = shared_from_this(), this] {
      if (!IsDone()) return;
      outbox->Finish(absl::OkStatus());
      End();
    });
  }

 private:
  bool IsDone() const {
    return active && stopping && drained && open_calls.empty() && open_hub_requests == 0;
  }
};

// A kind of call on the one stream. The stream is the session: it ends as that does, and says
// once that no further call comes.
class ServeSink : public StreamSink {
 public:
  ServeSink(const std::shared_ptr<ServeTie>& tie, CallKind kind)
      : StreamSink(
            tie, Front(), kind,
            router::EventOf(kind).goes_ahead ? RpcOutbox::Lane::kAhead : RpcOutbox::Lane::kInOrder),
        tie_(tie) {}

  void Send(const router::CallForWorker& call) override {
    tie_->open_calls.insert(call.request_id);
    StreamSink::Send(call);
  }
  void Cancel(absl::string_view request_id, absl::string_view reason) override {
    StreamSink::Cancel(request_id, reason);
    tie_->open_calls.erase(request_id);
    tie_->EndIfDone();
  }
  void Drained() override {
    if (std::exchange(tie_->drained, true)) return;
    StreamSink::Drained();
    tie_->EndIfDone();
  }
  void Finish(absl::Status) override {}

 private:
  const std::shared_ptr<ServeTie> tie_;
};

// Adds what `hello` lists to a draft; goes on behind what is wrong, so that all of it is told.
class PartAdder {
 public:
  PartAdder(ServiceContext& context, SessionDraft& draft) : context_(context), draft_(draft) {}

  // `list` is where such parts stand in the whole definition.
  template <typename Requests>
  void Add(absl::string_view list, definition::PartKind kind, const Requests& requests) {
    const std::size_t before = draft_.definition.size(kind);
    for (int i = 0; i < requests.size(); ++i) {
      const std::string place = absl::StrCat(list, "[", before + static_cast<std::size_t>(i), "]");
      absl::StatusOr<Violations> added = CheckAndAdd(requests[i], context_, draft_);
      if (!added.ok()) {
        Fail(place, added.status());
        continue;
      }
      for (pb::DefinitionViolation& warning : *added) {
        warnings_.push_back(Placed(place, std::move(warning)));
      }
    }
  }

  absl::StatusOr<Violations> Result() && {
    if (violations_.violations().empty()) return std::move(warnings_);
    absl::Status status = absl::InvalidArgumentError(message_);
    router::SetViolations(status, violations_);
    return status;
  }

 private:
  static pb::DefinitionViolation Placed(const std::string& place,
                                        pb::DefinitionViolation violation) {
    violation.set_path(absl::StrCat(place, violation.path().empty() ? "" : ".", violation.path()));
    return violation;
  }

  void Fail(const std::string& place, const absl::Status& why) {
    if (message_.empty()) message_ = absl::StrCat(place, ": ", why.message());
    std::optional<pb::DefinitionViolations> found = router::GetViolations(why);
    if (!found) {
      found.emplace().add_violations()->set_message(std::string(why.message()));
    }
    for (pb::DefinitionViolation& violation : *found->mutable_violations()) {
      if (violations_.violations_size() >= kMaxPartViolations) return;
      *violations_.add_violations() = Placed(place, std::move(violation));
    }
  }

  ServiceContext& context_;
  SessionDraft& draft_;
  Violations warnings_;
  pb::DefinitionViolations violations_;
  std::string message_;  // of the first part that is wrong
};

absl::StatusOr<Violations> AddParts(const pb::Hello& hello, ServiceContext& context,
                                    SessionDraft& draft) {
  using definition::PartKind;
  PartAdder adder(context, draft);
  adder.Add("credentials", PartKind::kCredential, hello.credentials());
  adder.Add("tools", PartKind::kTool, hello.tools());
  adder.Add("models", PartKind::kModel, hello.models());
  absl::StatusOr<Violations> result = std::move(adder).Result();
  if (!result.ok()) return result;
  Violations& warnings = *result;
  for (const auto& [tool, policy] : hello.tool_policies()) {
    draft.tool_policies[tool] = policy;
    if (draft.definition.Has(PartKind::kTool, tool)) continue;
    pb::DefinitionViolation& warning = warnings.emplace_back();
    warning.set_path(absl::StrCat("tool_policies.", tool));
    warning.set_message("the plugin has no tool of this name");
  }
  return result;
}

absl::Status CheckCallsAtOnce(absl::string_view field, std::int32_t declared) {
  if (declared >= 0 && declared <= kMaxCallsAtOnce) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", declared, ", and must be 1 to ",
                                                 kMaxCallsAtOnce, ", or 0 for ",
                                                 kDefaultCallsAtOnce));
}

// Whether a plugin that comes again would fare no better.
bool IsForGood(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

// Ends the stream. What ends it for good is told in whole before: a status can say a part only, and
// in some languages nobody sees its details.
void EndServe(RpcOutbox& outbox, const absl::Status& why) {
  if (!IsForGood(why)) return outbox.Finish(why);
  auto message = std::make_unique<pb::BridgeMessage>();
  pb::Refused& refused = *message->mutable_refused();
  refused.set_message(std::string(why.message()));
  if (auto violations = router::GetViolations(why)) {
    *refused.mutable_violations() = std::move(*violations->mutable_violations());
  }
  FitViolations(*refused.mutable_violations());
  outbox.Send(std::move(message), pb::PAYLOAD_ENCODING_JSON, RpcOutbox::Lane::kAhead);
  outbox.Finish(why);
}

class ServeStream : public RpcHandler {
 public:
  ServeStream(ContextPtr context, const RpcStart& start)
      : start_(start),
        tie_(std::make_shared<ServeTie>(std::move(context), start.outbox, "Serve")),
        events_(std::make_shared<StreamEvents>(
            tie_->context->io, kMaxUnhandled,
            [tie = tie_](StreamEvent event) { Handle(*tie, std::move(event)); },
            [outbox = start.outbox] { outbox->RequestRead(); })),
        reader_(tie_, Front(), events_) {
    tie_->on_failed = [tie = tie_.get()](absl::string_view request_id) {
      tie->open_calls.erase(request_id);
      tie->EndIfDone();
    };
  }

  void OnMessage(grpc::ByteBuffer message) override {
    if (greeted_) return reader_.Read(message);
    pb::PluginMessage first;
    DefinitionQueue::Place place;
    absl::Status status = TakePlace(*tie_->context, message, place);
    if (status.ok()) status = ParseMessage(message, first);
    if (!status.ok()) return EndServe(*tie_->outbox, status);
    if (!first.has_hello()) return EndUngreeted();
    pb::Hello& hello = *first.mutable_hello();
    status = CheckCallsAtOnce("max_invocations", hello.max_invocations());
    if (status.ok()) status = CheckCallsAtOnce("max_queries", hello.max_queries());
    if (!status.ok()) return EndServe(*tie_->outbox, status);
    greeted_ = true;
    Open(std::move(hello), std::move(place));
  }

  void OnHalfClose() override {
    if (!greeted_) return EndUngreeted();
    reader_.End();
  }

  void OnDone() override { EndSessionOf(tie_->context, tie_->outbox, link_); }

 private:
  void EndUngreeted() {
    EndServe(*tie_->outbox, absl::InvalidArgumentError("the first message must be `hello`"));
  }

  void Open(pb::Hello hello, DefinitionQueue::Place place) {
    auto opening = std::make_shared<SessionOpening>();
    opening->context = tie_->context;
    opening->outbox = tie_->outbox;
    opening->link = link_;
    opening->peer = start_.peer;
    opening->request = std::move(*hello.mutable_session());
    opening->max_queries = static_cast<std::size_t>(hello.max_queries() == 0 ? kDefaultCallsAtOnce
                                                                             : hello.max_queries());
    opening->wrap = WrapEvent;
    opening->lane = RpcOutbox::Lane::kAhead;
    opening->place = std::move(place);
    opening->refuse = [outbox = tie_->outbox](const absl::Status& why) {
      // Whatever it is, such as its size: trying again does not help.
      absl::Status invalid = absl::InvalidArgumentError(why.message());
      if (auto violations = router::GetViolations(why)) router::SetViolations(invalid, *violations);
      EndServe(*outbox, invalid);
    };
    opening->end = EndServe;
    opening->on_opened = [tie = tie_, link = link_, events = events_,
                          max_invocations = hello.max_invocations()](const std::string& session_id,
                                                                     const SessionOpening& opened) {
      tie->encoding = opened.request.payload_encoding();
      const auto& open = opened.request.open_request_ids();
      tie->open_calls.insert(open.begin(), open.end());
      Begin(tie, link, events, session_id, opened.draft, max_invocations);
    };
    opening->add_parts = [context = tie_->context, hello = std::move(hello)](SessionDraft& draft) {
      return AddParts(hello, *context, draft);
    };
    OpenSession(std::move(opening));
  }

  // On the io thread.
  static void Begin(const std::shared_ptr<ServeTie>& tie, const std::shared_ptr<SessionLink>& link,
                    const std::shared_ptr<StreamEvents>& events, const std::string& session_id,
                    const std::shared_ptr<SessionDraft>& draft, std::int32_t max_invocations) {
    ServiceContext& context = *tie->context;
    tie->session_id = session_id;
    tie->detach = [tie_context = tie->context, outbox = tie->outbox, link] {
      link->Close(*tie_context, *outbox);
    };
    tie->active = true;
    for (std::size_t i = 0; i < router::kCallKindCount; ++i) {
      const auto kind = static_cast<CallKind>(i);
      // What all other kinds may take together is the session's.
      const absl::Status status = context.port.Subscribe(
          session_id, kind, kind == CallKind::kInvoke ? max_invocations : kMaxCallsAtOnce,
          std::make_shared<ServeSink>(tie, kind));
      if (!status.ok()) return EndServe(*tie->outbox, status);
    }
    context.sessions.AddStream(session_id, CallKind::kInvoke, events);
    PublishDraft(
        tie->context, session_id, draft,
        [outbox = tie->outbox](absl::StatusOr<pb::PublishResponse> published) {
          if (!published.ok()) return EndServe(*outbox, published.status());
          auto message = std::make_unique<pb::BridgeMessage>();
          *message->mutable_published() = *std::move(published);
          outbox->Send(std::move(message), pb::PAYLOAD_ENCODING_JSON, RpcOutbox::Lane::kAhead);
        },
        // Not read before: answers of earlier sessions, and the end behind them, need the plugin.
        [outbox = tie->outbox] { outbox->RequestRead(); });
  }

  // On the io thread.
  static void Handle(ServeTie& tie, StreamEvent event) {
    struct Handler {
      ServeTie& tie;
      // It has half-closed.
      void operator()(StreamEnd) {
        tie.outbox->Finish(absl::OkStatus());
        tie.End();
      }
      void operator()(router::PluginReply& reply) {
        if (!tie.active) return;
        tie.open_calls.erase(reply.request_id);
        tie.context->port.Reply(tie.session_id, std::move(reply));
        tie.EndIfDone();
      }
      void operator()(StreamDrain) {
        if (!tie.active) return;
        tie.stopping = true;
        (void)tie.context->port.DrainSession(tie.session_id);
        tie.EndIfDone();
      }
      void operator()(StreamHubCall& request) {
        if (!tie.active) return;
        if (!request.call.ok()) {
          return SendHubReply(tie, ReplyTo(request.id, request.call.status()));
        }
        ++tie.open_hub_requests;
        tie.context->port.CallHub(
            tie.session_id, request.call->event, std::move(request.call->data_json),
            request.call->timeout,
            [self = tie.shared_from_this(), tie = &tie,
             id = std::move(request.id)](absl::StatusOr<std::string> outcome) {
              SendHubReply(*tie, ReplyTo(id, std::move(outcome)));
              --tie->open_hub_requests;
              tie->EndIfDone();
            });
      }
    };
    std::visit(Handler{tie}, event);
  }

  const RpcStart start_;
  const std::shared_ptr<ServeTie> tie_;
  const std::shared_ptr<StreamEvents> events_;
  const std::shared_ptr<SessionLink> link_ = std::make_shared<SessionLink>();
  ReplyReader reader_;
  bool greeted_ = false;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeServeStream(ContextPtr context, const RpcStart& start) {
  return std::make_unique<ServeStream>(std::move(context), start);
}

}  // namespace atomemo::plugin_service
