#include "sdk-cpp/src/bridge_hub.h"

#include <algorithm>
#include <string>

#include <grpcpp/client_context.h>

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

void BridgeHub::SetConnection(std::shared_ptr<const Connection> connection) {
  absl::MutexLock lock(&mutex_);
  connection_ = std::move(connection);
}

absl::StatusOr<std::shared_ptr<const Connection>> BridgeHub::Connected() const {
  absl::MutexLock lock(&mutex_);
  if (connection_ == nullptr) return absl::UnavailableError("the bridge is away");
  return connection_;
}

absl::StatusOr<Json> BridgeHub::CallHub(CallControl& control, absl::string_view event,
                                        const Json& data, std::optional<absl::Duration> timeout) {
  if (absl::Status status = CheckNumbers(data); !status.ok()) return status;
  const auto connection = Connected();
  if (!connection.ok()) return connection.status();
  const absl::Duration wanted = timeout.value_or(event == "invoke_llm" ? kLlmTimeout : kHubTimeout);
  pb::CallHubRequest request;
  request.set_session_id((*connection)->session_id);
  request.set_event(std::string(event));
  SetJson(data, request.mutable_data()->mutable_json());
  SetDuration(std::min(wanted, std::max(absl::ZeroDuration(), control.deadline() - control.Now())),
              request.mutable_timeout());
  pb::CallHubResponse response;
  CallContext context(control);
  const grpc::Status status = (*connection)->stub->CallHub(context.get(), request, &response);
  if (!status.ok()) return ToAbsl(status);
  return FromProto(response.data());
}

absl::StatusOr<File> BridgeHub::DownloadFile(CallControl& control, const FileRef& file,
                                             const ChunkSink& sink) {
  const auto connection = Connected();
  if (!connection.ok()) return TransferError(connection.status(), kDownloadFailed);
  pb::DownloadFileRequest request;
  request.set_session_id((*connection)->session_id);
  *request.mutable_file_ref() = ToProto(file);
  CallContext context(control);
  const auto reader = (*connection)->stub->DownloadFile(context.get(), request);
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
  const auto connection = Connected();
  if (!connection.ok()) return TransferError(connection.status(), kUploadFailed);
  CallContext context(control);
  pb::UploadFileResponse response;
  const auto writer = (*connection)->stub->UploadFile(context.get(), &response);
  pb::UploadFileRequest request;
  pb::UploadHeader& header = *request.mutable_header();
  header.set_session_id((*connection)->session_id);
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
