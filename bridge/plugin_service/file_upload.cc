#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/http/transfer.h"
#include "bridge/plugin_service/chunk_pipe.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

// What the threads that carry out one upload share.
struct Upload {
  ContextPtr context;
  RpcStart start;
  pb::UploadHeader header;  // completed: extension and mime_type are set
  std::shared_ptr<ChunkPipe> pipe;
};
using UploadPtr = std::shared_ptr<Upload>;

std::string ExtensionOf(const std::string& filename) {
  const std::size_t dot = filename.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == filename.size()) return "";
  return filename.substr(dot);
}

absl::Status CompleteHeader(pb::UploadHeader& header, std::size_t max_bytes) {
  if (header.size() < 0) return absl::InvalidArgumentError("`header.size` is negative");
  if (static_cast<std::size_t>(header.size()) > max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the file has ", header.size(),
                                                     " bytes, and the limit is ", max_bytes,
                                                     " (--max-file-bytes)"));
  }
  if (header.file_extension().empty()) header.set_file_extension(ExtensionOf(header.filename()));
  if (header.mime_type().empty()) header.set_mime_type("application/octet-stream");
  for (const char c : header.mime_type()) {  // it becomes a line of the HTTP request
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError("`header.mime_type` has control characters");
    }
  }
  return absl::OkStatus();
}

// Where the hub wants the bytes.
struct Target {
  std::string url;
  std::string res_key;
};

absl::StatusOr<Target> TargetIn(const std::string& answer) {
  const absl::StatusOr<base::Json> json = base::ParseJson(answer);
  Target target;
  if (json.ok() && json->is_object()) {
    const auto url = json->find("presigned_url");
    const auto key = json->find("res_key");
    if (url != json->end() && url->is_string()) target.url = url->get<std::string>();
    if (key != json->end() && key->is_string()) target.res_key = key->get<std::string>();
  }
  if (!target.url.empty() && !target.res_key.empty()) return target;
  return absl::UnavailableError(
      "the hub's answer to get_upload_url has no presigned_url or no res_key");
}

absl::Status MoveBytes(const Upload& upload, const std::string& url) {
  const absl::Duration patience = upload.context->options.transfer_stall_timeout;
  // The storage is told the exact length beforehand. Nothing but a complete upload must be stored,
  // so the last bytes are held back until the plugin has closed the stream.
  std::int64_t left = upload.header.size();
  http::TransferControl control;
  control.stall_timeout = patience;
  control.is_cancelled = [&upload] { return upload.start.outbox->closed(); };
  if (left == 0) {
    if (absl::Status ended = upload.pipe->WaitForEnd(patience); !ended.ok()) return ended;
  }
  return http::Upload(url, upload.header.mime_type(), left, control,
                      [&](char* buffer, std::size_t size) -> absl::StatusOr<std::size_t> {
                        absl::StatusOr<std::size_t> got = upload.pipe->Read(buffer, size, patience);
                        if (!got.ok()) return got;
                        left -= static_cast<std::int64_t>(*got);
                        if (left > 0) return got;
                        absl::Status ended = upload.pipe->WaitForEnd(patience);
                        if (!ended.ok()) return ended;
                        return got;
                      });
}

void StoreAndAnswer(const Upload& upload, const Target& target) {
  const absl::Status status = MoveBytes(upload, target.url);
  if (!status.ok()) {
    // Reports what the plugin did wrong, if that is what broke the transfer.
    return upload.start.outbox->Finish(status);
  }
  auto response = std::make_unique<pb::UploadFileResponse>();
  pb::FileRef& file = *response->mutable_file_ref();
  file.set_source(pb::FileRef::SOURCE_OSS);
  if (!upload.header.filename().empty()) file.set_filename(upload.header.filename());
  if (!upload.header.file_extension().empty())
    file.set_file_extension(upload.header.file_extension());
  file.set_mime_type(upload.header.mime_type());
  file.set_size(upload.header.size());
  file.set_res_key(target.res_key);
  upload.start.outbox->Send(std::move(response));
  upload.start.outbox->Finish(absl::OkStatus());
}

// On the io thread.
void AskHubForTarget(const UploadPtr& upload) {
  ServiceContext& context = *upload->context;
  const pb::UploadHeader& header = upload->header;
  RpcOutbox& outbox = *upload->start.outbox;
  const absl::Status known =
      context.sessions.Find(header.session_id(), upload->start.peer).status();
  if (!known.ok()) return outbox.Finish(known);
  base::Json data;
  data["extension"] = header.file_extension();
  data["prefixKey"] = header.key_prefix();   // the JavaScript SDK's name
  data["key_prefix"] = header.key_prefix();  // the Elixir SDK's
  context.port.CallHub(
      header.session_id(), "get_upload_url", base::DumpJson(data), std::nullopt,
      [upload](absl::StatusOr<std::string> answer) {
        const absl::StatusOr<Target> target =
            answer.ok() ? TargetIn(*answer) : absl::StatusOr<Target>(answer.status());
        if (!target.ok()) return upload->start.outbox->Finish(target.status());
        const bool queued = upload->context->transfers.Run(
            [upload, target = *target] { StoreAndAnswer(*upload, target); });
        if (queued) return;
        upload->start.outbox->Finish(
            absl::ResourceExhaustedError("too many files wait to be moved: see --max-transfers"));
      });
}

class UploadHandler : public RpcHandler {
 public:
  UploadHandler(ContextPtr context, const RpcStart& start)
      : context_(std::move(context)), start_(start) {}

  void OnMessage(grpc::ByteBuffer message) override {
    pb::UploadFileRequest request;
    absl::Status status = CheckMessageSize(message.Length(), context_->options.max_message_bytes);
    if (status.ok()) status = ParseMessage(message, request);
    if (status.ok()) status = Take(request);
    if (!status.ok()) End(status);
  }

  void OnHalfClose() override {
    if (pipe_ == nullptr) return End(absl::InvalidArgumentError("the call has no header"));
    absl::Status status = pipe_->Close(absl::OkStatus());
    if (!status.ok()) End(status);
  }

  void OnDone() override {
    if (pipe_ != nullptr)
      pipe_->Close(absl::CancelledError("the plugin ended the call")).IgnoreError();
  }

 private:
  absl::Status Take(pb::UploadFileRequest& request) {
    if (pipe_ == nullptr) {
      if (!request.has_header()) {
        return absl::InvalidArgumentError("the first message must be `header`");
      }
      return Begin(std::move(*request.mutable_header()));
    }
    if (!request.has_chunk()) {
      return absl::InvalidArgumentError("every message but the first must be `chunk`");
    }
    return pipe_->Write(std::move(*request.mutable_chunk()));
  }

  absl::Status Begin(pb::UploadHeader header) {
    absl::Status status = CompleteHeader(header, context_->options.max_file_bytes);
    if (!status.ok()) return status;
    pipe_ = std::make_shared<ChunkPipe>(static_cast<std::size_t>(header.size()),
                                        [outbox = start_.outbox] { outbox->RequestRead(); });
    auto upload = std::make_shared<Upload>(Upload{context_, start_, std::move(header), pipe_});
    start_.outbox->RequestRead();
    context_->io.Post([upload] { AskHubForTarget(upload); });
    return absl::OkStatus();
  }

  void End(const absl::Status& status) {
    if (pipe_ != nullptr) pipe_->Close(status).IgnoreError();
    start_.outbox->Finish(status);
  }

  const ContextPtr context_;
  const RpcStart start_;
  std::shared_ptr<ChunkPipe> pipe_;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeUploadFile(ContextPtr context, const RpcStart& start) {
  return std::make_unique<UploadHandler>(std::move(context), start);
}

}  // namespace atomemo::plugin_service
