#ifndef ATOMEMO_SDK_CPP_SRC_BRIDGE_STREAM_H_
#define ATOMEMO_SDK_CPP_SRC_BRIDGE_STREAM_H_

#include <deque>
#include <functional>
#include <memory>

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::internal {

namespace pb = ::atomemo::plugin::v1;

using PluginMessagePtr = std::shared_ptr<const pb::PluginMessage>;
using BridgeMessagePtr = std::shared_ptr<const pb::BridgeMessage>;

// What the completion queue gives back: runs when the operation that it tags has ended.
using Operation = std::function<void(bool ok)>;

// A Serve stream on a completion queue with one polling thread. Reads happen on that thread, writes
// wherever they are asked for. Must live until OnEnded.
class BridgeStream {
 public:
  // On the polling thread.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnMessage(BridgeMessagePtr message) = 0;
    // The last call: the stream may be destroyed once this has returned.
    virtual void OnEnded(const grpc::Status& status) = 0;
  };

  // Opens the stream; its first message is `hello`.
  BridgeStream(pb::PluginService::Stub& stub, grpc::CompletionQueue* queue, PluginMessagePtr hello,
               Listener& listener);

  // The three may be called from any thread.

  // Queues a message: tools' results behind everything else. Dropped once the stream is broken.
  void Send(PluginMessagePtr message) ABSL_LOCKS_EXCLUDED(mutex_);
  // No more messages after those queued.
  void HalfClose() ABSL_LOCKS_EXCLUDED(mutex_);
  void Abort() { context_.TryCancel(); }

 private:
  void OnStarted(bool ok) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnFinished() ABSL_LOCKS_EXCLUDED(mutex_);
  void Read();
  void Finish() ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes the next message, or the half-close behind the last, unless a write is under way: gRPC
  // allows one at a time.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Listener& listener_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<pb::PluginMessage, pb::BridgeMessage>> rpc_;
  std::shared_ptr<pb::BridgeMessage> message_;
  grpc::Status status_;
  Operation on_started_ = [this](bool ok) { OnStarted(ok); };
  Operation on_read_ = [this](bool ok) { OnRead(ok); };
  Operation on_written_ = [this](bool ok) { OnWritten(ok); };
  Operation on_finished_ = [this](bool /*ok*/) { OnFinished(); };

  absl::Mutex mutex_;
  enum class Writer {
    kBusy,  // at first, too: until the stream is open nothing may be written
    kReady,
    kClosed,
  };
  Writer writer_ ABSL_GUARDED_BY(mutex_) = Writer::kBusy;
  bool half_close_ ABSL_GUARDED_BY(mutex_) = false;
  // A write, and the stream itself up to its status.
  int under_way_ ABSL_GUARDED_BY(mutex_) = 1;
  // What is being written lives until then.
  PluginMessagePtr writing_ ABSL_GUARDED_BY(mutex_);
  std::deque<PluginMessagePtr> ahead_ ABSL_GUARDED_BY(mutex_);
  std::deque<PluginMessagePtr> results_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_BRIDGE_STREAM_H_
