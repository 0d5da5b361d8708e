#include "bridge/plugin_service/rpc_outbox.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/scheduler.h"
#include "bridge/definition/payload.h"
#include "bridge/plugin_service/grpc_status.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

constexpr char kEndedByPlugin[] = "the plugin cancelled it, or its connection was lost";
// A client that gets a message beyond its limit cancels the call, and the server does not hear why.
constexpr std::size_t kSuspectBytes = std::size_t{1} << 20;

bool NeedsConversion(plugin::v1::PayloadEncoding encoding) {
  return encoding != plugin::v1::PAYLOAD_ENCODING_JSON;
}

grpc::ByteBuffer Serialize(const google::protobuf::Message& message, std::size_t size) {
  grpc::Slice slice(size);
  // A slice that was just made and is not shared may be written to; gRPC's own code does the same.
  message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

RpcOutbox::RpcOutbox(Limits limits, Transport* transport)
    : limits_(limits), transport_(transport) {}

void RpcOutbox::SetOnUnsendable(OnUnsendable on_unsendable) {
  on_unsendable_ = std::move(on_unsendable);
}

void RpcOutbox::SetMaxReceiveBytes(std::size_t bytes) { max_receive_bytes_ = bytes; }

void RpcOutbox::SendHeaders() {
  absl::MutexLock lock(&mutex_);
  if (transport_ == nullptr || writing_ || finish_started_ || cancelled_) return;
  writing_ = true;
  transport_->StartHeaders();
}

RpcOutbox::SendResult RpcOutbox::Send(std::unique_ptr<google::protobuf::Message> message,
                                      plugin::v1::PayloadEncoding encoding, Lane lane) {
  const std::size_t bytes = message->ByteSizeLong();
  {
    absl::MutexLock lock(&mutex_);
    if (transport_ == nullptr || end_) return SendResult::kClosed;
    // A message that is too large by itself is let in when nothing else waits.
    Queue& queue = queues_[static_cast<std::size_t>(lane)];
    const bool full = queue.entries.size() >= limits_.max_messages ||
                      (!queue.entries.empty() && queue.bytes + bytes > limits_.max_bytes);
    if (full) return SendResult::kFull;
    queue.entries.push_back(Entry{std::move(message), encoding, bytes});
    queue.bytes += bytes;
  }
  Pump(/*on_queue_thread=*/false);
  return SendResult::kQueued;
}

void RpcOutbox::Finish(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    CloseLocked(status);
  }
  Pump(/*on_queue_thread=*/false);
}

void RpcOutbox::Abort(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    DropQueueLocked();
    CloseLocked(status);
    // Only what is under way can hold up the end.
    if (transport_ != nullptr && (writing_ || finish_started_)) transport_->Abort(*end_);
  }
  Pump(/*on_queue_thread=*/false);
}

void RpcOutbox::RequestRead() {
  absl::MutexLock lock(&mutex_);
  if (transport_ == nullptr || cancelled_ || finish_started_) return;
  transport_->StartRead();
}

absl::Status RpcOutbox::WaitForRoom(std::size_t messages, absl::Duration timeout) {
  struct Condition {
    const RpcOutbox* outbox;
    std::size_t messages;
    bool operator()() const ABSL_NO_THREAD_SAFETY_ANALYSIS {  // the mutex's Await holds it
      return outbox->end_ || outbox->transport_ == nullptr || outbox->WaitingLocked() <= messages;
    }
  } condition{this, messages};
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&condition, &Condition::operator()), timeout)) {
    return absl::DeadlineExceededError(
        absl::StrCat("the plugin has read nothing for ", absl::FormatDuration(timeout)));
  }
  if (end_ || transport_ == nullptr) return absl::CancelledError("the plugin ended the call");
  return absl::OkStatus();
}

bool RpcOutbox::closed() const {
  absl::MutexLock lock(&mutex_);
  return end_.has_value() || transport_ == nullptr;
}

std::string RpcOutbox::WhyClosed() const {
  absl::MutexLock lock(&mutex_);
  if (!end_) return transport_ == nullptr ? kEndedByPlugin : "";
  return end_->ok() ? "the plugin half-closed it" : end_->error_message();
}

void RpcOutbox::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) CancelLocked();
  }
  Pump(/*on_queue_thread=*/true);
}

void RpcOutbox::OnQueueThread() {
  {
    absl::MutexLock lock(&mutex_);
    wake_requested_ = false;
  }
  Pump(/*on_queue_thread=*/true);
}

void RpcOutbox::OnCancelled() {
  {
    absl::MutexLock lock(&mutex_);
    CancelLocked();
  }
  Pump(/*on_queue_thread=*/true);
}

void RpcOutbox::Detach() {
  absl::MutexLock lock(&mutex_);
  transport_ = nullptr;
  DropQueueLocked();
}

void RpcOutbox::Pump(bool on_queue_thread) {
  for (;;) {
    Entry entry;
    {
      absl::MutexLock lock(&mutex_);
      if (transport_ == nullptr || writing_ || finish_started_) return;
      Queue* const queue = NextLocked();
      if (queue == nullptr) {
        if (!end_) return;
        finish_started_ = true;
        transport_->StartFinish(*end_);
        return;
      }
      if (queue->entries.front().bytes > base::kLargeMessage) {
        writing_ = true;
        // Once the write has ended, the RPC may be over before this has returned.
        transport_->RunAside(
            [this, self = weak_from_this().lock(), large = std::make_shared<Entry>(Pop(*queue))] {
              if (!Write(*large)) Pump(/*on_queue_thread=*/false);
            });
        return;
      }
      if (!on_queue_thread && NeedsConversion(queue->entries.front().encoding)) {
        if (!std::exchange(wake_requested_, true)) transport_->WakeQueueThread();
        return;
      }
      entry = Pop(*queue);
      writing_ = true;
    }
    if (Write(entry)) return;
  }
}

bool RpcOutbox::Write(Entry& entry) {
  const absl::StatusOr<grpc::ByteBuffer> buffer = Encode(entry);
  if (!buffer.ok()) ReportUnsendable(entry, buffer.status());

  absl::MutexLock lock(&mutex_);
  if (!buffer.ok() || cancelled_) {
    writing_ = false;
    return false;
  }
  last_written_bytes_ = buffer->Length();
  if (end_ && NextLocked() == nullptr) {
    finish_started_ = true;
    transport_->StartWriteAndFinish(*buffer, *end_);
  } else {
    transport_->StartWrite(*buffer);
  }
  return true;
}

absl::StatusOr<grpc::ByteBuffer> RpcOutbox::Encode(Entry& entry) const {
  absl::Status converted = definition::ConvertEncoding(entry.encoding, *entry.message);
  if (!converted.ok()) return converted;
  const std::size_t size = entry.message->ByteSizeLong();
  absl::Status fits = CheckMessageSize(size, limits_.max_message_bytes);
  if (fits.ok()) fits = CheckReceiveSize(size, max_receive_bytes_);
  if (!fits.ok()) return fits;
  return Serialize(*entry.message, size);
}

void RpcOutbox::ReportUnsendable(const Entry& entry, const absl::Status& why) {
  if (on_unsendable_ != nullptr) return on_unsendable_(*entry.message, why);
  absl::MutexLock lock(&mutex_);
  DropQueueLocked();
  // A success that waited behind the message is none without it.
  if (end_ && end_->ok()) end_.reset();
  CloseLocked(why);
}

void RpcOutbox::CloseLocked(const absl::Status& status) {
  if (!end_) end_ = ToGrpcStatus(status);
}

void RpcOutbox::CancelLocked() {
  cancelled_ = true;
  DropQueueLocked();
  std::string why(kEndedByPlugin);
  if (last_written_bytes_ > kSuspectBytes) {
    absl::StrAppend(&why, ", right after a message of ", last_written_bytes_,
                    " bytes: does its gRPC library take as much as its max_receive_bytes says (",
                    max_receive_bytes_.load(), ")?");
  }
  CloseLocked(absl::CancelledError(why));
}

void RpcOutbox::DropQueueLocked() {
  for (Queue& queue : queues_) queue = Queue();
}

RpcOutbox::Queue* RpcOutbox::NextLocked() {
  for (Queue& queue : queues_) {
    if (!queue.entries.empty()) return &queue;
  }
  return nullptr;
}

RpcOutbox::Entry RpcOutbox::Pop(Queue& queue) {
  Entry entry = std::move(queue.entries.front());
  queue.entries.pop_front();
  queue.bytes -= entry.bytes;
  return entry;
}

std::size_t RpcOutbox::WaitingLocked() const {
  return queues_[0].entries.size() + queues_[1].entries.size();
}

}  // namespace atomemo::plugin_service
