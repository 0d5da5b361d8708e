#include "bridge/plugin_service/session_rpcs.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bridge/definition/payload.h"
#include "bridge/plugin_service/definition_check.h"
#include "bridge/plugin_service/fit_event.h"

namespace atomemo::plugin_service {
namespace {

// Of a call to the hub, which is a name.
constexpr std::size_t kMaxEventBytes = 1024;

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

void NotePolicy(const pb::RegisterToolRequest& request, const std::string& tool,
                SessionDraft& draft) {
  if (request.has_policy()) draft.tool_policies[tool] = request.policy();
}
template <typename Request>
void NotePolicy(const Request&, const std::string&, SessionDraft&) {}

// On the thread that checks definitions.
template <typename Request>
absl::StatusOr<std::vector<pb::DefinitionViolation>> CheckAndAdd(const Request& request,
                                                                 ServiceContext& context,
                                                                 SessionDraft& draft) {
  const std::size_t max_bytes = context.options.max_definition_bytes;
  absl::StatusOr<CheckedPart> checked = CheckDefinition(request, max_bytes);
  if (!checked.ok()) return checked.status();
  absl::Status status =
      CheckDefinitionBytes(draft.definition.bytes() + checked->part.json.size(), max_bytes);
  const std::string name = checked->part.name;
  if (status.ok()) status = draft.definition.Add(std::move(checked->part));
  if (!status.ok()) return status;
  NotePolicy(request, name, draft);
  draft.place = context.definitions.Keep(draft.definition.bytes());
  return std::move(checked->warnings);
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

// On the io thread.
void PublishOnIoThread(const ContextPtr& context, const UnaryRpc<pb::PublishRequest>::CallPtr& call,
                       router::Publication publication) {
  const std::string& session_id = call->request.session_id();
  context->port.Publish(session_id, std::move(publication),
                        [context, call](absl::StatusOr<router::Published> published) {
                          if (!published.ok()) return call->Fail(published.status());
                          context->sessions.DropDraft(call->request.session_id());
                          pb::PublishResponse response;
                          response.set_topic(std::move(published->topic));
                          for (pb::DefinitionViolation& warning : published->warnings) {
                            *response.add_warnings() = std::move(warning);
                          }
                          FitViolations(*response.mutable_warnings());
                          call->Answer(std::move(response));
                        });
}

absl::StatusOr<std::optional<absl::Duration>> TimeoutOf(const pb::CallHubRequest& request) {
  if (!request.has_timeout()) return std::nullopt;
  const absl::Duration timeout =
      absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos());
  if (timeout <= absl::ZeroDuration() || timeout > absl::Hours(1)) {
    return absl::InvalidArgumentError("timeout must be more than 0 and at most 1 hour");
  }
  return timeout;
}

void CallHubOnIoThread(const ContextPtr& context, const UnaryRpc<pb::CallHubRequest>::CallPtr& call,
                       std::optional<absl::Duration> timeout, std::string data_json) {
  const pb::CallHubRequest& request = call->request;
  const absl::StatusOr<KnownSession> session =
      context->sessions.Find(request.session_id(), call->peer);
  if (!session.ok()) return call->Fail(session.status());
  call->outbox->SetMaxReceiveBytes(session->max_receive_bytes);
  context->port.CallHub(request.session_id(), request.event(), std::move(data_json), timeout,
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
    // Behind the parts that were registered before.
    context->definitions.Run([context, call, draft = *draft] {
      router::Publication publication{draft->definition.Assemble(), draft->tool_policies};
      context->io.Post([context, call, publication = std::move(publication)]() mutable {
        PublishOnIoThread(context, call, std::move(publication));
      });
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
  const absl::StatusOr<std::optional<absl::Duration>> timeout = TimeoutOf(call->request);
  if (!timeout.ok()) return call->Fail(timeout.status());
  if (call->request.event().empty()) {
    return call->Fail(absl::InvalidArgumentError("`event` is empty"));
  }
  if (call->request.event().size() > kMaxEventBytes) {
    return call->Fail(absl::InvalidArgumentError(absl::StrCat(
        "`event` has ", call->request.event().size(), " bytes, and may have ", kMaxEventBytes)));
  }
  absl::StatusOr<std::string> data = definition::JsonTextOf(call->request.data());
  if (!data.ok()) {
    return call->Fail(absl::InvalidArgumentError(
        absl::StrCat("`data`: ", definition::MessageWithExcerpt(data.status()))));
  }
  context->io.Post([context, call, timeout = *timeout, data = *std::move(data)]() mutable {
    CallHubOnIoThread(context, call, timeout, std::move(data));
  });
}

}  // namespace atomemo::plugin_service
