#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_DRAFT_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_DRAFT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// What an open session has declared so far, on its way to the router.

// Judges a part and adds it to the draft; answers with the warnings. Errors as of CheckDefinition
// and Draft::Add. On the thread that checks definitions.
template <typename Request>  // RegisterCredentialRequest, RegisterToolRequest, RegisterModelRequest
absl::StatusOr<std::vector<pb::DefinitionViolation>> CheckAndAdd(const Request& request,
                                                                 ServiceContext& context,
                                                                 SessionDraft& draft);

// Publishes what the session has declared. On the io thread, as the callbacks are: `done` is called
// once, and `taken`, if there is one, when the router has the definition, though not the hub yet.
void PublishDraft(const ContextPtr& context, const std::string& session_id,
                  const std::shared_ptr<SessionDraft>& draft,
                  std::function<void(absl::StatusOr<pb::PublishResponse>)> done,
                  std::function<void()> taken = nullptr);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_DRAFT_H_
