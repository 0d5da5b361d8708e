#ifndef ATOMEMO_BRIDGE_HTTP_CLIENT_H_
#define ATOMEMO_BRIDGE_HTTP_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace atomemo::http {

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration timeout = absl::InfiniteDuration();  // of the whole exchange
};

struct Response {
  int status = 0;
  std::string body;
};

// Makes one request and blocks until its end; only http and https, no redirects, no proxy.
// UNAVAILABLE when the server cannot be reached, DEADLINE_EXCEEDED past the timeout,
// INVALID_ARGUMENT for a URL that is none, INTERNAL without libcurl. Thread-safe.
absl::StatusOr<Response> Fetch(const Request& request);

}  // namespace atomemo::http

#endif  // ATOMEMO_BRIDGE_HTTP_CLIENT_H_
