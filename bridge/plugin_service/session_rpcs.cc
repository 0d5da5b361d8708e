#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/payload/payload.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/hub_call.h"
#include "bridge/plugin_service/rpcs.h"
#include "bridge/plugin_service/session_draft.h"

namespace atomemo::plugin_service {
namespace {

using SessionDraftPtr = std::shared_ptr<SessionDraft>;

// What the session has declared so far; FAILED_PRECONDITION once it has published. On the io
// thread.
absl::StatusOr<SessionDraftPtr> FindDraft(const ServiceContext& context,
                                          const std::string& session_id,
                                          const std::optional<PeerIdentity>& peer) {
  const absl::StatusOr<KnownSession> session = context.sessions.Find(session_id, peer);
  if (!session.ok()) return session.status();
  if (absl::Status status = context.port.CheckUnpublished(session_id); !status.ok()) return status;
  if (session->draft == nullptr) return absl::FailedPreconditionError("the session has published");
  return session->draft;
}

template <typename Request>
struct ResponseTo;
template <>
struct ResponseTo<pb::RegisterCredentialRequest> {
  using Type = pb::RegisterCredentialResponse;
};
template <>
struct ResponseTo<pb::RegisterToolRequest> {
  using Type = pb::RegisterToolResponse;
};
template <>
struct ResponseTo<pb::RegisterModelRequest> {
  using Type = pb::RegisterModelResponse;
};

void CallHubOnIoThread(const ContextPtr& context, const UnaryCall<pb::CallHubRequest>& call,
                       HubCallRequest hub_call) {
  const pb::CallHubRequest& request = call->request;
  const absl::StatusOr<KnownSession> session =
      context->sessions.Find(request.session_id(), call->peer);
  if (!session.ok()) return call->Fail(session.status());
  call->outbox->SetMaxReceiveBytes(session->max_receive_bytes);
  context->port.CallHub(request.session_id(), hub_call.event, std::move(hub_call.data_json),
                        hub_call.timeout,
                        [call, encoding = session->encoding](absl::StatusOr<std::string> outcome) {
                          if (!outcome.ok()) return call->Fail(outcome.status());
                          pb::CallHubResponse response;
                          *response.mutable_data() = payload::JsonValueOf(*std::move(outcome));
                          call->Answer(std::move(response), encoding);
                        });
}

}  // namespace

// Finds the session on the io thread; the rest happens on the thread that checks definitions.
template <typename Request>
void ServeRegister(const ContextPtr& context, const UnaryCall<Request>& call) {
  absl::StatusOr<DefinitionQueue::Place> place =
      context->definitions.Take(call->request.ByteSizeLong());
  if (!place.ok()) return call->Fail(place.status());
  context->io.Post([context, call, place = *std::move(place)] {
    const absl::StatusOr<SessionDraftPtr> draft =
        FindDraft(*context, call->request.session_id(), call->peer);
    if (!draft.ok()) return call->Fail(draft.status());
    context->definitions.Run([context, call, place, draft = *draft] {
      absl::StatusOr<std::vector<pb::DefinitionViolation>> warnings =
          CheckAndAdd(call->request, *context, *draft);
      if (!warnings.ok()) {
        TellRefusal(context, draft->definition.name(), call->peer, warnings.status());
        return call->Fail(warnings.status());
      }
      typename ResponseTo<Request>::Type response;
      for (pb::DefinitionViolation& warning : *warnings) {
        *response.add_warnings() = std::move(warning);
      }
      FitViolations(*response.mutable_warnings());
      call->Answer(std::move(response));
    });
  });
}

template void ServeRegister(const ContextPtr&, const UnaryCall<pb::RegisterCredentialRequest>&);
template void ServeRegister(const ContextPtr&, const UnaryCall<pb::RegisterToolRequest>&);
template void ServeRegister(const ContextPtr&, const UnaryCall<pb::RegisterModelRequest>&);

void ServePublish(const ContextPtr& context, const UnaryCall<pb::PublishRequest>& call) {
  context->io.Post([context, call] {
    const absl::StatusOr<SessionDraftPtr> draft =
        FindDraft(*context, call->request.session_id(), call->peer);
    if (!draft.ok()) return call->Fail(draft.status());
    PublishDraft(context, call->request.session_id(), *draft,
                 [call](absl::StatusOr<pb::PublishResponse> response) {
                   if (!response.ok()) return call->Fail(response.status());
                   call->Answer(*std::move(response));
                 });
  });
}

void ServeDrainSession(const ContextPtr& context, const UnaryCall<pb::DrainSessionRequest>& call) {
  context->io.Post([context, call] {
    const std::string& session_id = call->request.session_id();
    absl::Status status = context->sessions.Find(session_id, call->peer).status();
    if (status.ok()) status = context->port.DrainSession(session_id);
    if (!status.ok()) return call->Fail(status);
    call->Answer(pb::DrainSessionResponse());
  });
}

void ServeCallHub(const ContextPtr& context, const UnaryCall<pb::CallHubRequest>& call) {
  absl::StatusOr<HubCallRequest> hub_call = ReadHubCall(call->request);
  if (!hub_call.ok()) return call->Fail(hub_call.status());
  context->io.Post([context, call, hub_call = *std::move(hub_call)]() mutable {
    CallHubOnIoThread(context, call, std::move(hub_call));
  });
}

}  // namespace atomemo::plugin_service
