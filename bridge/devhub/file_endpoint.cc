#include "bridge/devhub/file_endpoint.h"

#include <string>
#include <utility>

#include "absl/strings/strip.h"
#include "bridge/devhub/query.h"

namespace atomemo::devhub {
namespace {

HttpResponse DiskFailure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ErrorResponse(404, "not_found", status.message());
    case absl::StatusCode::kInvalidArgument:
      return ErrorResponse(400, "bad_request", status.message());
    case absl::StatusCode::kOutOfRange:
      return ErrorResponse(413, "too_large", status.message());
    default:
      return ErrorResponse(500, "storage_failed", status.message());
  }
}

}  // namespace

HttpResponse FileEndpoint::Serve(const HttpRequest& request, absl::Time now) {
  if (request.method != "GET" && request.method != "PUT") {
    return ErrorResponse(405, "method_not_allowed", "a file takes GET or PUT");
  }
  const absl::Status allowed =
      signer_.Check(request.method, request.path, ParseQuery(request.query), now);
  if (!allowed.ok()) return ErrorResponse(403, "forbidden", allowed.message());

  absl::string_view key = request.path;
  absl::ConsumePrefix(&key, "/files/");
  if (request.method == "PUT") {
    const absl::Status stored = store_.Put(key, request.body);
    return stored.ok() ? HttpResponse{} : DiskFailure(stored);
  }
  absl::StatusOr<std::string> bytes = store_.Get(key);
  if (!bytes.ok()) return DiskFailure(bytes.status());
  // Never a type that a browser would run in this hub's origin.
  return {200, "application/octet-stream", *std::move(bytes)};
}

}  // namespace atomemo::devhub
