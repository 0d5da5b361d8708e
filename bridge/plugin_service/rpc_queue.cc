#include "bridge/plugin_service/rpc_queue.h"

#include <utility>

namespace atomemo::plugin_service {

RpcQueue::RpcQueue(RpcOutbox::Limits limits, HandlerFactory make_handler, PeerLookup find_peer)
    : limits_(limits), make_handler_(std::move(make_handler)), find_peer_(std::move(find_peer)) {}

RpcQueue::~RpcQueue() { Stop(); }

void RpcQueue::Register(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
}

void RpcQueue::Start() {
  RpcStream::Accept(service_, *queue_, limits_, *this);
  thread_ = std::thread([this] {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) RpcStream::Proceed(tag, ok);
  });
}

void RpcQueue::FinishAll(const absl::Status& status) {
  std::unordered_set<std::shared_ptr<RpcOutbox>> open;
  {
    absl::MutexLock lock(&mutex_);
    open = open_;
  }
  for (const std::shared_ptr<RpcOutbox>& outbox : open) outbox->Finish(status);
}

void RpcQueue::Stop() {
  if (queue_ == nullptr) return;
  {
    // The server has cancelled what was left, so each RPC is about to end; but it does not wait for
    // that, and nothing may be started on a queue that is shut down.
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &RpcQueue::IsIdle));
  }
  queue_->Shutdown();
  if (thread_.joinable()) {
    thread_.join();
  } else {  // never started: the queue must be drained all the same
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
  }
  queue_.reset();
}

void RpcQueue::OnAccepted() { RpcStream::Accept(service_, *queue_, limits_, *this); }

std::unique_ptr<RpcHandler> RpcQueue::MakeHandler(const RpcStart& start) {
  return make_handler_(start);
}

std::optional<PeerIdentity> RpcQueue::FindPeer(const std::string& grpc_peer) {
  return find_peer_(grpc_peer);
}

void RpcQueue::OnStreamStarted(const std::shared_ptr<RpcOutbox>& outbox) {
  absl::MutexLock lock(&mutex_);
  open_.insert(outbox);
}

void RpcQueue::OnStreamEnded(const std::shared_ptr<RpcOutbox>& outbox) {
  absl::MutexLock lock(&mutex_);
  open_.erase(outbox);
}

}  // namespace atomemo::plugin_service
