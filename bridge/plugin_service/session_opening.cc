#include "bridge/plugin_service/session_opening.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/plugin_service/definition_check.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

// More than any bridge has calls in flight.
constexpr int kMaxOpenRequestIds = 100'000;
constexpr int kContractRevision = 1;

// Where the router sends the session's events. On the io thread only.
class StreamSessionSink : public router::SessionSink {
 public:
  explicit StreamSessionSink(const SessionOpening& opening)
      : context_(opening.context),
        outbox_(opening.outbox),
        link_(opening.link),
        wrap_(opening.wrap),
        end_(opening.end),
        lane_(opening.lane) {}

  void Send(pb::SessionEvent event) override {
    for (pb::SessionEvent& part : FitEvent(std::move(event))) {
      const auto result = outbox_->Send(wrap_(std::move(part)), pb::PAYLOAD_ENCODING_JSON, lane_);
      if (result == RpcOutbox::SendResult::kFull) return EndSlowReader();
    }
  }

  void Finish(absl::Status status) override { end_(*outbox_, status); }

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
  std::unique_ptr<google::protobuf::Message> (*const wrap_)(pb::SessionEvent event);
  void (*const end_)(RpcOutbox& outbox, const absl::Status& why);
  const RpcOutbox::Lane lane_;
};

std::optional<router::HubMode> ModeOf(pb::HubMode mode) {
  if (mode == pb::HUB_MODE_DEBUG) return router::HubMode::kDebug;
  if (mode == pb::HUB_MODE_RELEASE) return router::HubMode::kRelease;
  return std::nullopt;
}

router::SessionSpec SpecOf(const SessionOpening& opening) {
  router::SessionSpec spec;
  spec.name = opening.draft->definition.name();
  spec.version = opening.draft->definition.version();
  spec.mode = ModeOf(opening.request.mode());
  spec.token = opening.request.token();
  spec.client = opening.request.client();
  spec.instance_id = opening.request.instance_id();
  spec.open_request_ids.assign(opening.request.open_request_ids().begin(),
                               opening.request.open_request_ids().end());
  spec.max_queries = opening.max_queries;
  if (opening.peer) {
    spec.peer_uid = opening.peer->uid;
    spec.peer_pid = opening.peer->pid;
  }
  return spec;
}

// On the io thread.
void OpenOnIoThread(SessionOpening& opening) {
  if (opening.link->stream_ended) return;
  ServiceContext& context = *opening.context;
  const absl::StatusOr<std::string> id =
      context.port.OpenSession(SpecOf(opening), std::make_shared<StreamSessionSink>(opening));
  if (!id.ok()) return opening.end(*opening.outbox, id.status());
  opening.link->id = *id;
  KnownSession session;
  session.peer = opening.peer;
  session.encoding = opening.request.payload_encoding();
  session.max_receive_bytes = opening.max_receive_bytes;
  session.draft = opening.draft;
  context.sessions.Add(*id, std::move(session));

  pb::SessionEvent event;
  pb::SessionOpened& opened = *event.mutable_opened();
  opened.set_session_id(*id);
  opened.set_revision(kContractRevision);
  opened.set_bridge_version(context.options.bridge_version);
  opened.set_max_message_bytes(static_cast<std::int64_t>(context.options.max_message_bytes));
  for (pb::DefinitionViolation& warning : opening.warnings) {
    *opened.add_warnings() = std::move(warning);
  }
  FitViolations(*opened.mutable_warnings());
  opening.outbox->Send(opening.wrap(std::move(event)), pb::PAYLOAD_ENCODING_JSON, opening.lane);
  if (opening.on_opened != nullptr) opening.on_opened(*id, opening);
}

// On the thread that checks definitions.
absl::Status Check(SessionOpening& opening, std::string& name) {
  ServiceContext& context = *opening.context;
  absl::StatusOr<CheckedPlugin> checked = CheckDefinition(
      opening.request, context.options.max_definition_bytes, context.options.default_texts, name);
  opening.request.clear_definition_json();
  opening.request.clear_plugin();
  if (!checked.ok()) return checked.status();
  const std::size_t bytes = checked->draft.bytes();
  opening.draft = std::make_shared<SessionDraft>(
      SessionDraft{std::move(checked->draft), {}, context.definitions.Keep(bytes)});
  opening.warnings = std::move(checked->warnings);
  if (opening.add_parts == nullptr) return absl::OkStatus();
  absl::StatusOr<std::vector<pb::DefinitionViolation>> warnings =
      std::exchange(opening.add_parts, nullptr)(*opening.draft);
  if (!warnings.ok()) return warnings.status();
  for (pb::DefinitionViolation& warning : *warnings) opening.warnings.push_back(std::move(warning));
  return absl::OkStatus();
}

void CheckThenOpen(const std::shared_ptr<SessionOpening>& opening) {
  std::string name = "?";
  const absl::Status checked = Check(*opening, name);
  opening->place.reset();
  if (!checked.ok()) {
    TellRefusal(opening->context, name, opening->peer, checked);
    return opening->refuse(checked);
  }
  opening->context->io.Post([opening] { OpenOnIoThread(*opening); });
}

absl::Status Prepare(SessionOpening& opening) {
  const absl::StatusOr<std::size_t> max_receive_bytes =
      MaxReceiveBytes(opening.request.max_receive_bytes());
  if (!max_receive_bytes.ok()) return max_receive_bytes.status();
  const int open_calls = opening.request.open_request_ids_size();
  if (open_calls > kMaxOpenRequestIds) {
    return absl::InvalidArgumentError(absl::StrCat("open_request_ids has ", open_calls,
                                                   " elements, and may have ", kMaxOpenRequestIds));
  }
  opening.outbox->SetMaxReceiveBytes(*max_receive_bytes);
  opening.max_receive_bytes = *max_receive_bytes;
  return absl::OkStatus();
}

}  // namespace

void SessionLink::Close(ServiceContext& context, const RpcOutbox& outbox) {
  if (!id) return;
  const std::string closed = *std::exchange(id, std::nullopt);
  context.sessions.Remove(closed);
  context.port.CloseSession(closed, absl::StrCat("its session ended: ", outbox.WhyClosed()));
}

void EndSessionOf(const ContextPtr& context, const std::shared_ptr<RpcOutbox>& outbox,
                  const std::shared_ptr<SessionLink>& link) {
  context->io.Post([context, outbox, link] {
    link->stream_ended = true;
    if (!link->id || !context->sessions.IsReading(*link->id)) {
      return link->Close(*context, *outbox);
    }
    // A finished answer counts, though its worker be gone: behind what is being read.
    context->io.RunAside([] {}, [context, outbox, link] { link->Close(*context, *outbox); });
  });
}

absl::Status TakePlace(ServiceContext& context, const grpc::ByteBuffer& message,
                       DefinitionQueue::Place& place) {
  const std::size_t size = message.Length();
  absl::Status status = CheckMessageSize(size, context.options.max_message_bytes);
  if (!status.ok()) return status;
  absl::StatusOr<DefinitionQueue::Place> taken = context.definitions.Take(size);
  if (!taken.ok()) return taken.status();
  place = *std::move(taken);
  return absl::OkStatus();
}

void OpenSession(std::shared_ptr<SessionOpening> opening) {
  if (absl::Status status = Prepare(*opening); !status.ok()) {
    return opening->end(*opening->outbox, status);
  }
  DefinitionQueue& definitions = opening->context->definitions;
  definitions.Run([opening = std::move(opening)] { CheckThenOpen(opening); });
}

}  // namespace atomemo::plugin_service
