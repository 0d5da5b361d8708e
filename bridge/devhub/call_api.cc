#include "bridge/devhub/call_api.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/base/random.h"

namespace atomemo::devhub {
namespace {

using base::Json;
using base::JsonMembers;

constexpr std::size_t kListedCalls = 100;
constexpr double kMaxTimeoutMs = 24.0 * 3600 * 1000;

// The body of POST /api/calls, checked.
struct CallRequest {
  std::string plugin;
  std::string version;
  std::string mode;
  std::string event;
  std::string payload = "{}";  // JSON text of an object, with its request_id
  std::string request_id;
  absl::Duration timeout;
  bool wait = true;
  bool broadcast = true;
  CallDigestion digestion;
};

absl::Status Invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

// Reads the body's members. All are taken from the text, so that the plugin gets its payload digit
// by digit.
class BodyReader {
 public:
  explicit BodyReader(JsonMembers members) : members_(std::move(members)) {}

  absl::Status Read(CallRequest& request) {
    for (const auto& [name, value] :
         {std::pair<const char*, std::string*>{"plugin", &request.plugin},
          {"version", &request.version},
          {"mode", &request.mode},
          {"event", &request.event},
          {"request_id", &request.request_id}}) {
      if (absl::Status status = ReadText(name, *value); !status.ok()) return status;
    }
    if (request.plugin.empty()) return Invalid("`plugin` (the plugin's name) is missing");
    if (request.event.empty()) return Invalid("`event` is missing, for instance \"invoke_tool\"");
    if (!request.mode.empty() && request.mode != "debug" && request.mode != "release") {
      return Invalid("`mode` must be \"debug\" or \"release\"");
    }
    if (request.mode == "release" && request.version.empty()) {
      return Invalid("`mode` \"release\" needs a `version`");
    }
    if (absl::Status status = ReadTimeout(request); !status.ok()) return status;
    if (absl::Status status = ReadDelivery(request); !status.ok()) return status;
    for (const auto& [name, digestion] :
         {std::pair<const char*, Digestion*>{"on_response", &request.digestion.response},
          {"on_error", &request.digestion.error}}) {
      if (absl::Status status = ReadDigestion(name, *digestion); !status.ok()) return status;
    }
    return ReadPayload(request);
  }

 private:
  // Reads the string member `name` where there is one.
  absl::Status ReadText(const char* name, std::string& value) {
    const std::optional<absl::string_view> member = members_.Take(name);
    if (!member) return absl::OkStatus();
    std::optional<std::string> text = base::UnquoteJson(*member);
    if (!text) return Invalid(absl::StrCat("`", name, "` must be a string"));
    value = *std::move(text);
    return absl::OkStatus();
  }

  absl::Status ReadTimeout(CallRequest& request) {
    request.timeout = DefaultCallTimeout(request.event);
    const std::optional<absl::string_view> member = members_.Take("timeout_ms");
    if (!member) return absl::OkStatus();
    const absl::StatusOr<double> ms = base::NearestDouble(*member);
    if (!ms.ok() || !(*ms > 0 && *ms <= kMaxTimeoutMs)) {
      return Invalid("`timeout_ms` must be a number above 0 and at most one day");
    }
    request.timeout = absl::Milliseconds(*ms);
    return absl::OkStatus();
  }

  absl::Status ReadDelivery(CallRequest& request) {
    if (members_.Has("wait")) {
      const std::optional<absl::string_view> wait = members_.Take("wait");
      if (wait != "true" && wait != "false") return Invalid("`wait` must be true or false");
      request.wait = wait == "true";
    }
    std::string delivery = "broadcast";
    if (absl::Status status = ReadText("delivery", delivery); !status.ok()) return status;
    if (delivery != "broadcast" && delivery != "push") {
      return Invalid("`delivery` must be \"broadcast\" or \"push\"");
    }
    request.broadcast = delivery == "broadcast";
    return absl::OkStatus();
  }

  absl::Status ReadDigestion(const char* name, Digestion& digestion) {
    std::string text = "take";
    if (absl::Status status = ReadText(name, text); !status.ok()) return status;
    for (const auto& [known, value] : {std::pair<const char*, Digestion>{"take", Digestion::kTake},
                                       {"crash", Digestion::kCrash},
                                       {"close", Digestion::kClose}}) {
      if (text != known) continue;
      digestion = value;
      return absl::OkStatus();
    }
    return Invalid(absl::StrCat("`", name, "` must be \"take\", \"crash\" or \"close\""));
  }

  absl::Status ReadPayload(CallRequest& request) {
    if (const std::optional<absl::string_view> payload = members_.Take("payload")) {
      const absl::StatusOr<JsonMembers> inside = JsonMembers::Cut(*payload);
      if (!inside.ok()) return Invalid("`payload` must be an object");
      request.payload = std::string(*payload);
      if (inside->Has("request_id")) return ReadOwnId(*inside, request);
    }
    if (request.request_id.empty()) request.request_id = base::RandomId();
    request.payload =
        base::PrependMember(request.payload, "request_id", base::QuoteJson(request.request_id));
    return absl::OkStatus();
  }

  // The request_id that the payload itself has.
  static absl::Status ReadOwnId(JsonMembers payload, CallRequest& request) {
    const std::optional<std::string> id =
        base::UnquoteJson(payload.Take("request_id").value_or("null"));
    if (!id) return Invalid("`payload.request_id` must be a string");
    if (!request.request_id.empty() && request.request_id != *id) {
      return Invalid("`request_id` and `payload.request_id` differ");
    }
    request.request_id = *id;
    return id->empty() ? Invalid("`request_id` is empty") : absl::OkStatus();
  }

  JsonMembers members_;
};

absl::StatusOr<CallRequest> ReadCallRequest(const std::string& text) {
  absl::StatusOr<JsonMembers> members = JsonMembers::Cut(text);
  if (!members.ok()) {
    return Invalid(absl::StrCat("the body must be a JSON object: ", members.status().message()));
  }
  CallRequest request;
  const absl::Status status = BodyReader(*std::move(members)).Read(request);
  if (!status.ok()) return status;
  return request;
}

std::string AnswerJson(const CallAnswer& answer) {
  return absl::StrCat(R"({"event":)", base::QuoteJson(answer.event), R"(,"payload":)",
                      answer.payload, R"(,"elapsed_ms":)",
                      absl::ToDoubleMilliseconds(answer.elapsed), "}");
}

// The members that every view of a call shows, without the closing brace.
std::string CallHead(const Call& call) {
  return absl::StrCat(R"({"request_id":)", base::QuoteJson(call.request_id), R"(,"topic":)",
                      base::QuoteJson(call.topic), R"(,"event":)", base::QuoteJson(call.event),
                      R"(,"state":")", CallStateName(call.state), R"(","answer_count":)",
                      call.answer_count, R"(,"duplicates":)",
                      call.answer_count > 1 ? call.answer_count - 1 : 0, R"(,"undigested":)",
                      call.undigested_count);
}

HttpResponse FinishedResponse(const Call& call) {
  switch (call.state) {
    case Call::State::kAnswered:
      return JsonResponse(200, AnswerJson(call.answers.front()));
    case Call::State::kTimedOut:
      return ErrorResponse(504, "timeout",
                           absl::StrCat("the plugin did not answer ", call.event, " in time"));
    default:
      return ErrorResponse(503, "shutting_down", "the hub is shutting down");
  }
}

}  // namespace

void CallApi::Post(const std::string& body, const HttpReply& reply) {
  const absl::StatusOr<CallRequest> request = ReadCallRequest(body);
  if (!request.ok()) return reply(ErrorResponse(400, "bad_request", request.status().message()));
  const std::string topic =
      request->mode == "debug"
          ? base::FormatPluginTopic({base::HubMode::kDebug, request->plugin, ""})
          : directory_.FindPlugin(request->plugin, request->version);
  if (directory_.Find(topic) == nullptr) return reply(NotJoined(request->plugin));

  CallBroker::OnFinished on_finished;
  if (request->wait) on_finished = [reply](const Call& call) { reply(FinishedResponse(call)); };
  const absl::Status started =
      broker_.Start(request->request_id, topic, request->event, request->timeout,
                    std::move(on_finished), request->digestion);
  if (absl::IsAlreadyExists(started)) {
    return reply(ErrorResponse(409, "request_id_in_use", started.message()));
  }
  if (!started.ok()) return reply(ErrorResponse(503, "too_many_calls", started.message()));
  Deliver(topic, request->event, request->payload, request->broadcast);
  if (!request->wait) {
    reply(JsonResponse(202, Json{{"request_id", request->request_id}}));
  }
}

void CallApi::Deliver(const std::string& topic, absl::string_view event, const std::string& payload,
                      bool broadcast) {
  // A copy: sending may drop a socket that does not read.
  const std::vector<ServerSocket*> sockets = directory_.Find(topic)->sockets;
  if (!broadcast) {
    sockets.back()->Push(topic, event, payload);
    return;
  }
  const std::string frame =
      hub::EncodePhoenixFrame({std::nullopt, std::nullopt, topic, std::string(event), payload});
  for (ServerSocket* socket : sockets) socket->SendEncoded(frame);
}

HttpResponse CallApi::NotJoined(const std::string& plugin) const {
  Json joined = Json::array();
  for (const auto& [topic, entry] : directory_.topics()) joined.push_back(topic);
  return JsonResponse(
      404, Json{{"error",
                 {{"code", "plugin_not_joined"},
                  {"message", absl::StrCat("no plugin ", base::QuoteJson(plugin),
                                           " of that mode and version has joined this hub")},
                  {"joined", std::move(joined)}}}});
}

HttpResponse CallApi::List() const {
  std::string json = absl::StrCat(R"({"pending":)", broker_.pending(), R"(,"calls":[)");
  const char* separator = "";
  for (const Call* call : broker_.Recent(kListedCalls)) {
    absl::StrAppend(&json, separator, CallHead(*call), "}");
    separator = ",";
  }
  return JsonResponse(200, json + "]}");
}

HttpResponse CallApi::Get(const std::string& request_id) const {
  const Call* call = broker_.Find(request_id);
  if (call == nullptr) {
    return ErrorResponse(404, "unknown_call", "no call with this request_id is remembered");
  }
  std::string json = absl::StrCat(CallHead(*call), R"(,"answers":[)");
  const char* separator = "";
  for (const CallAnswer& answer : call->answers) {
    absl::StrAppend(&json, separator, AnswerJson(answer));
    separator = ",";
  }
  return JsonResponse(200, json + "]}");
}

}  // namespace atomemo::devhub
