#include "bridge/devhub/http_message.h"

#include <utility>

namespace atomemo::devhub {

HttpResponse JsonResponse(int status, std::string json) {
  json += '\n';
  return {status, "application/json", std::move(json)};
}

HttpResponse JsonResponse(int status, const base::Json& json) {
  return JsonResponse(status, base::DumpJson(json));
}

HttpResponse ErrorResponse(int status, absl::string_view code, absl::string_view message) {
  const base::Json error = {{"code", std::string(code)}, {"message", std::string(message)}};
  return JsonResponse(status, base::Json{{"error", error}});
}

}  // namespace atomemo::devhub
