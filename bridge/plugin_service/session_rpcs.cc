#include "bridge/plugin_service/session_rpcs.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/definition/payload.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/plugin_service/hub_call.h"
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

// Finds the session on the io thread; the rest happens on the thread that checks definitions.
template <typename Request, typename Response>
void ServeRegister(const ContextPtr& context, const typename UnaryRpc<Request>::CallPtr& call) {
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
      Response response;
      for (pb::DefinitionViolation& warning : *warnings) {
        *response.add_warnings() = std::move(warning);
      }
      FitViolations(*response.mutable_warnings());
      call->Answer(std::move(response));
    });
  });
}

void CallHubOnIoThread(const ContextPtr& context, const UnaryRpc<pb::CallHubRequest>::CallPtr& call,
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
                          *response.mutable_data() = definition::JsonValueOf(*std::move(outcome));
                          call->Answer(std::move(response), encoding);
                        });
}

}  // namespace

void ServeRegisterCredential(const ContextPtr& context,
                             const UnaryRpc<pb::RegisterCredentialRequest>::CallPtr& call) {
  ServeRegister<pb::RegisterCredentialRequest, pb::RegisterCredentialResponse>(context, call);
}

void ServeRegisterTool(const ContextPtr& context,
                       const UnaryRpc<pb::RegisterToolRequest>::CallPtr& call) {
  ServeRegister<pb::RegisterToolRequest, pb::RegisterToolResponse>(context, call);
}

void ServeRegisterModel(const ContextPtr& context,
                        const UnaryRpc<pb::RegisterModelRequest>::CallPtr& call) {
  ServeRegister<pb::RegisterModelRequest, pb::RegisterModelResponse>(context, call);
}

void ServePublish(const ContextPtr& context, const UnaryRpc<pb::PublishRequest>::CallPtr& call) {
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

void ServeDrainSession(const ContextPtr& context,
                       const UnaryRpc<pb::DrainSessionRequest>::CallPtr& call) {
  context->io.Post([context, call] {
    const std::string& session_id = call->request.session_id();
    absl::Status status = context->sessions.Find(session_id, call->peer).status();
    if (status.ok()) status = context->port.DrainSession(session_id);
    if (!status.ok()) return call->Fail(status);
    call->Answer(pb::DrainSessionResponse());
  });
}

void ServeCallHub(const ContextPtr& context, const UnaryRpc<pb::CallHubRequest>::CallPtr& call) {
  absl::StatusOr<HubCallRequest> hub_call = ReadHubCall(call->request);
  if (!hub_call.ok()) return call->Fail(hub_call.status());
  context->io.Post([context, call, hub_call = *std::move(hub_call)]() mutable {
    CallHubOnIoThread(context, call, std::move(hub_call));
  });
}

}  // namespace atomemo::plugin_service
