#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_OUTBOX_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_OUTBOX_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/payload.pb.h"
#include "bridge/router/hub_event.h"

namespace atomemo::plugin_service {

// A call that stands in protobuf's wire format already, its JSON in the `json` encoding.
struct WireCall {
  absl::Cord bytes;
  // The message's type.
  const google::protobuf::Message* type = nullptr;
  router::CallKind kind = router::CallKind::kInvoke;
  std::string request_id;
};

// The half of an RPC that other threads may hold: what shall be sent to the plugin waits here for
// its turn. It outlives the RPC; once that is over, everything here does nothing.
//
// One write is in flight at a time, the RPC is finished exactly once, and memory is bounded: a
// message that does not fit is refused. Thread-safe.
class RpcOutbox : public std::enable_shared_from_this<RpcOutbox> {
 public:
  struct Limits {
    std::size_t max_messages = 0;
    std::size_t max_bytes = 0;
    // For one message as it stands on the wire.
    std::size_t max_message_bytes = 0;
  };

  // The gRPC call. Its functions only start an operation: they are called with the outbox's mutex
  // held and must not call back. Every Write is answered with OnWriteDone.
  class Transport {
   public:
    virtual ~Transport() = default;
    virtual void StartRead() = 0;
    // Ends with OnWriteDone, too.
    virtual void StartHeaders() = 0;
    virtual void StartWrite(const grpc::ByteBuffer& message) = 0;
    virtual void StartWriteAndFinish(const grpc::ByteBuffer& message, const grpc::Status& end) = 0;
    virtual void StartFinish(const grpc::Status& end) = 0;
    // Ends the call at once, whatever the plugin has not read yet.
    virtual void Abort(const grpc::Status& end) = 0;
    // Has OnQueueThread called on the completion queue's thread.
    virtual void WakeQueueThread() = 0;
    // Runs `work` soon on a thread that may take its time.
    virtual void RunAside(std::function<void()> work) = 0;
  };

  // Is told of a message that cannot be sent after all: it is larger than the bridge's or the
  // plugin's limit, or its JSON does not fit the encoding. Called on any thread, without locks.
  // Without this function such a message ends the RPC.
  using OnUnsendable =
      std::function<void(const google::protobuf::Message& message, const absl::Status& why)>;

  using OnUnsendableCall = std::function<void(const WireCall& call, const absl::Status& why)>;

  RpcOutbox(Limits limits, Transport* transport);

  // Before the first Send.
  void SetOnUnsendable(OnUnsendable on_unsendable);
  void SetOnUnsendableCall(OnUnsendableCall on_unsendable);

  // What the plugin's gRPC library takes in one message: it would end the RPC on a larger one.
  void SetMaxReceiveBytes(std::size_t bytes);

  // Tells the plugin at once that the RPC was accepted. Before the first Send.
  void SendHeaders();

  enum class SendResult { kQueued, kFull, kClosed };
  // What goes ahead is written before everything that waits in order, and has room of its own.
  enum class Lane { kAhead, kInOrder };

  // Queues a message. Any JSON in it is turned into `encoding` before it is written, on the
  // completion queue's thread, as that may take a while. What is done for a large message is done
  // aside.
  SendResult Send(std::unique_ptr<google::protobuf::Message> message,
                  plugin::v1::PayloadEncoding encoding = plugin::v1::PAYLOAD_ENCODING_JSON,
                  Lane lane = Lane::kInOrder);
  SendResult Send(WireCall call, plugin::v1::PayloadEncoding encoding, Lane lane);

  // Ends the RPC once everything queued is written. Only the first call counts.
  void Finish(const absl::Status& status);

  // Ends the RPC now, though a message be half written because the plugin does not read. Drops what
  // is queued.
  void Abort(const absl::Status& status);

  // Asks for the plugin's next message. At most one read may be under way.
  void RequestRead();

  // Waits until at most `messages` are queued. For threads that may block. CANCELLED if the RPC is
  // over, DEADLINE_EXCEEDED if the plugin reads nothing for `timeout`.
  absl::Status WaitForRoom(std::size_t messages, absl::Duration timeout);

  // Finish was called, or the RPC is over.
  bool closed() const;
  // What ended it, for people. Empty until then.
  std::string WhyClosed() const;

  // ---- For the transport, on the completion queue's thread

  void OnWriteDone(bool ok);
  void OnQueueThread();
  // The plugin is gone: drops what is queued and finishes.
  void OnCancelled();
  // The transport is about to be destroyed.
  void Detach();

 private:
  // A message or, if that is null, a call.
  struct Entry {
    std::unique_ptr<google::protobuf::Message> message;
    WireCall call;
    plugin::v1::PayloadEncoding encoding;
    std::size_t bytes;

    bool NeedsConversion() const { return encoding != plugin::v1::PAYLOAD_ENCODING_JSON; }
    // A call that is written as it stands costs next to nothing.
    bool TakesLong() const;
  };

  SendResult Push(Entry entry, Lane lane);

  // Starts whatever can be started now.
  void Pump(bool on_queue_thread);
  // Encodes what was taken out of the queue, and starts its write. False if nothing comes of it.
  bool Write(Entry& entry);
  absl::StatusOr<grpc::ByteBuffer> Encode(Entry& entry) const;
  void ReportUnsendable(const Entry& entry, const absl::Status& why);
  void CloseLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The plugin has ended the RPC.
  void CancelLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropQueueLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  struct WaitingQueue {
    std::deque<Entry> entries;
    std::size_t bytes = 0;
  };
  // The one whose turn it is; null if nothing waits.
  WaitingQueue* NextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static Entry Pop(WaitingQueue& queue);
  std::size_t WaitingLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  OnUnsendable on_unsendable_;
  OnUnsendableCall on_unsendable_call_;
  std::atomic<std::size_t> max_receive_bytes_{std::numeric_limits<std::size_t>::max()};

  mutable absl::Mutex mutex_;
  // Null once the RPC is over.
  Transport* transport_ ABSL_GUARDED_BY(mutex_);
  WaitingQueue queues_[2] ABSL_GUARDED_BY(mutex_);  // by Lane
  // Headers or a message are being encoded or written. The transport lives at least until it is
  // not.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool wake_requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::size_t last_written_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finish_started_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPC_OUTBOX_H_
