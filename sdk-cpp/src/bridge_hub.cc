#include "sdk-cpp/src/bridge_hub.h"

#include <algorithm>
#include <string>

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "atomemo/error.h"
#include "sdk-cpp/src/check_answer.h"
#include "sdk-cpp/src/status.h"
#include "sdk-cpp/src/wire.h"

namespace atomemo::internal {
namespace {

constexpr absl::Duration kLlmTimeout = absl::Minutes(15);
constexpr absl::Duration kHubTimeout = absl::Seconds(30);
constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

// A client context that ends with the handler's call.
class CallContext {
 public:
  explicit CallContext(CallControl& control) : control_(control) {
    // A call without a deadline has one that no system clock can hold.
    if (control.deadline() < absl::Now() + absl::Hours(24)) {
      context_.set_deadline(absl::ToChronoTime(control.deadline()));
    }
    hook_ = control.AddCancelHook([this] { context_.TryCancel(); });
  }
  ~CallContext() { control_.RemoveCancelHook(hook_); }
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  grpc::ClientContext* get() { return &context_; }

 private:
  CallControl& control_;
  grpc::ClientContext context_;
  std::uint64_t hook_ = 0;
};

// A transfer that failed may succeed later, unless the request is wrong or the hub says why.
absl::Status TransferError(const absl::Status& error, absl::string_view code) {
  const bool may_succeed = absl::IsUnavailable(error) || absl::IsInternal(error) ||
                           absl::IsDeadlineExceeded(error) || ErrorCode(error).empty();
  if (!may_succeed) return error;
  return Error(
      {std::string(code), absl::StatusCodeToString(error.code()), std::string(error.message())},
      error.code());
}

constexpr absl::string_view kDownloadFailed = "transient:download_failed";
constexpr absl::string_view kUploadFailed = "transient:upload_failed";

}  // namespace

void BridgeHub::Attach(std::shared_ptr<pb::PluginService::Stub> stub, std::string session_id) {
  absl::MutexLock lock(&mutex_);
  session_ = {std::move(stub), std::move(session_id)};
}

void BridgeHub::Detach() {
  absl::MutexLock lock(&mutex_);
  session_ = {};
  for (const auto& [id, call] : waiting_) {
    call->End(absl::UnavailableError("the bridge went away before the hub's answer came"));
  }
}

void BridgeHub::OnReply(BridgeMessagePtr message) {
  absl::MutexLock lock(&mutex_);
  const auto call = waiting_.find(message->hub_reply().id());
  if (call != waiting_.end()) call->second->End(std::move(message));
}

absl::StatusOr<BridgeHub::Session> BridgeHub::Opened() const {
  absl::MutexLock lock(&mutex_);
  if (session_.stub == nullptr) return absl::UnavailableError("the bridge is away");
  return session_;
}

absl::StatusOr<Json> BridgeHub::CallHub(CallControl& control, absl::string_view event,
                                        const Json& data, std::optional<absl::Duration> timeout) {
  if (absl::Status status = CheckNumbers(data); !status.ok()) return status;
  const absl::Duration wanted = timeout.value_or(event == "invoke_llm" ? kLlmTimeout : kHubTimeout);
  auto message = std::make_shared<pb::PluginMessage>();
  pb::HubRequest& request = *message->mutable_hub_request();
  request.mutable_call()->set_event(std::string(event));
  SetJson(data, request.mutable_call()->mutable_data()->mutable_json());
  SetDuration(std::min(wanted, std::max(absl::ZeroDuration(), control.deadline() - control.Now())),
              request.mutable_call()->mutable_timeout());
  Waiting call;
  {
    absl::MutexLock lock(&mutex_);
    if (session_.stub == nullptr) return absl::UnavailableError("the bridge is away");
    request.set_id(absl::StrCat(++last_id_));
    waiting_[request.id()] = &call;
  }
  const std::uint64_t hook = control.AddCancelHook([this, &call]() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    call.End(absl::CancelledError("the call was cancelled"));
  });
  send_(message);
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(&call.done), control.deadline());
    call.End(absl::DeadlineExceededError("the call's time is over"));
    waiting_.erase(request.id());
  }
  control.RemoveCancelHook(hook);
  if (!call.reply.ok()) return call.reply.status();
  const pb::HubReply& reply = (*call.reply)->hub_reply();
  if (reply.has_failure()) return ToAbsl(reply.failure());
  return FromProto(reply.data());
}

absl::StatusOr<File> BridgeHub::DownloadFile(CallControl& control, const FileRef& file,
                                             const ChunkSink& sink) {
  const absl::StatusOr<Session> session = Opened();
  if (!session.ok()) return TransferError(session.status(), kDownloadFailed);
  pb::DownloadFileRequest request;
  request.set_session_id(session->id);
  *request.mutable_file_ref() = ToProto(file);
  CallContext context(control);
  const auto reader = session->stub->DownloadFile(context.get(), request);
  File downloaded{file.filename, file.mime_type};
  absl::Status sink_status;
  pb::DownloadFileResponse response;
  while (sink_status.ok() && reader->Read(&response)) {
    if (response.has_info()) {
      if (response.info().has_filename()) downloaded.filename = response.info().filename();
      if (response.info().has_mime_type()) downloaded.mime_type = response.info().mime_type();
    } else {
      sink_status = sink(response.chunk());
    }
  }
  if (!sink_status.ok()) context.get()->TryCancel();
  const grpc::Status status = reader->Finish();
  if (!sink_status.ok()) return sink_status;
  if (!status.ok()) return TransferError(ToAbsl(status), kDownloadFailed);
  return downloaded;
}

absl::StatusOr<FileRef> BridgeHub::UploadFile(CallControl& control, const FileUpload& file) {
  const absl::StatusOr<Session> session = Opened();
  if (!session.ok()) return TransferError(session.status(), kUploadFailed);
  CallContext context(control);
  pb::UploadFileResponse response;
  const auto writer = session->stub->UploadFile(context.get(), &response);
  pb::UploadFileRequest request;
  pb::UploadHeader& header = *request.mutable_header();
  header.set_session_id(session->id);
  header.set_filename(file.filename);
  header.set_mime_type(file.mime_type);
  header.set_size(static_cast<std::int64_t>(file.content.size()));
  header.set_key_prefix(file.key_prefix);
  bool open = writer->Write(request);
  for (std::size_t at = 0; open && at < file.content.size(); at += kChunkBytes) {
    request.set_chunk(file.content.substr(at, kChunkBytes));
    open = writer->Write(request);
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return TransferError(ToAbsl(status), kUploadFailed);
  return FromProto(response.file_ref());
}

void BridgeHub::Log(absl::string_view line) { logger_(LogLevel::kInfo, line); }

}  // namespace atomemo::internal
