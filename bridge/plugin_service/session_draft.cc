#include "bridge/plugin_service/session_draft.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "bridge/plugin_service/definition_check.h"
#include "bridge/plugin_service/fit_event.h"

namespace atomemo::plugin_service {
namespace {

void NotePolicy(const pb::RegisterToolRequest& request, const std::string& tool,
                SessionDraft& draft) {
  if (request.has_policy()) draft.tool_policies[tool] = request.policy();
}
template <typename Request>
void NotePolicy(const Request&, const std::string&, SessionDraft&) {}

pb::PublishResponse ResponseOf(router::Published published) {
  pb::PublishResponse response;
  response.set_topic(std::move(published.topic));
  for (pb::DefinitionViolation& warning : published.warnings) {
    *response.add_warnings() = std::move(warning);
  }
  FitViolations(*response.mutable_warnings());
  return response;
}

}  // namespace

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

template absl::StatusOr<std::vector<pb::DefinitionViolation>> CheckAndAdd(
    const pb::RegisterCredentialRequest&, ServiceContext&, SessionDraft&);
template absl::StatusOr<std::vector<pb::DefinitionViolation>> CheckAndAdd(
    const pb::RegisterToolRequest&, ServiceContext&, SessionDraft&);
template absl::StatusOr<std::vector<pb::DefinitionViolation>> CheckAndAdd(
    const pb::RegisterModelRequest&, ServiceContext&, SessionDraft&);

void PublishDraft(const ContextPtr& context, const std::string& session_id,
                  const std::shared_ptr<SessionDraft>& draft,
                  std::function<void(absl::StatusOr<pb::PublishResponse>)> done,
                  std::function<void()> taken) {
  // Behind the parts that were registered before.
  context->definitions.Run([context, session_id, draft = draft, done = std::move(done),
                            taken = std::move(taken)]() mutable {
    router::Publication publication{draft->definition.Assemble(), draft->tool_policies};
    draft.reset();  // its place is free as soon as the session has published
    context->io.Post(
        [context, session_id, done, taken, publication = std::move(publication)]() mutable {
          context->port.Publish(
              session_id, std::move(publication),
              [context, session_id, done](absl::StatusOr<router::Published> published) {
                if (!published.ok()) return done(published.status());
                context->sessions.DropDraft(session_id);
                done(ResponseOf(*std::move(published)));
              });
          if (taken != nullptr) taken();
        });
  });
}

}  // namespace atomemo::plugin_service
