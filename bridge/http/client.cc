#include "bridge/http/client.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "bridge/http/curl.h"

namespace atomemo::http {
namespace {

std::size_t AppendBody(char* data, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

// libcurl's milliseconds; 0 means for ever.
long Milliseconds(absl::Duration duration) {  // NOLINT(google-runtime-int): libcurl's type
  if (duration == absl::InfiniteDuration()) return 0;
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  return static_cast<long>(  // NOLINT(google-runtime-int)
      std::clamp<std::int64_t>(absl::ToInt64Milliseconds(duration), 1, kMost));
}

absl::Status StatusOf(CURLcode code, const char* explanation) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(explanation);
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(explanation);
    default:
      return absl::UnavailableError(explanation);
  }
}

}  // namespace

absl::StatusOr<Response> Fetch(const Request& request) {
  absl::StatusOr<CurlRequest> curl = CurlRequest::Make(request.url);
  if (!curl.ok()) return curl.status();
  Response response;
  curl->Set(CURLOPT_NOPROXY, "*");
  curl->Set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(request.connect_timeout));
  curl->Set(CURLOPT_TIMEOUT_MS, Milliseconds(request.timeout));
  curl->Set(CURLOPT_WRITEFUNCTION, AppendBody);
  curl->Set(CURLOPT_WRITEDATA, &response.body);
  for (const std::string& header : request.headers) curl->AddHeader(header);
  if (request.method != "GET") {
    curl->Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl->Set(CURLOPT_POSTFIELDS, request.body.data());
    curl->Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (const CURLcode code = curl->Perform(); code != CURLE_OK) {
    return StatusOf(code, curl->Explain(code));
  }
  response.status = curl->status();
  return response;
}

}  // namespace atomemo::http
