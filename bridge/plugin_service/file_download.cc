#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/http/transfer.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

using Call = UnaryCall<pb::DownloadFileRequest>;

constexpr std::size_t kChunkBytes = 64 * 1024;
// A plugin that reads slowly makes the storage wait.
constexpr std::size_t kMaxChunksAhead = 4;

// Writes a file to the plugin, at the pace at which it reads. On a thread that may block.
class FileWriter {
 public:
  FileWriter(const ContextPtr& context, const Call& call) : context_(context), call_(call) {}

  absl::Status Start(const http::ResponseInfo& info) {
    pb::FileInfo file;
    const pb::FileRef& ref = call_->request.file_ref();
    if (ref.has_filename()) file.set_filename(ref.filename());
    if (ref.has_mime_type()) {
      file.set_mime_type(ref.mime_type());
    } else if (info.content_type) {
      file.set_mime_type(*info.content_type);
    }
    if (info.content_length) file.set_size(*info.content_length);
    auto message = std::make_unique<pb::DownloadFileResponse>();
    *message->mutable_info() = std::move(file);
    call_->outbox->Send(std::move(message));
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view data) {
    for (; !data.empty(); data.remove_prefix(std::min(kChunkBytes, data.size()))) {
      absl::Status room =
          call_->outbox->WaitForRoom(kMaxChunksAhead, context_->options.transfer_stall_timeout);
      if (!room.ok()) return room;
      auto message = std::make_unique<pb::DownloadFileResponse>();
      message->set_chunk(std::string(data.substr(0, kChunkBytes)));
      call_->outbox->Send(std::move(message));
    }
    return absl::OkStatus();
  }

 private:
  const ContextPtr& context_;
  const Call& call_;
};

void RunTransfer(const ContextPtr& context, const Call& call, std::function<absl::Status()> move) {
  const bool queued =
      context->transfers.Run([call, move = std::move(move)] { call->outbox->Finish(move()); });
  if (!queued) {
    call->Fail(
        absl::ResourceExhaustedError("too many files wait to be moved: see --max-transfers"));
  }
}

void SendContent(const ContextPtr& context, const Call& call) {
  RunTransfer(context, call, [context, call] {
    const std::string& content = call->request.file_ref().content();
    http::ResponseInfo info;
    info.content_length = static_cast<std::int64_t>(content.size());
    FileWriter writer(context, call);
    absl::Status status = writer.Start(info);
    return status.ok() ? writer.Write(content) : status;
  });
}

void SendFromStorage(const ContextPtr& context, const Call& call, const std::string& url) {
  RunTransfer(context, call, [context, call, url] {
    FileWriter writer(context, call);
    http::TransferControl control;
    control.stall_timeout = context->options.transfer_stall_timeout;
    control.is_cancelled = [&call] { return call->outbox->closed(); };
    return http::Download(
        url, context->options.max_file_bytes, control,
        [&writer](const http::ResponseInfo& info) { return writer.Start(info); },
        [&writer](absl::string_view data) { return writer.Write(data); });
  });
}

// The member `url` of the hub's answer.
absl::StatusOr<std::string> UrlIn(const std::string& answer) {
  const absl::StatusOr<base::Json> json = base::ParseJson(answer);
  if (json.ok() && json->is_object()) {
    const auto url = json->find("url");
    if (url != json->end() && url->is_string()) return url->get<std::string>();
  }
  return absl::UnavailableError("the hub's answer to get_file_url has no url");
}

void AskHubForUrl(const ContextPtr& context, const Call& call, const std::string& res_key) {
  base::Json data;
  data["res_key"] = res_key;
  context->port.CallHub(call->request.session_id(), "get_file_url", base::DumpJson(data),
                        std::nullopt, [context, call](absl::StatusOr<std::string> answer) {
                          if (!answer.ok()) return call->Fail(answer.status());
                          const absl::StatusOr<std::string> url = UrlIn(*answer);
                          if (!url.ok()) return call->Fail(url.status());
                          SendFromStorage(context, call, *url);
                        });
}

// The hub's key for the file, or empty.
const std::string& KeyOf(const pb::DownloadFileRequest& request) {
  return request.has_file_ref() ? request.file_ref().res_key() : request.res_key();
}

}  // namespace

void ServeDownloadFile(const ContextPtr& context, const Call& call) {
  context->io.Post([context, call] {
    const pb::DownloadFileRequest& request = call->request;
    const absl::Status status = context->sessions.Find(request.session_id(), call->peer).status();
    if (!status.ok()) return call->Fail(status);
    if (request.file_ref().has_content()) return SendContent(context, call);
    if (!KeyOf(request).empty()) return AskHubForUrl(context, call, KeyOf(request));
    call->Fail(absl::InvalidArgumentError(
        "the reference names nothing to download: it has neither `content` nor `res_key`"));
  });
}

}  // namespace atomemo::plugin_service
