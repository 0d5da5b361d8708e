#include "bridge/http/curl.h"

#include <dlfcn.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace atomemo::http {
namespace {

// Its name since 2006, on every Linux.
constexpr char kLibrary[] = "libcurl.so.4";

absl::Status NotLoaded() {
  const char* const why = dlerror();
  return absl::InternalError(absl::StrCat("libcurl cannot be loaded; on Debian it is in libcurl4: ",
                                          why == nullptr ? "it refuses to start" : why));
}

template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

absl::StatusOr<CurlFunctions> LoadCurl(const char* library) {
  void* const curl = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (curl == nullptr) return NotLoaded();
  CurlFunctions functions = {};
  decltype(&curl_global_init) global_init = nullptr;
  const bool complete = Find(curl, "curl_global_init", global_init) &&
                        Find(curl, "curl_easy_init", functions.easy_init) &&
                        Find(curl, "curl_easy_cleanup", functions.easy_cleanup) &&
                        Find(curl, "curl_easy_setopt", functions.easy_setopt) &&
                        Find(curl, "curl_easy_perform", functions.easy_perform) &&
                        Find(curl, "curl_easy_getinfo", functions.easy_getinfo) &&
                        Find(curl, "curl_easy_strerror", functions.easy_strerror) &&
                        Find(curl, "curl_slist_append", functions.slist_append) &&
                        Find(curl, "curl_slist_free_all", functions.slist_free_all);
  if (!complete || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return NotLoaded();
  return functions;
}

absl::StatusOr<CurlRequest> CurlRequest::Make(const std::string& url) {
  static const absl::StatusOr<CurlFunctions>* const curl =
      new absl::StatusOr<CurlFunctions>(LoadCurl(kLibrary));
  if (!curl->ok()) return curl->status();
  CurlRequest request(**curl);
  if (request.handle_ == nullptr) return absl::InternalError("libcurl makes no request");
  request.Set(CURLOPT_URL, url.c_str());
  request.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  request.Set(CURLOPT_NOSIGNAL, 1L);
  request.AddHeader("Expect:");  // a large body goes out at once: not every server answers 100
  return request;
}

CurlRequest::CurlRequest(const CurlFunctions& curl)
    : curl_(&curl),
      headers_(nullptr, curl.slist_free_all),
      handle_(curl.easy_init(), curl.easy_cleanup) {}

void CurlRequest::AddHeader(const std::string& header) {
  if (curl_slist* const longer = curl_->slist_append(headers_.get(), header.c_str())) {
    (void)headers_.release();
    headers_.reset(longer);
  }
}

CURLcode CurlRequest::Perform() {
  Set(CURLOPT_HTTPHEADER, headers_.get());
  return curl_->easy_perform(handle_.get());
}

}  // namespace atomemo::http
