#include "bridge/devhub/http_api.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"
#include "bridge/devhub/query.h"
#include "bridge/devhub/status_page.h"

namespace atomemo::devhub {
namespace {

using base::Json;

constexpr int kServiceRestart = 1012;

// The body of a control request: an object; an empty body counts as one.
absl::StatusOr<Json> ReadObject(const std::string& body) {
  if (body.empty()) return Json::object();
  absl::StatusOr<Json> json = base::ParseJson(body);
  if (!json.ok()) return json.status();
  if (!json->is_object()) return absl::InvalidArgumentError("the body must be a JSON object");
  return json;
}

std::string TextOf(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

bool IsCloseCode(const Json& code) {
  return code.is_number_integer() && code >= 1000 && code <= 4999 && code != 1004 && code != 1005 &&
         code != 1006 && code != 1015;
}

HttpResponse TopicNotJoined() {
  return ErrorResponse(404, "topic_not_joined", "no socket has joined this topic");
}

}  // namespace

void HttpApi::Serve(const HttpRequest& request, const HttpReply& reply) {
  if (request.method == "GET") return reply(Get(request));
  if (request.method != "POST") {
    return reply(ErrorResponse(405, "method_not_allowed", "the hub takes GET and POST"));
  }
  if (request.path == "/api/calls") return calls_.Post(request.body, reply);
  if (request.path == "/api/disconnect") return reply(Disconnect(request.body));
  if (request.path == "/api/crash_channel") return reply(EndChannels(request.body, true));
  if (request.path == "/api/close_channel") return reply(EndChannels(request.body, false));
  reply(ErrorResponse(404, "not_found", "the hub has nothing at this path"));
}

HttpResponse HttpApi::Get(const HttpRequest& request) const {
  absl::string_view path = request.path;
  if (path == "/") {
    return {200, "text/html; charset=utf-8", StatusPage(directory_, broker_)};
  }
  if (path == "/healthz") return Health();
  if (path == "/api/plugins") return Plugins();
  if (path == "/api/calls") return calls_.List();
  if (absl::ConsumePrefix(&path, "/api/calls/")) return calls_.Get(PercentDecode(path));
  if (absl::ConsumePrefix(&path, "/api/plugins/") && absl::ConsumeSuffix(&path, "/definition")) {
    Query query = ParseQuery(request.query);
    return Definition(PercentDecode(path), query["version"]);
  }
  return ErrorResponse(404, "not_found", "the hub has nothing at this path");
}

HttpResponse HttpApi::Health() const {
  const CallBroker::Counters& calls = broker_.counters();
  return JsonResponse(200, Json{{"status", "ok"},
                                {"sockets", directory_.sockets().size()},
                                {"topics", directory_.topics().size()},
                                {"calls",
                                 {{"pending", broker_.pending()},
                                  {"started", calls.started},
                                  {"answered", calls.answered},
                                  {"timed_out", calls.timed_out},
                                  {"duplicate_answers", calls.duplicate_answers},
                                  {"stray_answers", calls.stray_answers},
                                  {"undigested_answers", calls.undigested_answers}}}});
}

HttpResponse HttpApi::Plugins() const {
  Json plugins = Json::array();
  for (const auto& [topic, entry] : directory_.topics()) {
    Json plugin = {{"topic", topic},
                   {"name", entry.plugin.name},
                   {"mode", std::string(base::HubModeName(entry.plugin.mode))}};
    if (!entry.plugin.version.empty()) plugin["version"] = entry.plugin.version;
    plugin["joined_at"] = absl::FormatTime(absl::RFC3339_sec, entry.joined_at, absl::UTCTimeZone());
    plugin["sockets"] = entry.sockets.size();
    plugin["registered"] = !entry.definition.empty();
    plugins.push_back(std::move(plugin));
  }
  return JsonResponse(200, Json{{"plugins", std::move(plugins)}});
}

HttpResponse HttpApi::Definition(const std::string& plugin, const std::string& version) const {
  JoinedTopic* topic = directory_.Find(directory_.FindPlugin(plugin, version));
  if (topic == nullptr) return TopicNotJoined();
  if (topic->definition.empty()) {
    return ErrorResponse(404, "not_registered", "the plugin has joined but registered nothing");
  }
  return JsonResponse(200, topic->definition);
}

HttpResponse HttpApi::Disconnect(const std::string& body) {
  const absl::StatusOr<Json> options = ReadObject(body);
  if (!options.ok()) return ErrorResponse(400, "bad_request", options.status().message());
  const Json code = options->value("code", Json(kServiceRestart));
  if (!IsCloseCode(code)) {
    return ErrorResponse(400, "bad_request", "`code` must be a code that a close frame may carry");
  }
  // Copies: closing removes sockets from the directory.
  std::vector<ServerSocket*> sockets;
  if (options->contains("topic")) {
    const JoinedTopic* topic = directory_.Find(TextOf(*options, "topic"));
    if (topic == nullptr) return TopicNotJoined();
    sockets = topic->sockets;
  } else {
    sockets.assign(directory_.sockets().begin(), directory_.sockets().end());
  }
  const bool abrupt = options->value("abrupt", Json()) == true;
  for (ServerSocket* socket : sockets) {
    abrupt ? socket->Abort() : socket->Close(code.get<std::uint16_t>(), "");
  }
  return JsonResponse(200, Json{{"disconnected", sockets.size()}});
}

HttpResponse HttpApi::EndChannels(const std::string& body, bool crash) {
  const absl::StatusOr<Json> options = ReadObject(body);
  if (!options.ok()) return ErrorResponse(400, "bad_request", options.status().message());
  const std::string name = TextOf(*options, "topic");
  const JoinedTopic* topic = directory_.Find(name);
  if (topic == nullptr) return TopicNotJoined();
  const std::vector<ServerSocket*> sockets = topic->sockets;
  for (ServerSocket* socket : sockets) {
    crash ? socket->CrashChannel(name) : socket->CloseChannel(name);
  }
  return JsonResponse(200, Json{{"channels", sockets.size()}});
}

}  // namespace atomemo::devhub
