#ifndef ATOMEMO_BRIDGE_DEVHUB_HTTP_MESSAGE_H_
#define ATOMEMO_BRIDGE_DEVHUB_HTTP_MESSAGE_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "bridge/base/json.h"

namespace atomemo::devhub {

// A request as it came: nothing in it is trusted, and path and query are still encoded.
struct HttpRequest {
  std::string method;
  std::string path;
  std::string query;  // without `?`
  std::string host;   // the Host header
  std::string origin;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
};

// Answers one request; to be called once, on the io thread.
using HttpReply = std::function<void(HttpResponse)>;

HttpResponse JsonResponse(int status, std::string json);
HttpResponse JsonResponse(int status, const base::Json& json);

// `{"error":{"code","message"}}`, which every refusal of the HTTP API is.
HttpResponse ErrorResponse(int status, absl::string_view code, absl::string_view message);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_HTTP_MESSAGE_H_
