#include "tests/integration/hub_api.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/http/client.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

using base::Json;

constexpr int kOk = 200;

Json RequestBody(const HubCall& call, bool wait) {
  Json body = {{"plugin", call.plugin},
               {"event", call.event},
               {"payload", call.payload},
               {"timeout_ms", absl::ToDoubleMilliseconds(call.timeout)},
               {"wait", wait}};
  if (!call.version.empty()) body["version"] = call.version;
  if (!call.request_id.empty()) body["request_id"] = call.request_id;
  if (!call.on_response.empty()) body["on_response"] = call.on_response;
  return body;
}

}  // namespace

HubCall ToolCall(absl::string_view tool, Json parameters) {
  HubCall call;
  call.payload = {{"tool_name", std::string(tool)}, {"parameters", std::move(parameters)}};
  return call;
}

Outcome HubApi::Call(const HubCall& call) const {
  Outcome outcome = Request("POST", "/api/calls", base::DumpJson(RequestBody(call, true)));
  if (outcome.http_status != kOk) return outcome;
  outcome.event = outcome.payload.value("event", "");
  outcome.payload = Json(outcome.payload["payload"]);
  return outcome;
}

std::future<Outcome> HubApi::CallLater(HubCall call) const {
  return std::async(std::launch::async,
                    [api = *this, call = std::move(call)] { return api.Call(call); });
}

int HubApi::Start(const HubCall& call) const {
  return Request("POST", "/api/calls", base::DumpJson(RequestBody(call, false))).http_status;
}

Json HubApi::Get(absl::string_view path) const { return Request("GET", path, "").payload; }

Json HubApi::Post(absl::string_view path, const Json& body) const {
  return Request("POST", path, base::DumpJson(body)).payload;
}

Json HubApi::Find(absl::string_view request_id) const {
  return Get(absl::StrCat("/api/calls/", request_id));
}

bool HubApi::WaitJoined(int count) const {
  return WaitUntil([&] {
    const Json answer = Get("/api/plugins");
    if (!answer.is_object()) return false;
    int ready = 0;
    for (const Json& plugin : answer["plugins"]) {
      if (plugin["mode"] == "release" || plugin["registered"] == true) ++ready;
    }
    return ready >= count;
  });
}

bool HubApi::WaitSockets(int count) const {
  return WaitUntil([&] {
    const Json health = Get("/healthz");
    return health.is_object() && health["sockets"] == count;
  });
}

Outcome HubApi::Request(const std::string& method, absl::string_view path, std::string body) const {
  http::Request request;
  request.method = method;
  request.url = absl::StrCat("http://127.0.0.1:", port_, path);
  request.body = std::move(body);
  request.timeout = kPatience;
  const absl::StatusOr<http::Response> response = http::Fetch(request);
  if (!response.ok()) return {};
  return {response->status, "", base::ParseJson(response->body).value_or(Json())};
}

}  // namespace atomemo::integration
