#include "bridge/cli/call_command.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"
#include "bridge/base/json_error.h"
#include "bridge/base/json_members.h"
#include "bridge/base/redact.h"
#include "bridge/http/client.h"

namespace atomemo::cli {
namespace {

using base::Json;

constexpr int kAnswered = 0;
constexpr int kErrorAnswer = 1;
constexpr int kNoAnswer = 2;
// What the hub gets beyond the call's own time to say that it timed out.
constexpr absl::Duration kHubGrace = absl::Seconds(10);
constexpr int kIndent = 2;

std::string ReadAll(std::istream& stream) {
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

// The text of the payload, wherever it comes from; valid JSON and an object.
absl::StatusOr<std::string> ReadPayload(const CallOptions& options) {
  std::string text = options.json;
  absl::string_view path = options.json;
  if (options.json == "-") {
    text = ReadAll(*options.input);
  } else if (absl::ConsumePrefix(&path, "@")) {
    std::ifstream file{std::string(path)};
    text = ReadAll(file);
    if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read the file ", path));
  }
  absl::string_view json = text;
  absl::ConsumePrefix(&json, "\xEF\xBB\xBF");  // some editors put it in front of a file
  // As deep as fits into the request: what the bridge takes is for the bridge to say.
  absl::StatusOr<std::string> checked =
      base::CheckJsonObject(json, base::JsonReader::kMaxDepth - 1);
  if (checked.ok()) return std::string(json);
  const absl::Status& status = checked.status();
  const std::optional<std::size_t> offset = base::JsonErrorOffset(status);
  return absl::InvalidArgumentError(
      absl::StrCat("JSON must be an object, as in '{\"tool_name\":\"hello\"}': ", status.message(),
                   offset ? absl::StrCat(" (near ", base::JsonExcerpt(json, *offset), ")") : ""));
}

// The request to the hub. The payload goes in as text, so that its numbers keep their digits.
http::Request MakeRequest(const CallOptions& options, const std::string& payload) {
  http::Request request;
  request.method = "POST";
  request.url = absl::StrCat(absl::StripSuffix(options.hub_url, "/"), "/api/calls");
  request.headers = {"Content-Type: application/json"};
  request.body = absl::StrCat(R"({"plugin":)", base::QuoteJson(options.plugin), R"(,"event":)",
                              base::QuoteJson(options.event));
  if (!options.version.empty()) {
    absl::StrAppend(&request.body, R"(,"version":)", base::QuoteJson(options.version));
  }
  if (options.timeout) {
    absl::StrAppend(&request.body, R"(,"timeout_ms":)",
                    absl::ToDoubleMilliseconds(*options.timeout));
    request.timeout = *options.timeout + kHubGrace;
  }
  absl::StrAppend(&request.body, R"(,"payload":)", payload, "}");
  return request;
}

// What the hub said about a call that it could not make, and what to do about it.
std::string HubRefusal(const CallOptions& options, const http::Response& response) {
  const absl::StatusOr<Json> body = base::ParseJson(response.body);
  const Json error =
      body.ok() && body->is_object() ? body->value("error", Json::object()) : Json::object();
  if (!error.is_object() || !error.contains("message") || !error["message"].is_string()) {
    return absl::StrCat(base::RedactUrl(options.hub_url), " answered HTTP ", response.status,
                        "; is it a development hub (atomemo-bridge hub)?");
  }
  std::string text = error["message"].get<std::string>();
  if (!error.contains("joined") || !error["joined"].is_array()) return text;
  if (error["joined"].empty()) {
    return absl::StrCat(text, "; none has joined at all: start the bridge and the plugin");
  }
  const auto quote = [](std::string* list, const Json& topic) {
    absl::StrAppend(list, topic.is_string() ? topic.get<std::string>() : "");
  };
  return absl::StrCat(text, "; joined are: ", absl::StrJoin(error["joined"], ", ", quote));
}

std::string Unreachable(const CallOptions& options, const absl::Status& status) {
  const std::string url = base::RedactUrl(options.hub_url);
  if (absl::IsInvalidArgument(status)) {
    return absl::StrCat("--hub must be a URL such as ", kDefaultHubUrl, ": ", status.message());
  }
  if (absl::IsInternal(status)) return std::string(status.message());
  if (absl::IsDeadlineExceeded(status)) {
    return absl::StrCat("the hub at ", url, " did not answer in time");
  }
  return absl::StrCat("no development hub answers at ", url, " (", status.message(),
                      "): start one with `atomemo-bridge dev`, or name it with --hub");
}

// Prints the hub's view of the answer: {"event", "payload", "elapsed_ms"}.
int PrintAnswer(const CallOptions& options, const std::string& body, std::ostream& out,
                std::ostream& err) {
  absl::StatusOr<base::JsonMembers> answer = base::JsonMembers::Cut(body);
  const absl::string_view event_json = answer.ok() ? answer->Take("event").value_or("") : "";
  const std::optional<std::string> taken_event = base::UnquoteJson(event_json);
  if (!taken_event || !answer->Has("payload")) {
    err << "the hub's answer has no event and payload; is it a development hub?\n";
    return kNoAnswer;
  }
  const std::string& event = *taken_event;
  const absl::string_view payload = answer->Take("payload").value_or("null");
  out << (options.raw ? std::string(payload) : base::IndentJson(payload, kIndent)) << "\n";
  if (absl::EndsWith(event, "_response")) return kAnswered;
  err << "the call failed: the answer is " << event << "\n";
  return kErrorAnswer;
}

}  // namespace

int RunCall(const CallOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<std::string> payload = ReadPayload(options);
  if (!payload.ok()) {
    err << payload.status().message() << "\n";
    return kNoAnswer;
  }
  const absl::StatusOr<http::Response> response = http::Fetch(MakeRequest(options, *payload));
  if (!response.ok()) {
    err << Unreachable(options, response.status()) << "\n";
    return kNoAnswer;
  }
  if (response->status != 200) {
    err << HubRefusal(options, *response) << "\n";
    return kNoAnswer;
  }
  return PrintAnswer(options, response->body, out, err);
}

}  // namespace atomemo::cli
