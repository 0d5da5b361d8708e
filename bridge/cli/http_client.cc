#include "bridge/cli/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"

namespace atomemo::cli {
namespace {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, FreeCurl>;
using Headers = std::unique_ptr<curl_slist, FreeCurl>;

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

Headers MakeHeaders(const std::vector<std::string>& headers) {
  // Without "Expect", a large body goes out at once.
  Headers list(curl_slist_append(nullptr, "Expect:"));
  for (const std::string& header : headers) {
    if (curl_slist* const longer = curl_slist_append(list.get(), header.c_str())) {
      (void)list.release();
      list.reset(longer);
    }
  }
  return list;
}

absl::Status CurlError(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(curl_easy_strerror(code));
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(curl_easy_strerror(code));
    default:
      return absl::UnavailableError(curl_easy_strerror(code));
  }
}

}  // namespace

absl::StatusOr<HttpResponse> FetchHttp(const HttpRequest& request) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Curl curl(initialized == CURLE_OK ? curl_easy_init() : nullptr);
  if (curl == nullptr) return absl::InternalError("libcurl cannot be initialized");
  const Headers headers = MakeHeaders(request.headers);
  HttpResponse response;

  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(request.connect_timeout));
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, Milliseconds(request.timeout));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, AppendBody);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &response.body);
  if (request.method != "GET") {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return CurlError(code);
  long status = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace atomemo::cli
