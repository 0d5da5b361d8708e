#include "sdk-cpp/src/bridge_stream.h"

#include <utility>

namespace atomemo::internal {

BridgeStream::BridgeStream(pb::PluginService::Stub& stub, grpc::CompletionQueue* queue,
                           PluginMessagePtr hello, Listener& listener)
    : listener_(listener) {
  ahead_.push_back(std::move(hello));
  rpc_ = stub.PrepareAsyncServe(&context_, queue);
  rpc_->StartCall(&on_started_);
}

void BridgeStream::Send(PluginMessagePtr message) {
  absl::MutexLock lock(&mutex_);
  if (writer_ == Writer::kClosed || half_close_) return;
  (message->has_invoked() ? results_ : ahead_).push_back(std::move(message));
  WriteNext();
}

void BridgeStream::HalfClose() {
  absl::MutexLock lock(&mutex_);
  half_close_ = true;
  WriteNext();
}

void BridgeStream::OnStarted(bool ok) {
  if (!ok) return Finish();
  {
    absl::MutexLock lock(&mutex_);
    writer_ = Writer::kReady;
    WriteNext();
  }
  Read();
}

void BridgeStream::Read() {
  message_ = std::make_shared<pb::BridgeMessage>();
  rpc_->Read(message_.get(), &on_read_);
}

void BridgeStream::OnRead(bool ok) {
  if (!ok) return Finish();
  listener_.OnMessage(std::move(message_));
  Read();
}

void BridgeStream::Finish() {
  {
    absl::MutexLock lock(&mutex_);
    writer_ = Writer::kClosed;
  }
  rpc_->Finish(&status_, &on_finished_);
}

void BridgeStream::WriteNext() {
  if (writer_ != Writer::kReady) return;
  std::deque<PluginMessagePtr>& next = ahead_.empty() ? results_ : ahead_;
  if (!next.empty()) {
    writer_ = Writer::kBusy;
    writing_ = std::move(next.front());
    next.pop_front();
    rpc_->Write(*writing_, &on_written_);
  } else if (half_close_) {
    writer_ = Writer::kClosed;
    rpc_->WritesDone(&on_written_);
  } else {
    return;
  }
  ++under_way_;
}

void BridgeStream::OnWritten(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_.reset();
    if (writer_ == Writer::kBusy) writer_ = ok ? Writer::kReady : Writer::kClosed;
    WriteNext();
    if (--under_way_ > 0) return;
  }
  listener_.OnEnded(status_);
}

void BridgeStream::OnFinished() {
  {
    absl::MutexLock lock(&mutex_);
    if (--under_way_ > 0) return;
  }
  listener_.OnEnded(status_);
}

}  // namespace atomemo::internal
