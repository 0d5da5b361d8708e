#ifndef ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_
#define ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::testing {

namespace pb = ::atomemo::plugin::v1;

// How long any Wait... may take before its test fails.
constexpr absl::Duration kPatience = absl::Seconds(20);

// A bridge's gRPC side over a real Unix socket, which does what the test says. Every session and
// every reply is recorded. Start, Stop and Start again are a bridge's restart. Thread-safe.
class FakePluginService final
    : public pb::PluginService::WithCallbackMethod_Serve<pb::PluginService::Service> {
 public:
  explicit FakePluginService(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  ~FakePluginService() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_path_, grpc::InsecureServerCredentials());
    // What is not read stays with the plugin.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  // Breaks every stream off, as a killed bridge would.
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(absl::ToChronoTime(absl::Now()));
    server_.reset();
  }

  // ---- What the fake does from now on

  // Every `hello` is answered with this status.
  void FailOpen(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    open_status_ = std::move(status);
  }
  // Sessions are opened, but not published.
  void HoldPublish() { Set(&hold_publish_); }
  void SetMaxMessageBytes(std::int64_t bytes) {
    absl::MutexLock lock(&mutex_);
    max_message_bytes_ = bytes;
  }
  // Answers hub_request; its id is the request's.
  void AnswerHubCalls(pb::HubReply reply) {
    absl::MutexLock lock(&mutex_);
    hub_reply_ = std::move(reply);
  }
  // The bridge does not end the stream of a plugin that has stopped before that half-closes.
  void HoldEnd() { Set(&hold_end_); }
  void HoldHubCalls() { Set(&hold_hub_calls_); }
  // `drain` is not answered with `drained`; TellDrained does that.
  void HoldDrained(bool hold = true) {
    absl::MutexLock lock(&mutex_);
    hold_drained_ = hold;
  }
  // Reads no further message of any session, but the one that it waits for.
  void HoldReads() { Set(&hold_reads_); }
  void ResumeReads() {
    absl::MutexLock lock(&mutex_);
    hold_reads_ = false;
    session_->Read();
  }

  // ---- What the test makes happen in the open session

  void Send(pb::BridgeMessage message) {
    absl::MutexLock lock(&mutex_);
    if (session_ == nullptr) return;
    if (const std::string id = RequestIdOf(message); !id.empty()) session_->open_calls.insert(id);
    session_->drained |= message.has_drained();
    session_->Write(std::move(message));
    session_->EndIfDone();
  }

  void Invoke(const std::string& request_id, const std::string& tool,
              const std::string& parameters_json, absl::Duration time_left = absl::Minutes(1)) {
    pb::BridgeMessage message;
    pb::Invocation& invocation = *message.mutable_invoke();
    invocation.mutable_info()->set_request_id(request_id);
    invocation.mutable_info()->mutable_time_left()->set_seconds(absl::ToInt64Seconds(time_left));
    invocation.set_tool_name(tool);
    invocation.mutable_parameters()->set_json(parameters_json);
    Send(std::move(message));
  }

  void Cancel(const std::string& request_id) {
    pb::BridgeMessage message;
    message.mutable_cancel()->set_request_id(request_id);
    Send(std::move(message));
  }

  void Reject(const std::string& request_id, const std::string& why) {
    pb::BridgeMessage message;
    message.mutable_rejected()->set_request_id(request_id);
    message.mutable_rejected()->add_violations()->set_message(why);
    Send(std::move(message));
  }

  void Deliver(const std::string& request_id) {
    pb::BridgeMessage message;
    message.mutable_delivered()->add_request_ids(request_id);
    Send(std::move(message));
  }

  void TellDrained() {
    pb::BridgeMessage message;
    message.mutable_drained();
    Send(std::move(message));
  }

  // Ends the open session.
  void EndSession(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    session_->End(std::move(status));
  }

  // ---- What the test waits for; false after kPatience

  bool WaitForSessions(int count) {
    return WaitUntil([&] { return published_ >= count; });
  }
  bool WaitForOpenAttempts(std::size_t count) {
    return WaitUntil([&] { return hellos_.size() >= count; });
  }
  bool WaitForDrainRequest(int count = 1) {
    return WaitUntil([&] { return drain_requests_ >= count; });
  }
  bool WaitForHubCall() {
    return WaitUntil([&] { return !hub_calls_.empty(); });
  }

  // The n-th reply (from 1) to this call, on whichever session; an empty one after kPatience.
  pb::PluginMessage WaitForReply(const std::string& request_id, std::size_t n = 1) {
    WaitUntil([&] { return replies_[request_id].size() >= n; });
    absl::MutexLock lock(&mutex_);
    const auto& replies = replies_[request_id];
    return replies.size() < n ? pb::PluginMessage() : replies[n - 1];
  }

  // ---- What was seen

  std::vector<pb::Hello> hellos() const {
    absl::MutexLock lock(&mutex_);
    return hellos_;
  }
  std::vector<pb::CallHubRequest> hub_calls() const {
    absl::MutexLock lock(&mutex_);
    return hub_calls_;
  }
  // What calls were replied to, in order; "drain" for a `drain`.
  std::vector<std::string> order() const {
    absl::MutexLock lock(&mutex_);
    return order_;
  }
  std::size_t reply_count(const std::string& request_id) const {
    absl::MutexLock lock(&mutex_);
    const auto it = replies_.find(request_id);
    return it == replies_.end() ? 0 : it->second.size();
  }

  // ---- The service

  grpc::ServerBidiReactor<pb::PluginMessage, pb::BridgeMessage>* Serve(
      grpc::CallbackServerContext* context) override {
    return new Session(*this, *context);
  }

  grpc::Status DownloadFile(grpc::ServerContext*, const pb::DownloadFileRequest* request,
                            grpc::ServerWriter<pb::DownloadFileResponse>* writer) override {
    absl::MutexLock lock(&mutex_);
    const auto file = files_.find(request->file_ref().res_key());
    if (file == files_.end()) return {grpc::StatusCode::UNAVAILABLE, "the storage is away"};
    pb::DownloadFileResponse response;
    response.mutable_info()->set_mime_type("text/plain");
    writer->Write(response);
    for (std::size_t at = 0; at < file->second.size(); at += kChunk) {
      response.set_chunk(file->second.substr(at, kChunk));
      writer->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status UploadFile(grpc::ServerContext*, grpc::ServerReader<pb::UploadFileRequest>* reader,
                          pb::UploadFileResponse* response) override {
    pb::UploadFileRequest request;
    std::string name;
    std::string content;
    while (reader->Read(&request)) {
      if (request.has_header()) name = request.header().filename();
      if (request.has_chunk()) content += request.chunk();
    }
    response->mutable_file_ref()->set_source(pb::FileRef::SOURCE_OSS);
    response->mutable_file_ref()->set_res_key(name);
    absl::MutexLock lock(&mutex_);
    files_[name] = content;
    return grpc::Status::OK;
  }

 private:
  // One Serve stream. Everything under the fake's mutex; owns itself.
  class Session final : public grpc::ServerBidiReactor<pb::PluginMessage, pb::BridgeMessage> {
   public:
    Session(FakePluginService& fake, grpc::CallbackServerContext& context)
        : fake_(fake), context_(context) {
      StartRead(&message_);
    }

    void Read() {
      if (std::exchange(read_held_, false)) StartRead(&message_);
    }
    void Write(pb::BridgeMessage message) {
      outbox_.push_back(std::move(message));
      if (outbox_.size() == 1) StartWrite(&outbox_.front());
    }
    // After what is written.
    void End(grpc::Status status) {
      if (!status_) status_ = std::move(status);
      if (outbox_.empty() && !std::exchange(finished_, true)) Finish(*status_);
    }
    // Once the plugin wants to stop, and has no more to do.
    void EndIfDone() {
      if (fake_.hold_end_) return;
      if (stopping && drained && open_calls.empty()) End(grpc::Status::OK);
    }

    std::set<std::string> open_calls;
    bool stopping = false;
    bool drained = false;

   private:
    void OnReadDone(bool ok) override {
      absl::MutexLock lock(&fake_.mutex_);
      if (!ok) return End(context_.IsCancelled() ? grpc::Status::CANCELLED : grpc::Status::OK);
      fake_.Handle(*this, message_);
      read_held_ = true;
      if (!fake_.hold_reads_) Read();
    }
    void OnWriteDone(bool ok) override {
      absl::MutexLock lock(&fake_.mutex_);
      outbox_.pop_front();
      if (!ok) outbox_.clear();
      if (!outbox_.empty()) return StartWrite(&outbox_.front());
      if (status_) End(*status_);
    }
    void OnCancel() override {
      absl::MutexLock lock(&fake_.mutex_);
      End(grpc::Status::CANCELLED);
    }
    void OnDone() override {
      {
        absl::MutexLock lock(&fake_.mutex_);
        if (fake_.session_ == this) fake_.session_ = nullptr;
      }
      delete this;
    }

    FakePluginService& fake_;
    grpc::CallbackServerContext& context_;
    pb::PluginMessage message_;
    bool read_held_ = false;
    // The front is being written.
    std::deque<pb::BridgeMessage> outbox_;
    std::optional<grpc::Status> status_;
    bool finished_ = false;
  };

  void Handle(Session& session, const pb::PluginMessage& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    pb::BridgeMessage answer;
    switch (message.message_case()) {
      case pb::PluginMessage::kHello:
        hellos_.push_back(message.hello());
        if (!open_status_.ok()) return session.End(open_status_);
        session_ = &session;
        session.open_calls.insert(message.hello().session().open_request_ids().begin(),
                                  message.hello().session().open_request_ids().end());
        answer.mutable_opened()->set_session_id(absl::StrCat("session-", ++sessions_));
        answer.mutable_opened()->set_max_message_bytes(max_message_bytes_);
        session.Write(answer);
        if (hold_publish_) return;
        answer.mutable_published()->set_topic("debug_plugin:test");
        session.Write(answer);
        published_ = sessions_;
        return;
      case pb::PluginMessage::kDrain:
        ++drain_requests_;
        order_.push_back("drain");
        session.stopping = true;
        if (!hold_drained_ && !std::exchange(session.drained, true)) {
          answer.mutable_drained();
          session.Write(answer);
        }
        return session.EndIfDone();
      case pb::PluginMessage::kHubRequest:
        hub_calls_.push_back(message.hub_request().call());
        *answer.mutable_hub_reply() = hub_reply_;
        answer.mutable_hub_reply()->set_id(message.hub_request().id());
        if (!hold_hub_calls_) session.Write(answer);
        return;
      default:
        replies_[RequestIdOf(message)].push_back(message);
        order_.push_back(RequestIdOf(message));
        session.open_calls.erase(RequestIdOf(message));
        session.EndIfDone();
    }
  }

  static std::string RequestIdOf(const pb::PluginMessage& message) {
    return message.has_failure()         ? message.failure().request_id()
           : message.has_authenticated() ? message.authenticated().request_id()
           : message.has_authorized()    ? message.authorized().request_id()
           : message.has_listed()        ? message.listed().request_id()
           : message.has_mapped()        ? message.mapped().request_id()
                                         : message.invoked().request_id();
  }

  // Empty if the message is no call.
  static std::string RequestIdOf(const pb::BridgeMessage& message) {
    return message.has_authenticate() ? message.authenticate().info().request_id()
           : message.has_authorize()  ? message.authorize().info().request_id()
           : message.has_list()       ? message.list().info().request_id()
           : message.has_map()        ? message.map().info().request_id()
                                      : message.invoke().info().request_id();
  }

  template <typename Predicate>
  bool WaitUntil(Predicate predicate) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&predicate), kPatience);
  }

  void Set(bool* member) {
    absl::MutexLock lock(&mutex_);
    *member = true;
  }

  static constexpr std::size_t kChunk = 1000;

  const std::string socket_path_;
  std::unique_ptr<grpc::Server> server_;

  mutable absl::Mutex mutex_;
  // Scripted; guarded by mutex_.
  grpc::Status open_status_;
  bool hold_publish_ = false;
  bool hold_hub_calls_ = false;
  bool hold_drained_ = false;
  bool hold_reads_ = false;
  bool hold_end_ = false;
  std::int64_t max_message_bytes_ = 4 << 20;
  pb::HubReply hub_reply_;
  std::map<std::string, std::string> files_;

  // The open session; guarded by mutex_.
  Session* session_ = nullptr;
  int sessions_ = 0;
  int published_ = 0;

  // Recorded; guarded by mutex_.
  int drain_requests_ = 0;
  std::vector<pb::Hello> hellos_;
  std::vector<pb::CallHubRequest> hub_calls_;
  std::map<std::string, std::vector<pb::PluginMessage>> replies_;
  std::vector<std::string> order_;
};

}  // namespace atomemo::testing

#endif  // ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_
