#ifndef ATOMEMO_TESTS_INTEGRATION_HUB_API_H_
#define ATOMEMO_TESTS_INTEGRATION_HUB_API_H_

#include <cstdint>
#include <future>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/json.h"

namespace atomemo::integration {

// One call that the hub shall make.
struct HubCall {
  std::string event = "invoke_tool";
  base::Json payload = base::Json::object();
  std::string plugin = "integration";
  std::string version = "";     // of a release; empty: the plugin in development, or the newest
  std::string request_id = "";  // empty: the hub chooses one
  absl::Duration timeout = absl::Seconds(25);
  // What becomes of the hub at the call's answer, each time: "crash", "close", or nothing.
  std::string on_response = "";
};

// `{"tool_name": tool, "parameters": parameters}` for the plugin "integration".
HubCall ToolCall(absl::string_view tool, base::Json parameters = base::Json::object());

// What came of it.
struct Outcome {
  int http_status = 0;  // 200: answered
  std::string event;    // for instance "invoke_tool_response"
  base::Json payload;   // of the answer; the whole body if there is none

  // The answer's `data`, or its `error`; null if there is none.
  base::Json data() const { return payload.value("data", base::Json()); }
  base::Json error() const { return payload.value("error", base::Json()); }
};

// The development hub's HTTP API. Stateless and thread-safe.
class HubApi {
 public:
  explicit HubApi(std::uint16_t port) : port_(port) {}

  Outcome Call(const HubCall& call) const;
  std::future<Outcome> CallLater(HubCall call) const;
  // Makes the call without waiting for its answer; the HTTP status, 202 if the call was made.
  int Start(const HubCall& call) const;

  // GET or, with a body, POST; null if the hub did not answer with JSON.
  base::Json Get(absl::string_view path) const;
  base::Json Post(absl::string_view path, const base::Json& body) const;

  // GET /api/calls/{request_id}
  base::Json Find(absl::string_view request_id) const;

  // Waits until `count` plugins have joined, and, in debug mode, registered.
  bool WaitJoined(int count = 1) const;
  // Waits until the hub has `count` sockets.
  bool WaitSockets(int count) const;

 private:
  Outcome Request(const std::string& method, absl::string_view path, std::string body) const;

  const std::uint16_t port_;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_HUB_API_H_
