#ifndef ATOMEMO_SDK_CPP_SRC_SESSION_H_
#define ATOMEMO_SDK_CPP_SRC_SESSION_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <grpcpp/channel.h>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "sdk-cpp/src/call_stream.h"
#include "sdk-cpp/src/status.h"

namespace atomemo::internal {

// What is needed to talk to the bridge on behalf of a session. Shared with handlers, which may
// outlive the session.
struct Connection {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::PluginService::Stub> stub;
  std::string session_id;
};

// What happens in a session. On the session's own thread; must not block.
class SessionListener : public CallStreamListener {
 public:
  virtual void OnHubState(const pb::HubState& state) = 0;
  virtual void OnDelivered(const pb::Delivered& delivered) = 0;
};

// One session with the bridge: the OpenSession stream, its call streams, and one thread that polls
// the completion queue of them all. The blocking functions belong to one thread, which also
// destroys the session; Send and Interrupt may be called from any.
class Session : private CallStreamListener {
 public:
  Session(std::shared_ptr<grpc::Channel> channel, SessionListener& listener);
  // Ends the session.
  ~Session() override;

  // Opens the session and waits for its id. CANCELLED when interrupted; so are the two below.
  absl::StatusOr<pb::SessionOpened> Open(const pb::OpenSessionRequest& request);

  // Makes one unary call, without a deadline. Ends early when the session does, and with its
  // status.
  template <typename Method, typename Request, typename Response>
  grpc::Status Unary(Method method, const Request& request, Response* response);

  // Asks the bridge for no further calls and waits for the last one to be read, for 2 seconds at
  // most: the bridge may not answer.
  void AskToDrain();

  // Waits until the last call is read. False if that was not before the deadline, or an Interrupt.
  bool WaitDrained(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

  // Opens a call stream. After Open.
  template <typename Traits>
  void Subscribe(int max_in_flight);

  // Sends a reply on its stream, if that is open.
  void Send(const Reply& reply) ABSL_LOCKS_EXCLUDED(mutex_);

  enum class Event { kEnded, kDraining, kInterrupted };
  // Waits for what comes first.
  Event Wait() ABSL_LOCKS_EXCLUDED(mutex_);
  // After kDraining.
  pb::Draining draining() const ABSL_LOCKS_EXCLUDED(mutex_);
  // After kEnded: how the bridge ended the session.
  grpc::Status status() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Half-closes the call streams and waits for the bridge to end them: it then has every answer.
  void CloseStreams(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes the blocking functions return. From any thread.
  void Interrupt() ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<const Connection> connection() const { return connection_; }

 private:
  void OnCall(std::shared_ptr<const pb::AuthenticateCall> call) override;
  void OnCall(std::shared_ptr<const pb::AuthorizeOAuth2Call> call) override;
  void OnCall(std::shared_ptr<const pb::InvokeCall> call) override;
  void OnCall(std::shared_ptr<const pb::ListResourcesCall> call) override;
  void OnCall(std::shared_ptr<const pb::MapResourceCall> call) override;
  void OnCancel(const pb::Cancel& cancel) override;
  void OnRejected(const pb::Rejected& rejected) override;
  void OnDrained(StreamKind kind) override;
  void OnStreamEnded(StreamKind kind, const grpc::Status& status) override;

  void Poll();
  void OnSessionStarted(bool ok);
  void OnSessionEvent(bool ok);
  void OnSessionFinished(bool ok);
  void Handle(const pb::SessionEvent& event);
  // Makes `context` the one that Interrupt and the session's end cancel; false if it is too late.
  bool BeginUnary(grpc::ClientContext* context) ABSL_LOCKS_EXCLUDED(mutex_);
  // The status of the call, or the session's if that has ended meanwhile.
  grpc::Status EndUnary(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  bool OpenDecided() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return opened_ || ended_ || interrupted_;
  }
  bool SomethingHappened() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return ended_ || draining_ || interrupted_ || stream_lost_;
  }
  bool DrainDecided() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return serving_.empty() || interrupted_;
  }
  bool Drained() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return serving_.empty(); }
  bool Ended() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return ended_.has_value(); }
  bool StreamsEnded() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return open_streams_ == 0; }
  bool AllEnded() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return open_streams_ == 0 && ended_; }

  SessionListener& listener_;
  const std::shared_ptr<Connection> connection_;

  // Used by the polling thread once the session is being opened.
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<pb::SessionEvent>> events_;
  pb::SessionEvent event_;
  grpc::Status final_status_;
  Operation on_started_ = [this](bool ok) { OnSessionStarted(ok); };
  Operation on_event_ = [this](bool ok) { OnSessionEvent(ok); };
  Operation on_finished_ = [this](bool ok) { OnSessionFinished(ok); };

  mutable absl::Mutex mutex_;
  std::map<StreamKind, std::unique_ptr<CallStreamBase>> streams_ ABSL_GUARDED_BY(mutex_);
  int open_streams_ ABSL_GUARDED_BY(mutex_) = 0;
  // The streams on which calls may still come.
  std::set<StreamKind> serving_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* unary_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::optional<pb::SessionOpened> opened_ ABSL_GUARDED_BY(mutex_);
  std::optional<pb::Draining> draining_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  // A call stream broke off.
  bool stream_lost_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread poller_;
};

template <typename Method, typename Request, typename Response>
grpc::Status Session::Unary(Method method, const Request& request, Response* response) {
  grpc::ClientContext context;
  if (!BeginUnary(&context)) {
    return EndUnary(grpc::Status(grpc::StatusCode::CANCELLED, "interrupted"));
  }
  return EndUnary((connection_->stub.get()->*method)(&context, request, response));
}

template <typename Traits>
void Session::Subscribe(int max_in_flight) {
  pb::Subscribe subscribe;
  subscribe.set_session_id(connection_->session_id);
  subscribe.set_max_in_flight(max_in_flight);
  CallStreamListener& listener = *this;
  absl::MutexLock lock(&mutex_);
  ++open_streams_;
  serving_.insert(Traits::kStream);
  streams_[Traits::kStream] =
      std::make_unique<CallStream<Traits>>(*connection_->stub, &queue_, subscribe, listener);
}

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_SESSION_H_
