#include "atomemo/testing/fake_bridge.h"

#include <atomic>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "sdk-cpp/src/plugin_state.h"

namespace atomemo::testing {
namespace {

using internal::CallKind;

// A clock that only moves when the handler waits.
class VirtualCallControl final : public internal::CallControl {
 public:
  VirtualCallControl(absl::Duration time_left, absl::Duration cancel_after)
      : deadline_(kStart + time_left), cancel_at_(kStart + cancel_after) {}

  absl::Time deadline() const override { return deadline_; }

  absl::Time Now() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return now_;
  }

  bool cancelled() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return now_ >= End();
  }

  bool WaitCancelled(absl::Duration timeout) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    now_ = std::min(now_ + timeout, std::max(now_, End()));
    return now_ >= End();
  }

  // The fake hub answers at once: there is nothing to interrupt.
  std::uint64_t AddCancelHook(std::function<void()>) override { return 0; }
  void RemoveCancelHook(std::uint64_t) override {}

 private:
  static constexpr absl::Time kStart = absl::UnixEpoch();

  absl::Time End() const { return std::min(deadline_, cancel_at_); }

  const absl::Time deadline_;
  const absl::Time cancel_at_;
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = kStart;
};

}  // namespace

CallOptions& CallOptions::Credential(absl::string_view instance_id, Json fields) {
  credentials_[std::string(instance_id)] = std::move(fields);
  return *this;
}

CallOptions& CallOptions::Context(Json context) {
  context_ = std::move(context);
  return *this;
}

CallOptions& CallOptions::TimeLeft(absl::Duration time_left) {
  time_left_ = time_left;
  return *this;
}

CallOptions& CallOptions::CancelAfter(absl::Duration delay) {
  cancel_after_ = delay;
  return *this;
}

CallOptions& CallOptions::Filter(std::string filter) {
  filter_ = std::move(filter);
  return *this;
}

CallOptions& CallOptions::PaginationToken(std::string token) {
  pagination_token_ = std::move(token);
  return *this;
}

CallOptions& CallOptions::Parameters(Json parameters) {
  parameters_ = std::move(parameters);
  return *this;
}

CallOptions& CallOptions::Extra(Json extra) {
  extra_ = std::move(extra);
  return *this;
}

// The scripted hub with its file store. Thread-safe.
class FakeBridge::Hub final : public internal::HubApi {
 public:
  void OnCallHub(absl::string_view event, HubHandler handler) {
    absl::MutexLock lock(&mutex_);
    handlers_[std::string(event)] = std::move(handler);
  }

  std::vector<HubCall> calls() const {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

  std::vector<std::string> log_lines() const {
    absl::MutexLock lock(&mutex_);
    return log_lines_;
  }

  FileRef Store(absl::string_view filename, absl::string_view mime_type, absl::string_view content,
                absl::string_view key_prefix) {
    FileRef file =
        FileRef::FromBytes(std::string(filename), std::string(mime_type), std::string(content));
    file.source = FileRef::Source::kOss;
    file.content.reset();
    absl::MutexLock lock(&mutex_);
    file.res_key = absl::StrCat(key_prefix, files_.size() + 1, "-", filename);
    files_[*file.res_key] = std::string(content);
    return file;
  }

  absl::StatusOr<std::string> Stored(absl::string_view res_key) const {
    absl::MutexLock lock(&mutex_);
    const auto it = files_.find(std::string(res_key));
    if (it == files_.end()) {
      return absl::NotFoundError(absl::StrCat("no file is stored under `", res_key, "`"));
    }
    return it->second;
  }

  std::string NewRequestId() { return absl::StrCat("request-", ++last_request_); }

  absl::StatusOr<Json> CallHub(internal::CallControl& control, absl::string_view event,
                               const Json& data, std::optional<absl::Duration>) override {
    if (control.cancelled()) return absl::CancelledError("the call was cancelled");
    HubHandler handler;
    {
      absl::MutexLock lock(&mutex_);
      calls_.push_back({std::string(event), data});
      const auto it = handlers_.find(std::string(event));
      if (it == handlers_.end()) {
        return absl::UnimplementedError(
            absl::StrCat("the test has no answer for `", event, "`: use FakeBridge::OnCallHub"));
      }
      handler = it->second;
    }
    return handler(data);
  }

  absl::StatusOr<File> DownloadFile(internal::CallControl&, const FileRef& file,
                                    const ChunkSink& sink) override {
    absl::StatusOr<std::string> content = Stored(file.res_key.value_or(""));
    if (!content.ok()) return content.status();
    if (absl::Status status = sink(*content); !status.ok()) return status;
    return File{file.filename, file.mime_type};
  }

  absl::StatusOr<FileRef> UploadFile(internal::CallControl&, const FileUpload& file) override {
    return Store(file.filename, file.mime_type, file.content, file.key_prefix);
  }

  void Log(absl::string_view line) override {
    absl::MutexLock lock(&mutex_);
    log_lines_.emplace_back(line);
  }

 private:
  std::atomic<int> last_request_{0};
  mutable absl::Mutex mutex_;
  std::map<std::string, HubHandler> handlers_ ABSL_GUARDED_BY(mutex_);
  std::vector<HubCall> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> files_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> log_lines_ ABSL_GUARDED_BY(mutex_);
};

FakeBridge::FakeBridge(const Plugin& plugin)
    : plugin_(plugin.state_), hub_(std::make_unique<Hub>()) {}

FakeBridge::~FakeBridge() = default;

internal::CallRequest FakeBridge::RequestFor(internal::CallKind kind, absl::string_view name,
                                             const CallOptions& options) const {
  internal::CallRequest request;
  request.kind = kind;
  request.name = std::string(name);
  request.request_id = hub_->NewRequestId();
  request.parameters = options.parameters_;
  request.credentials = options.credentials_;
  request.context = options.context_;
  request.extra = options.extra_;
  request.filter = options.filter_;
  request.pagination_token = options.pagination_token_;
  return request;
}

template <typename T>
absl::StatusOr<T> FakeBridge::Run(const internal::CallRequest& request,
                                  const CallOptions& options) {
  if (absl::Status status = internal::CheckHandlers(plugin_->definition, plugin_->dispatcher);
      !status.ok()) {
    return status;
  }
  VirtualCallControl control(options.time_left_, options.cancel_after_);
  internal::CallData data{request, control, *hub_};
  absl::StatusOr<internal::Answer> answer = plugin_->dispatcher.Run(data);
  if (!answer.ok()) return answer.status();
  return std::get<T>(*std::move(answer));
}

absl::StatusOr<Json> FakeBridge::Invoke(absl::string_view tool, Json parameters,
                                        const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kInvoke, tool, options);
  request.parameters = std::move(parameters);
  return Run<Json>(request, options);
}

absl::StatusOr<ResourceList> FakeBridge::ListResources(absl::string_view tool,
                                                       absl::string_view method,
                                                       const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kListResources, tool, options);
  request.method = std::string(method);
  return Run<ResourceList>(request, options);
}

absl::StatusOr<ResourceMapping> FakeBridge::MapResource(absl::string_view tool,
                                                        absl::string_view method,
                                                        const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kMapResource, tool, options);
  request.method = std::string(method);
  return Run<ResourceMapping>(request, options);
}

absl::StatusOr<Json> FakeBridge::Authenticate(absl::string_view credential, Json fields,
                                              const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kAuthenticate, credential, options);
  request.parameters = std::move(fields);
  return Run<Json>(request, options);
}

absl::StatusOr<std::string> FakeBridge::BuildAuthorizeUrl(absl::string_view credential, Json fields,
                                                          absl::string_view redirect_uri,
                                                          absl::string_view state,
                                                          const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kBuildAuthorizeUrl, credential, options);
  request.parameters = std::move(fields);
  request.redirect_uri = std::string(redirect_uri);
  request.state = std::string(state);
  return Run<std::string>(request, options);
}

absl::StatusOr<OAuth2Tokens> FakeBridge::GetToken(absl::string_view credential, Json fields,
                                                  absl::string_view code,
                                                  absl::string_view redirect_uri,
                                                  const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kGetToken, credential, options);
  request.parameters = std::move(fields);
  request.code = std::string(code);
  request.redirect_uri = std::string(redirect_uri);
  return Run<OAuth2Tokens>(request, options);
}

absl::StatusOr<OAuth2Tokens> FakeBridge::RefreshToken(absl::string_view credential, Json fields,
                                                      const CallOptions& options) {
  internal::CallRequest request = RequestFor(CallKind::kRefreshToken, credential, options);
  request.parameters = std::move(fields);
  return Run<OAuth2Tokens>(request, options);
}

void FakeBridge::OnCallHub(absl::string_view event, HubHandler handler) {
  hub_->OnCallHub(event, std::move(handler));
}

std::vector<FakeBridge::HubCall> FakeBridge::hub_calls() const { return hub_->calls(); }

FileRef FakeBridge::StoreFile(absl::string_view filename, absl::string_view mime_type,
                              absl::string_view content) {
  return hub_->Store(filename, mime_type, content, /*key_prefix=*/"");
}

absl::StatusOr<std::string> FakeBridge::StoredFile(absl::string_view res_key) const {
  return hub_->Stored(res_key);
}

std::vector<std::string> FakeBridge::log_lines() const { return hub_->log_lines(); }

}  // namespace atomemo::testing
