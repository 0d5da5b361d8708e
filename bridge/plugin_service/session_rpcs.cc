#include "bridge/plugin_service/session_rpcs.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bridge/definition/payload.h"
#include "bridge/plugin_service/definition_check.h"

namespace atomemo::plugin_service {
namespace {

using router::PartKind;

pb::ToolPolicy PolicyOf(const pb::RegisterToolRequest& request) { return request.policy(); }
template <typename Request>
pb::ToolPolicy PolicyOf(const Request&) {
  return {};
}

// Checks the definition on the thread for that, then registers it on the io thread.
template <typename Request, typename Response>
void ServeRegister(PartKind kind, const ContextPtr& context,
                   const typename UnaryRpc<Request>::CallPtr& call) {
  const auto register_checked = [context, call, kind](CheckedDefinition& checked) {
    absl::Status status = context->sessions.Find(call->request.session_id(), call->peer).status();
    if (status.ok()) {
      status = context->port.Register(call->request.session_id(), kind, std::move(checked.json),
                                      PolicyOf(call->request));
    }
    if (!status.ok()) return call->Fail(status);
    Response response;
    for (pb::DefinitionViolation& warning : checked.warnings) {
      *response.add_warnings() = std::move(warning);
    }
    call->Answer(std::move(response));
  };
  const auto check = [context, call, register_checked] {
    absl::StatusOr<CheckedDefinition> checked = CheckDefinition(call->request);
    if (!checked.ok()) return call->Fail(checked.status());
    context->io.Post(
        [register_checked, checked = *std::move(checked)]() mutable { register_checked(checked); });
  };
  if (!context->definitions.Run(check)) {
    call->Fail(absl::UnavailableError("too many definitions wait to be checked"));
  }
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
  ServeRegister<pb::RegisterCredentialRequest, pb::RegisterCredentialResponse>(
      PartKind::kCredential, context, call);
}

void ServeRegisterTool(const ContextPtr& context,
                       const UnaryRpc<pb::RegisterToolRequest>::CallPtr& call) {
  ServeRegister<pb::RegisterToolRequest, pb::RegisterToolResponse>(PartKind::kTool, context, call);
}

void ServeRegisterModel(const ContextPtr& context,
                        const UnaryRpc<pb::RegisterModelRequest>::CallPtr& call) {
  ServeRegister<pb::RegisterModelRequest, pb::RegisterModelResponse>(PartKind::kModel, context,
                                                                     call);
}

void ServePublish(const ContextPtr& context, const UnaryRpc<pb::PublishRequest>::CallPtr& call) {
  context->io.Post([context, call] {
    const std::string& session_id = call->request.session_id();
    const absl::Status status = context->sessions.Find(session_id, call->peer).status();
    if (!status.ok()) return call->Fail(status);
    context->port.Publish(session_id, [call](absl::StatusOr<router::Published> published) {
      if (!published.ok()) return call->Fail(published.status());
      pb::PublishResponse response;
      response.set_topic(std::move(published->topic));
      for (pb::DefinitionViolation& warning : published->warnings) {
        *response.add_warnings() = std::move(warning);
      }
      call->Answer(std::move(response));
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
