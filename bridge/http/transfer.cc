#include "bridge/http/transfer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/redact.h"
#include "bridge/http/curl.h"

namespace atomemo::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kMaxRedirects = 5;
constexpr long kConnectTimeoutSeconds = 10;

// One request. Callbacks that fail leave their status here.
class Transfer {
 public:
  Transfer(const std::string& url, const TransferControl& control, CurlRequest request)
      : where_(base::RedactUrl(url)), control_(control), request_(std::move(request)) {
    request_.Set(CURLOPT_ERRORBUFFER, details_.data());
    request_.Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    request_.Set(CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
    // Do not wait for a name look-up that was given up.
    request_.Set(CURLOPT_QUICK_EXIT, 1L);
    request_.Set(CURLOPT_NOPROGRESS, 0L);
    request_.Set(CURLOPT_XFERINFODATA, this);
    request_.Set(CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
  }

  CurlRequest& request() { return request_; }

  // A curl callback's result: whether the transfer goes on.
  bool Keep(absl::Status status) {
    last_moved_ = Clock::now();  // the time that the callback took is the plugin's
    if (!status.ok() && status_.ok()) status_ = std::move(status);
    return status_.ok();
  }

  absl::Status Perform() {
    last_moved_ = Clock::now();
    const CURLcode result = request_.Perform();
    if (!status_.ok()) return status_;
    if (result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_URL_MALFORMAT) {
      return absl::InvalidArgumentError(absl::StrCat("not an http or https URL: ", where_));
    }
    if (result != CURLE_OK) {
      return absl::UnavailableError(
          absl::StrCat("the storage at ", where_, " failed: ", Explain(result)));
    }
    return CheckResponse();
  }

  // UNAVAILABLE unless the storage answered with success.
  absl::Status CheckResponse() const {
    const int code = request_.status();
    if (code >= 200 && code < 300) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("the storage at ", where_, " answered with HTTP status ", code));
  }

  ResponseInfo response_info() const {
    ResponseInfo info;
    const char* const type = request_.Get<const char*>(CURLINFO_CONTENT_TYPE, nullptr);
    if (type != nullptr) info.content_type = type;
    const auto length = request_.Get<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, -1);
    if (length >= 0) info.content_length = length;
    return info;
  }

 private:
  // Which host, address or certificate it was, where that is known and can hold no secret: of a
  // proxy's URL libcurl may quote all.
  std::string Explain(CURLcode result) const {
    switch (result) {
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_CONNECT:
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
        if (details_[0] != '\0') return base::RedactText(details_.data());
        break;
      default:
        break;
    }
    return request_.Explain(result);
  }

  static int OnProgress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    return static_cast<Transfer*>(self)->GoOn(received + sent) ? 0 : 1;
  }

  bool GoOn(curl_off_t moved) {
    if (std::exchange(moved_, moved) != moved) last_moved_ = Clock::now();
    if (control_.is_cancelled != nullptr && control_.is_cancelled()) {
      return Keep(absl::CancelledError("the plugin ended the call"));
    }
    if (Clock::now() - last_moved_ > absl::ToChronoNanoseconds(control_.stall_timeout)) {
      return Keep(
          absl::UnavailableError(absl::StrCat("the storage at ", where_, " has moved nothing for ",
                                              absl::FormatDuration(control_.stall_timeout))));
    }
    return true;
  }

  const std::string where_;
  const TransferControl& control_;
  std::array<char, CURL_ERROR_SIZE> details_ = {};  // outlives request_
  CurlRequest request_;
  absl::Status status_;
  curl_off_t moved_ = 0;
  Clock::time_point last_moved_;
};

// What a GET's callbacks need.
struct DownloadState {
  Transfer* transfer;
  std::size_t max_bytes;
  const std::function<absl::Status(const ResponseInfo&)>* on_start;
  const std::function<absl::Status(absl::string_view)>* on_data;
  bool started = false;
  std::size_t received = 0;

  absl::Status TooLarge() const {
    return absl::ResourceExhaustedError(absl::StrCat("the file is larger than the limit of ",
                                                     max_bytes, " bytes (--max-file-bytes)"));
  }

  absl::Status Start() {
    if (std::exchange(started, true)) return absl::OkStatus();
    if (absl::Status status = transfer->CheckResponse(); !status.ok()) return status;
    const ResponseInfo info = transfer->response_info();
    if (info.content_length && static_cast<std::size_t>(*info.content_length) > max_bytes) {
      return TooLarge();
    }
    return (*on_start)(info);
  }

  absl::Status Take(absl::string_view data) {
    if (absl::Status status = Start(); !status.ok()) return status;
    received += data.size();
    if (received > max_bytes) return TooLarge();
    return (*on_data)(data);
  }

  static std::size_t OnData(char* data, std::size_t, std::size_t size, void* self) {
    auto* state = static_cast<DownloadState*>(self);
    return state->transfer->Keep(state->Take(absl::string_view(data, size))) ? size : 0;
  }
};

// What a PUT's callbacks need.
struct UploadState {
  Transfer* transfer;
  const std::function<absl::StatusOr<std::size_t>(char*, std::size_t)>* read;
  std::int64_t left;

  static std::size_t OnRead(char* buffer, std::size_t, std::size_t size, void* self) {
    auto* state = static_cast<UploadState*>(self);
    const std::size_t want = std::min<std::size_t>(size, static_cast<std::size_t>(state->left));
    if (want == 0) return 0;
    const absl::StatusOr<std::size_t> got = (*state->read)(buffer, want);
    if (!state->transfer->Keep(got.status())) return CURL_READFUNC_ABORT;
    state->left -= static_cast<std::int64_t>(*got);
    return *got;
  }

  // The storage's answer is of no interest.
  static std::size_t OnData(char*, std::size_t, std::size_t size, void*) { return size; }
};

}  // namespace

absl::Status Download(const std::string& url, std::size_t max_bytes, const TransferControl& control,
                      const std::function<absl::Status(const ResponseInfo&)>& on_start,
                      const std::function<absl::Status(absl::string_view)>& on_data) {
  absl::StatusOr<CurlRequest> request = CurlRequest::Make(url);
  if (!request.ok()) return request.status();
  Transfer transfer(url, control, *std::move(request));
  DownloadState state{&transfer, max_bytes, &on_start, &on_data};
  transfer.request().Set(CURLOPT_FOLLOWLOCATION, 1L);
  transfer.request().Set(CURLOPT_MAXREDIRS, kMaxRedirects);
  transfer.request().Set(CURLOPT_WRITEDATA, &state);
  transfer.request().Set(CURLOPT_WRITEFUNCTION, &DownloadState::OnData);
  if (absl::Status status = transfer.Perform(); !status.ok()) return status;
  return state.Start();  // an empty file has no data to start with
}

absl::Status Upload(
    const std::string& url, const std::string& content_type, std::int64_t size,
    const TransferControl& control,
    const std::function<absl::StatusOr<std::size_t>(char* buffer, std::size_t size)>& read) {
  absl::StatusOr<CurlRequest> request = CurlRequest::Make(url);
  if (!request.ok()) return request.status();
  Transfer transfer(url, control, *std::move(request));
  UploadState state{&transfer, &read, size};
  transfer.request().AddHeader(absl::StrCat("Content-Type: ", content_type));
  transfer.request().Set(CURLOPT_UPLOAD, 1L);
  transfer.request().Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
  transfer.request().Set(CURLOPT_READDATA, &state);
  transfer.request().Set(CURLOPT_READFUNCTION, &UploadState::OnRead);
  transfer.request().Set(CURLOPT_WRITEFUNCTION, &UploadState::OnData);
  return transfer.Perform();
}

}  // namespace atomemo::http
