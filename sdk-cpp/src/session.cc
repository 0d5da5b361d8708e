#include "sdk-cpp/src/session.h"

#include "absl/time/clock.h"

namespace atomemo::internal {
namespace {

// How long the bridge has to do what a plugin asks of it at the end of a session.
constexpr absl::Duration kCourtesy = absl::Seconds(2);

}  // namespace

Session::Session(std::shared_ptr<grpc::Channel> channel, SessionListener& listener)
    : listener_(listener), connection_(std::make_shared<Connection>()) {
  connection_->stub = pb::PluginService::NewStub(channel);
  connection_->channel = std::move(channel);
}

Session::~Session() {
  if (!poller_.joinable()) return;
  context_.TryCancel();
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [kind, stream] : streams_) stream->Abort();
    mutex_.Await(absl::Condition(this, &Session::AllEnded));
  }
  queue_.Shutdown();
  poller_.join();
}

absl::StatusOr<pb::SessionOpened> Session::Open(const pb::OpenSessionRequest& request) {
  events_ = connection_->stub->PrepareAsyncOpenSession(&context_, request, &queue_);
  events_->StartCall(&on_started_);
  poller_ = std::thread([this] { Poll(); });
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Session::OpenDecided));
  if (opened_) {
    connection_->session_id = opened_->session_id();
    return *opened_;
  }
  if (ended_) {
    return ended_->ok() ? absl::UnavailableError("the bridge ended the session at once")
                        : ToAbsl(*ended_);
  }
  return absl::CancelledError("interrupted");
}

void Session::Send(const Reply& reply) {
  absl::MutexLock lock(&mutex_);
  const auto stream = streams_.find(reply.stream);
  if (stream != streams_.end()) stream->second->Send(reply.message);
}

Session::Event Session::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Session::SomethingHappened));
  if (stream_lost_ && !ended_) {
    // Streams break off when the session ends; its status, which says why, may come a little later.
    if (!mutex_.AwaitWithTimeout(absl::Condition(this, &Session::Ended), kCourtesy)) {
      context_.TryCancel();
      mutex_.Await(absl::Condition(this, &Session::Ended));
    }
  }
  if (ended_) return Event::kEnded;
  return interrupted_ ? Event::kInterrupted : Event::kDraining;
}

pb::Draining Session::draining() const {
  absl::MutexLock lock(&mutex_);
  return draining_.value_or(pb::Draining());
}

grpc::Status Session::status() const {
  absl::MutexLock lock(&mutex_);
  return ended_.value_or(grpc::Status::OK);
}

void Session::CloseStreams(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  for (auto& [kind, stream] : streams_) stream->HalfClose();
  mutex_.AwaitWithDeadline(absl::Condition(this, &Session::StreamsEnded), deadline);
}

void Session::Interrupt() {
  absl::MutexLock lock(&mutex_);
  interrupted_ = true;
  if (unary_ != nullptr) unary_->TryCancel();
}

void Session::AskToDrain() {
  const absl::Time deadline = absl::Now() + kCourtesy;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  pb::DrainSessionRequest request;
  request.set_session_id(connection_->session_id);
  pb::DrainSessionResponse response;
  // Should the bridge refuse, calls that it still sends are served all the same.
  if (!connection_->stub->DrainSession(&context, request, &response).ok()) return;
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(this, &Session::Drained), deadline);
}

bool Session::WaitDrained(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(this, &Session::DrainDecided), deadline);
  return serving_.empty();
}

bool Session::BeginUnary(grpc::ClientContext* context) {
  absl::MutexLock lock(&mutex_);
  if (ended_ || interrupted_) return false;
  unary_ = context;
  return true;
}

grpc::Status Session::EndUnary(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  unary_ = nullptr;
  return ended_ && !ended_->ok() ? *ended_ : status;
}

void Session::Poll() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) (*static_cast<Operation*>(tag))(ok);
}

void Session::OnSessionStarted(bool ok) {
  if (ok) {
    events_->Read(&event_, &on_event_);
  } else {
    events_->Finish(&final_status_, &on_finished_);
  }
}

void Session::OnSessionEvent(bool ok) {
  if (!ok) {
    events_->Finish(&final_status_, &on_finished_);
    return;
  }
  Handle(event_);
  events_->Read(&event_, &on_event_);
}

void Session::OnSessionFinished(bool /*ok*/) {
  absl::MutexLock lock(&mutex_);
  ended_ = final_status_;
  if (unary_ != nullptr) unary_->TryCancel();
}

void Session::Handle(const pb::SessionEvent& event) {
  switch (event.event_case()) {
    case pb::SessionEvent::kOpened: {
      absl::MutexLock lock(&mutex_);
      opened_ = event.opened();
      break;
    }
    case pb::SessionEvent::kDraining: {
      absl::MutexLock lock(&mutex_);
      draining_ = event.draining();
      break;
    }
    case pb::SessionEvent::kHubState:
      listener_.OnHubState(event.hub_state());
      break;
    case pb::SessionEvent::kDelivered:
      listener_.OnDelivered(event.delivered());
      break;
    case pb::SessionEvent::EVENT_NOT_SET:
      break;  // From a newer bridge.
  }
}

void Session::OnCall(std::shared_ptr<const pb::AuthenticateCall> call) {
  listener_.OnCall(std::move(call));
}

void Session::OnCall(std::shared_ptr<const pb::AuthorizeOAuth2Call> call) {
  listener_.OnCall(std::move(call));
}

void Session::OnCall(std::shared_ptr<const pb::InvokeCall> call) {
  listener_.OnCall(std::move(call));
}

void Session::OnCall(std::shared_ptr<const pb::ListResourcesCall> call) {
  listener_.OnCall(std::move(call));
}

void Session::OnCall(std::shared_ptr<const pb::MapResourceCall> call) {
  listener_.OnCall(std::move(call));
}

void Session::OnCancel(const pb::Cancel& cancel) { listener_.OnCancel(cancel); }
void Session::OnRejected(const pb::Rejected& rejected) { listener_.OnRejected(rejected); }

void Session::OnDrained(StreamKind kind) {
  absl::MutexLock lock(&mutex_);
  serving_.erase(kind);
}

void Session::OnStreamEnded(StreamKind kind, const grpc::Status& status) {
  listener_.OnStreamEnded(kind, status);
  absl::MutexLock lock(&mutex_);
  --open_streams_;
  serving_.erase(kind);
  if (status.ok()) return;
  stream_lost_ = true;
  if (unary_ != nullptr) unary_->TryCancel();
}

}  // namespace atomemo::internal
