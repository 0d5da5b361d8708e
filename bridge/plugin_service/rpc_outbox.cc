#include "bridge/plugin_service/rpc_outbox.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/scheduler.h"
#include "bridge/payload/payload.h"
#include "bridge/plugin_service/grpc_status.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

constexpr char kEndedByPlugin[] = "the plugin cancelled it, or its connection was lost";
// A client that gets a message beyond its limit cancels the call, and the server does not hear why.
constexpr std::size_t kSuspectBytes = std::size_t{1} << 20;

// A slice of its own costs about as much as copying so many bytes.
constexpr std::size_t kCopiedBytes = 1024;

grpc::ByteBuffer Serialize(const google::protobuf::Message& message, std::size_t size) {
  grpc::Slice slice(size);
  // A slice that was just made and is not shared may be written to; gRPC's own code does the same.
  message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

// What is large in it is not copied.
grpc::ByteBuffer ToByteBuffer(const absl::Cord& bytes) {
  std::vector<grpc::Slice> slices;
  std::string small;
  const auto flush = [&] {
    if (!small.empty()) slices.emplace_back(std::exchange(small, {}));
  };
  for (const absl::string_view chunk : bytes.Chunks()) {
    if (chunk.size() <= kCopiedBytes) {
      small.append(chunk.data(), chunk.size());
      continue;
    }
    flush();
    slices.emplace_back(
        const_cast<char*>(chunk.data()), chunk.size(),  // gRPC only reads it
        [](void* owner) { delete static_cast<absl::Cord*>(owner); }, new absl::Cord(bytes));
  }
  flush();
  return grpc::ByteBuffer(slices.data(), slices.size());
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

void RpcOutbox::SetOnUnsendableCall(OnUnsendableCall on_unsendable) {
  on_unsendable_call_ = std::move(on_unsendable);
}

RpcOutbox::SendResult RpcOutbox::Send(std::unique_ptr<google::protobuf::Message> message,
                                      plugin::v1::PayloadEncoding encoding, Lane lane) {
  const std::size_t bytes = message->ByteSizeLong();
  return Push(Entry{std::move(message), {}, encoding, bytes}, lane);
}

RpcOutbox::SendResult RpcOutbox::Send(WireCall call, plugin::v1::PayloadEncoding encoding,
                                      Lane lane) {
  const std::size_t bytes = call.bytes.size();
  return Push(Entry{nullptr, std::move(call), encoding, bytes}, lane);
}

RpcOutbox::SendResult RpcOutbox::Push(Entry entry, Lane lane) {
  {
    absl::MutexLock lock(&mutex_);
    if (transport_ == nullptr || end_) return SendResult::kClosed;
    // A message that is too large by itself is let in when nothing else waits.
    WaitingQueue& queue = queues_[static_cast<std::size_t>(lane)];
    const bool full = queue.entries.size() >= limits_.max_messages ||
                      (!queue.entries.empty() && queue.bytes + entry.bytes > limits_.max_bytes);
    if (full) return SendResult::kFull;
    queue.bytes += entry.bytes;
    queue.entries.push_back(std::move(entry));
  }
  Pump(/*on_queue_thread=*/false);
  return SendResult::kQueued;
}

bool RpcOutbox::Entry::TakesLong() const {
  return bytes > base::kLargeMessage && (message != nullptr || NeedsConversion());
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
      WaitingQueue* const queue = NextLocked();
      if (queue == nullptr) {
        if (!end_) return;
        finish_started_ = true;
        transport_->StartFinish(*end_);
        return;
      }
      if (queue->entries.front().TakesLong()) {
        writing_ = true;
        // Once the write has ended, the RPC may be over before this has returned.
        transport_->RunAside(
            [this, self = weak_from_this().lock(), large = std::make_shared<Entry>(Pop(*queue))] {
              if (!Write(*large)) Pump(/*on_queue_thread=*/false);
            });
        return;
      }
      if (!on_queue_thread && queue->entries.front().NeedsConversion()) {
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
  const auto check = [this](std::size_t size) {
    absl::Status fits = CheckMessageSize(size, limits_.max_message_bytes);
    return fits.ok() ? CheckReceiveSize(size, max_receive_bytes_) : fits;
  };
  std::unique_ptr<google::protobuf::Message> converted;
  google::protobuf::Message* message = entry.message.get();
  if (message == nullptr) {
    if (!entry.NeedsConversion()) {
      absl::Status fits = check(entry.bytes);
      if (!fits.ok()) return fits;
      return ToByteBuffer(entry.call.bytes);
    }
    converted.reset(entry.call.type->New());
    message = converted.get();
    if (!message->ParseFromString(std::string(entry.call.bytes))) {
      return absl::InternalError("the call is no valid message");
    }
  }
  absl::Status status = payload::ConvertEncoding(entry.encoding, *message);
  if (!status.ok()) return status;
  const std::size_t size = message->ByteSizeLong();
  status = check(size);
  if (!status.ok()) return status;
  return Serialize(*message, size);
}

void RpcOutbox::ReportUnsendable(const Entry& entry, const absl::Status& why) {
  if (entry.message == nullptr) {
    if (on_unsendable_call_ != nullptr) return on_unsendable_call_(entry.call, why);
  } else if (on_unsendable_ != nullptr) {
    return on_unsendable_(*entry.message, why);
  }
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
  for (WaitingQueue& queue : queues_) queue = WaitingQueue();
}

RpcOutbox::WaitingQueue* RpcOutbox::NextLocked() {
  for (WaitingQueue& queue : queues_) {
    if (!queue.entries.empty()) return &queue;
  }
  return nullptr;
}

RpcOutbox::Entry RpcOutbox::Pop(WaitingQueue& queue) {
  Entry entry = std::move(queue.entries.front());
  queue.entries.pop_front();
  queue.bytes -= entry.bytes;
  return entry;
}

std::size_t RpcOutbox::WaitingLocked() const {
  return queues_[0].entries.size() + queues_[1].entries.size();
}

}  // namespace atomemo::plugin_service
