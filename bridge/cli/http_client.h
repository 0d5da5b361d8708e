#ifndef ATOMEMO_BRIDGE_CLI_HTTP_CLIENT_H_
#define ATOMEMO_BRIDGE_CLI_HTTP_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace atomemo::cli {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration timeout = absl::InfiniteDuration();  // of the whole exchange
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

// Makes one request with libcurl and blocks until its end; only http and https, no redirects, no
// proxy. UNAVAILABLE when the server cannot be reached, DEADLINE_EXCEEDED past the timeout,
// INVALID_ARGUMENT for a URL that is none. Thread-safe.
absl::StatusOr<HttpResponse> FetchHttp(const HttpRequest& request);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_HTTP_CLIENT_H_
