#include "bridge/router/hub_requests.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/random.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {

HubRequests::HubRequests(HubPort& hub, base::Scheduler& scheduler, const RouterOptions& options)
    : hub_(hub), scheduler_(scheduler), options_(options) {}

HubRequests::~HubRequests() {
  for (const auto& [id, request] : requests_) scheduler_.Cancel(request.timer);
}

void HubRequests::Start(Session& session, absl::string_view event, std::string data_json,
                        std::optional<absl::Duration> timeout, Done done) {
  if (session.plugin == nullptr) {
    return done(absl::FailedPreconditionError("the session is not published yet"));
  }
  if (session.hub_calls >= options_.limits.max_hub_calls) {
    return done(absl::ResourceExhaustedError(
        absl::StrCat("the session has too many calls to the hub under way (",
                     options_.limits.max_hub_calls, ", set by --max-hub-calls)")));
  }
  const absl::Duration usual =
      event == "invoke_llm" ? options_.timeouts.invoke_llm : options_.timeouts.hub_call;
  const absl::Duration limit =
      std::clamp(timeout.value_or(usual), absl::Milliseconds(1), kMaxHubCallTimeout);

  // Registered before the push, so that an outcome during it finds the request.
  const std::string id = base::RandomId();
  Request& request = requests_[id];
  request.session = &session;
  request.topic = session.plugin->topic;
  request.done = std::move(done);
  request.timer = scheduler_.After(limit, [this, id, limit] {
    Finish(id, absl::DeadlineExceededError(
                   absl::StrCat("the hub did not answer within ", absl::FormatDuration(limit))));
  });
  ++session.hub_calls;
  if (!hub_.PushRequest(session.plugin->topic,
                        HubRequest{id, std::string(event), std::move(data_json)})) {
    Finish(id, absl::UnavailableError(
                   "the bridge has no connection to the hub at the moment: try again later"));
  }
}

void HubRequests::OnReply(absl::string_view topic, absl::string_view request_id,
                          absl::StatusOr<std::string> outcome) {
  const auto request = requests_.find(request_id);
  if (request == requests_.end() || request->second.topic != topic) return;
  Finish(std::string(request_id), std::move(outcome));
}

void HubRequests::SessionClosed(const Session& session) {
  std::vector<std::string> ids;
  for (const auto& [id, request] : requests_) {
    if (request.session == &session) ids.push_back(id);
  }
  for (const std::string& id : ids) Finish(id, absl::CancelledError("the session has ended"));
}

void HubRequests::Finish(const std::string& request_id, absl::StatusOr<std::string> outcome) {
  const auto found = requests_.find(request_id);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  scheduler_.Cancel(request.timer);
  --request.session->hub_calls;
  request.done(std::move(outcome));
}

}  // namespace atomemo::router
