#include "bridge/plugin_service/rpc_queue.h"

#include <utility>

namespace atomemo::plugin_service {

RpcQueue::RpcQueue(RpcOutbox::Limits limits, HandlerFactory make_handler, PeerLookup find_peer,
                   std::function<void(std::function<void()>)> run_aside)
    : limits_(limits),
      make_handler_(std::move(make_handler)),
      find_peer_(std::move(find_peer)),
      run_aside_(std::move(run_aside)) {}

RpcQueue::~RpcQueue() { Stop(); }

void RpcQueue::Register(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
}

void RpcQueue::Start() {
  Accept();
  thread_ = std::thread([this] {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) RpcStream::Proceed(tag, ok);
  });
}

void RpcQueue::Close(const absl::Status& status) {
  std::unordered_map<std::shared_ptr<RpcOutbox>, bool> open;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = status;
    open = open_;
  }
  for (const bool ending_others : {false, true}) {
    for (const auto& [outbox, ends_others] : open) {
      if (ends_others == ending_others) outbox->Finish(status);
    }
  }
}

bool RpcQueue::WaitIdle(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(this, &RpcQueue::IsIdle), timeout);
}

void RpcQueue::AbortAll() {
  std::unordered_map<std::shared_ptr<RpcOutbox>, bool> open;
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    open = open_;
    status = closed_;
  }
  for (const auto& [outbox, ends_others] : open) outbox->Abort(status);
}

void RpcQueue::Stop() {
  if (queue_ == nullptr) return;
  {
    // The server has cancelled what was left, so each RPC is about to end, and that none comes any
    // more is about to be told; but it does not wait for that, and nothing may be started on a
    // queue that is shut down.
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &RpcQueue::IsOver));
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

void RpcQueue::Accept() {
  {
    absl::MutexLock lock(&mutex_);
    ++accepting_;
  }
  RpcStream::Accept(service_, *queue_, limits_, *this);
}

void RpcQueue::OnNotAccepted() {
  absl::MutexLock lock(&mutex_);
  --accepting_;
}

std::unique_ptr<RpcHandler> RpcQueue::MakeHandler(const RpcStart& start) {
  return make_handler_(start);
}

std::optional<PeerIdentity> RpcQueue::FindPeer(const std::string& grpc_peer) {
  return find_peer_(grpc_peer);
}

absl::Status RpcQueue::OnStreamStarted(const std::shared_ptr<RpcOutbox>& outbox, bool ends_others) {
  absl::MutexLock lock(&mutex_);
  --accepting_;
  open_.emplace(outbox, ends_others);
  return closed_;
}

void RpcQueue::OnStreamEnded(const std::shared_ptr<RpcOutbox>& outbox) {
  absl::MutexLock lock(&mutex_);
  open_.erase(outbox);
}

}  // namespace atomemo::plugin_service
