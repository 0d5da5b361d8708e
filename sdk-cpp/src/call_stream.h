#ifndef ATOMEMO_SDK_CPP_SRC_CALL_STREAM_H_
#define ATOMEMO_SDK_CPP_SRC_CALL_STREAM_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "sdk-cpp/src/wire.h"

namespace atomemo::internal {

// What the completion queue gives back: runs when the operation that it tags has ended.
using Operation = std::function<void(bool ok)>;

// What a session is told by its call streams. On the completion queue's thread.
class CallStreamListener {
 public:
  virtual ~CallStreamListener() = default;
  virtual void OnCall(std::shared_ptr<const pb::AuthenticateCall> call) = 0;
  virtual void OnCall(std::shared_ptr<const pb::AuthorizeOAuth2Call> call) = 0;
  virtual void OnCall(std::shared_ptr<const pb::InvokeCall> call) = 0;
  virtual void OnCall(std::shared_ptr<const pb::ListResourcesCall> call) = 0;
  virtual void OnCall(std::shared_ptr<const pb::MapResourceCall> call) = 0;
  virtual void OnCancel(const pb::Cancel& cancel) = 0;
  virtual void OnRejected(const pb::Rejected& rejected) = 0;
  // No further call comes on this stream.
  virtual void OnDrained(StreamKind /*kind*/) {}
  // The last call of the listener: the stream may be destroyed once this has returned.
  virtual void OnStreamEnded(StreamKind kind, const grpc::Status& status) = 0;
};

// One call stream, seen by the session. Send, HalfClose and Abort may be called from any thread.
class CallStreamBase {
 public:
  virtual ~CallStreamBase() = default;
  // Queues a reply of the stream's type. Dropped once the stream is broken.
  virtual void Send(std::shared_ptr<const google::protobuf::Message> reply) = 0;
  // No more replies after those queued.
  virtual void HalfClose() = 0;
  virtual void Abort() = 0;
};

// Owns one bidirectional stream on a completion queue with one polling thread. Must live until
// OnStreamEnded; reads happen on the polling thread, writes wherever Send is called.
template <typename Traits>
class CallStream final : public CallStreamBase {
 public:
  using Call = typename Traits::Call;
  using Reply = typename Traits::Reply;

  // Opens the stream; its first message is `subscribe`.
  CallStream(pb::PluginService::Stub& stub, grpc::CompletionQueue* queue,
             const pb::Subscribe& subscribe, CallStreamListener& listener)
      : listener_(listener) {
    auto first = std::make_shared<Reply>();
    *first->mutable_subscribe() = subscribe;
    outbox_.push_back(std::move(first));
    rpc_ = (stub.*Traits::kOpen)(&context_, queue);
    rpc_->StartCall(&on_started_);
  }

  void Send(std::shared_ptr<const google::protobuf::Message> reply) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (broken_ || half_close_ != HalfCloseState::kNo) return;
    outbox_.push_back(std::static_pointer_cast<const Reply>(std::move(reply)));
    WriteNext();
  }

  void HalfClose() override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (half_close_ != HalfCloseState::kNo) return;
    half_close_ = HalfCloseState::kWanted;
    WriteNext();
  }

  void Abort() override { context_.TryCancel(); }

 private:
  enum class HalfCloseState { kNo, kWanted, kDone };

  void OnStarted(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      broken_ = !ok;
      WriteNext();
    }
    if (ok) {
      Read();
    } else {
      rpc_->Finish(&status_, &on_finished_);
    }
  }

  void Read() {
    call_ = std::make_shared<Call>();
    rpc_->Read(call_.get(), &on_read_);
  }

  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (!ok) {
      {
        absl::MutexLock lock(&mutex_);
        broken_ = true;
      }
      rpc_->Finish(&status_, &on_finished_);
      return;
    }
    if (Traits::PayloadOf(*call_) != nullptr) {
      listener_.OnCall(std::shared_ptr<const Call>(std::move(call_)));
    } else if (call_->has_cancel()) {
      listener_.OnCancel(call_->cancel());
    } else if (call_->has_rejected()) {
      listener_.OnRejected(call_->rejected());
    } else if (call_->has_drained()) {
      listener_.OnDrained(Traits::kStream);
    }
    Read();
  }

  // Writes the outbox's first message, or the half-close after the last, unless a write is under
  // way: gRPC allows one at a time.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || broken_) return;
    if (!outbox_.empty()) {
      writing_ = true;
      rpc_->Write(*outbox_.front(), &on_written_);
    } else if (half_close_ == HalfCloseState::kWanted) {
      half_close_ = HalfCloseState::kDone;
      writing_ = true;
      rpc_->WritesDone(&on_written_);
    }
  }

  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    bool ended = false;
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      // Empty after the half-close.
      if (!outbox_.empty()) outbox_.pop_front();
      if (!ok) broken_ = true;
      WriteNext();
      ended = finished_;
    }
    if (ended) listener_.OnStreamEnded(Traits::kStream, status_);
  }

  void OnFinished(bool /*ok*/) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      finished_ = true;
      if (writing_) return;  // OnWritten is still to come.
    }
    listener_.OnStreamEnded(Traits::kStream, status_);
  }

  CallStreamListener& listener_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Reply, Call>> rpc_;
  std::shared_ptr<Call> call_;
  grpc::Status status_;
  Operation on_started_ = [this](bool ok) { OnStarted(ok); };
  Operation on_read_ = [this](bool ok) { OnRead(ok); };
  Operation on_written_ = [this](bool ok) { OnWritten(ok); };
  Operation on_finished_ = [this](bool ok) { OnFinished(ok); };

  absl::Mutex mutex_;
  // The front is being written while `writing_`, and lives until then.
  std::deque<std::shared_ptr<const Reply>> outbox_ ABSL_GUARDED_BY(mutex_);
  // Until the stream is open nothing may be written either.
  bool writing_ ABSL_GUARDED_BY(mutex_) = true;
  HalfCloseState half_close_ ABSL_GUARDED_BY(mutex_) = HalfCloseState::kNo;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_STREAM_H_
