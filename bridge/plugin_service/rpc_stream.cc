#include "bridge/plugin_service/rpc_stream.h"

#include <grpc/grpc.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {

void RpcStream::Accept(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue,
                       RpcOutbox::Limits limits, Host& host) {
  auto* stream = new RpcStream(queue, limits, host);  // deletes itself
  service.RequestCall(&stream->context_, &stream->stream_, &queue, &queue, &stream->accept_tag_);
}

void RpcStream::Proceed(void* tag, bool ok) {
  auto* event = static_cast<Tag*>(tag);
  (event->stream->*event->step)(ok);
}

RpcStream::RpcStream(grpc::ServerCompletionQueue& queue, RpcOutbox::Limits limits, Host& host)
    : queue_(queue),
      host_(host),
      outbox_(std::make_shared<RpcOutbox>(limits, static_cast<RpcOutbox::Transport*>(this))),
      stream_(&context_) {
  context_.AsyncNotifyWhenDone(&done_tag_);
}

void RpcStream::StartRead() {
  ++holds_;
  stream_.Read(&incoming_, &read_tag_);
}

void RpcStream::StartHeaders() { stream_.SendInitialMetadata(&write_tag_); }

void RpcStream::StartWrite(const grpc::ByteBuffer& message) { stream_.Write(message, &write_tag_); }

void RpcStream::StartWriteAndFinish(const grpc::ByteBuffer& message, const grpc::Status& end) {
  stream_.WriteAndFinish(message, grpc::WriteOptions(), end, &finish_tag_);
}

void RpcStream::StartFinish(const grpc::Status& end) { stream_.Finish(end, &finish_tag_); }

void RpcStream::Abort(const grpc::Status& end) {
  // TryCancel would do, but for the status, which is always CANCELLED there.
  grpc_call_cancel_with_status(context_.c_call(), static_cast<grpc_status_code>(end.error_code()),
                               end.error_message().c_str(), nullptr);
}

void RpcStream::WakeQueueThread() {
  ++holds_;
  alarm_.Set(&queue_, gpr_time_0(GPR_CLOCK_MONOTONIC), &wake_tag_);
}

void RpcStream::OnAccept(bool ok) {
  if (!ok) {  // the server is shutting down: no call, so nothing else will come
    outbox_->Detach();
    host_.OnNotAccepted();
    delete this;
    return;
  }
  host_.OnAccepted();
  handler_ =
      host_.MakeHandler(RpcStart{context_.method(), host_.FindPeer(context_.peer()), outbox_});
  absl::Status status =
      host_.OnStreamStarted(outbox_, handler_ != nullptr && handler_->EndsOthers());
  if (status.ok() && handler_ == nullptr) {
    status = absl::UnimplementedError(absl::StrCat("no such method: ", context_.method()));
  }
  if (!status.ok()) return outbox_->Finish(status);
  outbox_->RequestRead();
}

void RpcStream::OnRead(bool ok) {
  if (!done_) {
    if (ok) {
      handler_->OnMessage(std::exchange(incoming_, grpc::ByteBuffer()));
    } else if (!grpc_call_failed_before_recv_message(context_.c_call())) {
      handler_->OnHalfClose();
    }  // else the call was cancelled: OnDone comes
  }
  Release();
}

void RpcStream::OnWrite(bool ok) { outbox_->OnWriteDone(ok); }

void RpcStream::OnFinish(bool /*ok*/) { Release(); }

void RpcStream::OnDone(bool /*ok*/) {
  done_ = true;
  outbox_->OnCancelled();  // nothing, if the RPC was finished in order
  if (handler_ != nullptr) handler_->OnDone();
  Release();
}

void RpcStream::OnWake(bool /*ok*/) {
  outbox_->OnQueueThread();
  Release();
}

void RpcStream::Release() {
  if (--holds_ > 0) return;
  outbox_->Detach();
  host_.OnStreamEnded(outbox_);
  delete this;
}

}  // namespace atomemo::plugin_service
