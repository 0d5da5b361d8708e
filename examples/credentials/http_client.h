#ifndef ATOMEMO_EXAMPLES_CREDENTIALS_HTTP_CLIENT_H_
#define ATOMEMO_EXAMPLES_CREDENTIALS_HTTP_CLIENT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credentials {

// Names and values, in order: a form, or a URL's query.
using Fields = std::vector<std::pair<std::string, std::string>>;

// `a=1&b=x%20y`.
std::string UrlEncoded(const Fields& fields);

struct HttpRequest {
  std::string url;
  // "Bearer ...", or empty.
  std::string authorization;
  // Sent as a form with POST; without fields the request is a GET.
  Fields form;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  // Where a redirect leads; empty without one.
  std::string location = {};
};

// Makes one request over http or https, without following redirects. UNAVAILABLE if no answer comes
// within `timeout`; what the server answers, even an error, is a response.
absl::StatusOr<HttpResponse> Send(const HttpRequest& request, absl::Duration timeout);

}  // namespace credentials

#endif  // ATOMEMO_EXAMPLES_CREDENTIALS_HTTP_CLIENT_H_
