#include "bridge/plugin_service/session_stream.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"
#include "bridge/plugin_service/definition_check.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;

// More than any bridge has calls in flight.
constexpr int kMaxOpenRequestIds = 100'000;

// The session behind a stream. On the io thread only.
struct SessionLink {
  // Set while the router has it.
  std::optional<std::string> id;
  // The stream ended before the io thread came to open the session.
  bool stream_ended = false;

  // Tells the router, once.
  void Close(ServiceContext& context, const RpcOutbox& outbox) {
    if (!id) return;
    const std::string closed = *std::exchange(id, std::nullopt);
    context.sessions.Remove(closed);
    context.port.CloseSession(closed, absl::StrCat("its session ended: ", outbox.WhyClosed()));
  }
};

// Where the router sends the session's events. On the io thread only.
class StreamSessionSink : public router::SessionSink {
 public:
  StreamSessionSink(ContextPtr context, std::shared_ptr<RpcOutbox> outbox,
                    std::shared_ptr<SessionLink> link)
      : context_(std::move(context)), outbox_(std::move(outbox)), link_(std::move(link)) {}

  void Send(pb::SessionEvent event) override {
    for (pb::SessionEvent& part : FitEvent(std::move(event))) {
      const auto result = outbox_->Send(std::make_unique<pb::SessionEvent>(std::move(part)));
      if (result == RpcOutbox::SendResult::kFull) return EndSlowReader();
    }
  }

  void Finish(absl::Status status) override { outbox_->Finish(status); }

 private:
  void EndSlowReader() {
    outbox_->Abort(absl::ResourceExhaustedError(
        "the plugin reads its session's events too slowly: more wait than --max-stream-messages or "
        "--max-stream-bytes allow"));
    // The stream may take long to end, as the plugin does not read: the session ends now. Not from
    // inside the router.
    context_->io.Post(
        [context = context_, outbox = outbox_, link = link_] { link->Close(*context, *outbox); });
  }

  const ContextPtr context_;
  const std::shared_ptr<RpcOutbox> outbox_;
  const std::shared_ptr<SessionLink> link_;
};

std::optional<router::HubMode> ModeOf(pb::HubMode mode) {
  if (mode == pb::HUB_MODE_DEBUG) return router::HubMode::kDebug;
  if (mode == pb::HUB_MODE_RELEASE) return router::HubMode::kRelease;
  return std::nullopt;
}

// What the three threads that open a session pass on to each other.
struct Opening {
  ContextPtr context;
  std::shared_ptr<RpcOutbox> outbox;
  std::shared_ptr<SessionLink> link;
  std::optional<PeerIdentity> peer;
  pb::OpenSessionRequest request;
  DefinitionQueue::Place place;
  std::shared_ptr<SessionDraft> draft;
  std::vector<pb::DefinitionViolation> warnings;
  std::size_t max_receive_bytes = 0;
};

router::SessionSpec SpecOf(Opening& opening) {
  router::SessionSpec spec;
  spec.name = opening.draft->definition.name();
  spec.version = opening.draft->definition.version();
  spec.mode = ModeOf(opening.request.mode());
  spec.token = opening.request.token();
  spec.client = opening.request.client();
  spec.instance_id = opening.request.instance_id();
  spec.open_request_ids.assign(opening.request.open_request_ids().begin(),
                               opening.request.open_request_ids().end());
  if (opening.peer) {
    spec.peer_uid = opening.peer->uid;
    spec.peer_pid = opening.peer->pid;
  }
  return spec;
}

// On the io thread.
void OpenOnIoThread(Opening& opening) {
  if (opening.link->stream_ended) return;
  ServiceContext& context = *opening.context;
  absl::StatusOr<std::string> id = context.port.OpenSession(
      SpecOf(opening),
      std::make_shared<StreamSessionSink>(opening.context, opening.outbox, opening.link));
  if (!id.ok()) return opening.outbox->Finish(id.status());
  opening.link->id = *id;
  KnownSession session;
  session.peer = opening.peer;
  session.encoding = opening.request.payload_encoding();
  session.max_receive_bytes = opening.max_receive_bytes;
  session.draft = std::move(opening.draft);
  context.sessions.Add(*id, std::move(session));

  auto event = std::make_unique<pb::SessionEvent>();
  pb::SessionOpened& opened = *event->mutable_opened();
  opened.set_session_id(*std::move(id));
  opened.set_bridge_version(context.options.bridge_version);
  opened.set_max_message_bytes(static_cast<std::int64_t>(context.options.max_message_bytes));
  for (pb::DefinitionViolation& warning : opening.warnings) {
    *opened.add_warnings() = std::move(warning);
  }
  FitViolations(*opened.mutable_warnings());
  opening.outbox->Send(std::move(event));
}

// On the thread that checks definitions.
void CheckThenOpen(const std::shared_ptr<Opening>& opening) {
  ServiceContext& context = *opening->context;
  std::string name = "?";
  absl::StatusOr<CheckedPlugin> checked =
      CheckDefinition(opening->request, context.options.max_definition_bytes, name);
  opening->request.clear_definition_json();
  opening->request.clear_plugin();
  opening->place.reset();
  if (!checked.ok()) {
    TellRefusal(opening->context, name, opening->peer, checked.status());
    return opening->outbox->Finish(checked.status());
  }
  const std::size_t bytes = checked->draft.bytes();
  opening->draft = std::make_shared<SessionDraft>(
      SessionDraft{std::move(checked->draft), {}, context.definitions.Keep(bytes)});
  opening->warnings = std::move(checked->warnings);
  context.io.Post([opening] { OpenOnIoThread(*opening); });
}

class SessionStream : public RpcHandler {
 public:
  SessionStream(ContextPtr context, const RpcStart& start)
      : context_(std::move(context)), start_(start) {
    // An event that is too large is not worth the session.
    start_.outbox->SetOnUnsendable([](const google::protobuf::Message&, const absl::Status& why) {
      base::LogWarning("an event for a session was dropped", {{"reason", why.message()}});
    });
  }

  void OnMessage(grpc::ByteBuffer message) override {
    auto opening = std::make_shared<Opening>();
    absl::Status status = CheckMessageSize(message.Length(), context_->options.max_message_bytes);
    if (status.ok()) {
      absl::StatusOr<DefinitionQueue::Place> place = context_->definitions.Take(message.Length());
      status = place.status();
      if (status.ok()) opening->place = *std::move(place);
    }
    if (status.ok()) status = ParseMessage(message, opening->request);
    absl::StatusOr<std::size_t> max_receive_bytes =
        status.ok() ? MaxReceiveBytes(opening->request.max_receive_bytes()) : status;
    if (!max_receive_bytes.ok()) return start_.outbox->Finish(max_receive_bytes.status());
    if (opening->request.open_request_ids_size() > kMaxOpenRequestIds) {
      return start_.outbox->Finish(absl::InvalidArgumentError(
          absl::StrCat("open_request_ids has ", opening->request.open_request_ids_size(),
                       " elements, and may have ", kMaxOpenRequestIds)));
    }
    start_.outbox->SetMaxReceiveBytes(*max_receive_bytes);
    opening->max_receive_bytes = *max_receive_bytes;
    opening->context = context_;
    opening->outbox = start_.outbox;
    opening->link = link_;
    opening->peer = start_.peer;
    context_->definitions.Run([opening] { CheckThenOpen(opening); });
  }

  void OnHalfClose() override {
    start_.outbox->Finish(absl::InvalidArgumentError("the call has no request"));
  }

  bool EndsOthers() const override { return true; }

  void OnDone() override {
    context_->io.Post([context = context_, outbox = start_.outbox, link = link_] {
      link->stream_ended = true;
      if (!link->id || !context->sessions.IsReading(*link->id)) {
        return link->Close(*context, *outbox);
      }
      // A finished answer counts, though its worker be gone: behind what is being read.
      context->io.RunAside([] {}, [context, outbox, link] { link->Close(*context, *outbox); });
    });
  }

 private:
  const ContextPtr context_;
  const RpcStart start_;
  const std::shared_ptr<SessionLink> link_ = std::make_shared<SessionLink>();
};

}  // namespace

std::unique_ptr<RpcHandler> MakeSessionStream(ContextPtr context, const RpcStart& start) {
  return std::make_unique<SessionStream>(std::move(context), start);
}

}  // namespace atomemo::plugin_service
