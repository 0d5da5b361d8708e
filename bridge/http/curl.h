#ifndef ATOMEMO_BRIDGE_HTTP_CURL_H_
#define ATOMEMO_BRIDGE_HTTP_CURL_H_

#include <curl/curl.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace atomemo::http {

// libcurl, loaded by whoever first moves a byte with it: most commands never do, and it brings
// along two thirds of all libraries that the program would load (docs/adr/0026). Never unloaded.
struct CurlFunctions {
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
};

// INTERNAL, saying what to install, if there is no such library or not this one.
absl::StatusOr<CurlFunctions> LoadCurl(const char* library);

// One request over http or https. Blocks; every object on one thread.
class CurlRequest {
 public:
  // INTERNAL as of LoadCurl.
  static absl::StatusOr<CurlRequest> Make(const std::string& url);

  // `value` has the type that libcurl's manual names for the option: `long`, not `int`.
  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_->easy_setopt(handle_.get(), option, value);
  }

  // "Name: value", or "Name:" to leave out one of libcurl's own.
  void AddHeader(const std::string& header);

  CURLcode Perform();

  // What `info` is after Perform or in a callback; `otherwise` if that is not known.
  template <typename Value>
  Value Get(CURLINFO info, Value otherwise) const {
    curl_->easy_getinfo(handle_.get(), info, &otherwise);
    return otherwise;
  }

  // The HTTP status; 0 before there is one.
  int status() const { return static_cast<int>(Get(CURLINFO_RESPONSE_CODE, 0L)); }

  const char* Explain(CURLcode code) const { return curl_->easy_strerror(code); }

 private:
  explicit CurlRequest(const CurlFunctions& curl);

  const CurlFunctions* curl_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
};

}  // namespace atomemo::http

#endif  // ATOMEMO_BRIDGE_HTTP_CURL_H_
