#ifndef ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_
#define ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/any.pb.h>
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
class FakePluginService final : public pb::PluginService::Service {
 public:
  explicit FakePluginService(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  ~FakePluginService() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_path_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  // Breaks every stream off, as a killed bridge would.
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(absl::ToChronoTime(absl::Now()));
    server_.reset();
  }

  // ---- What the fake answers from now on

  void FailOpen(grpc::Status status) { Set(&open_status_, std::move(status)); }
  void FailRegisterTool(grpc::Status status) { Set(&register_tool_status_, std::move(status)); }
  void FailPublish(grpc::Status status) { Set(&publish_status_, std::move(status)); }
  // Publish does not return until the session ends.
  void HoldPublish(bool hold) {
    absl::MutexLock lock(&mutex_);
    hold_publish_ = hold;
  }
  void SetMaxMessageBytes(std::int64_t bytes) {
    absl::MutexLock lock(&mutex_);
    max_message_bytes_ = bytes;
  }
  // Answers CallHub.
  void AnswerHubCalls(grpc::Status status, std::string json) {
    absl::MutexLock lock(&mutex_);
    hub_status_ = std::move(status);
    hub_answer_ = std::move(json);
  }
  // DrainSession does not say `drained` on the streams; TellDrained does.
  void HoldDrained(bool hold) {
    absl::MutexLock lock(&mutex_);
    hold_drained_ = hold;
  }
  // CallHub does not return until its client gives up.
  void HoldHubCalls() {
    absl::MutexLock lock(&mutex_);
    hold_hub_calls_ = true;
  }

  // ---- What the test makes happen in the open session

  // Sends a call on the Invoke stream.
  void Invoke(const std::string& request_id, const std::string& tool,
              const std::string& parameters_json, absl::Duration time_left = absl::Minutes(1)) {
    pb::InvokeCall call;
    pb::Invocation& invocation = *call.mutable_invoke();
    invocation.mutable_info()->set_request_id(request_id);
    invocation.mutable_info()->mutable_time_left()->set_seconds(absl::ToInt64Seconds(time_left));
    invocation.set_tool_name(tool);
    invocation.mutable_parameters()->set_json(parameters_json);
    absl::MutexLock lock(&mutex_);
    invoke_->Write(call);
  }

  void CancelInvoke(const std::string& request_id) {
    pb::InvokeCall call;
    call.mutable_cancel()->set_request_id(request_id);
    absl::MutexLock lock(&mutex_);
    invoke_->Write(call);
  }

  void RejectInvoke(const std::string& request_id, const std::string& why) {
    pb::InvokeCall call;
    call.mutable_rejected()->set_request_id(request_id);
    call.mutable_rejected()->add_violations()->set_message(why);
    absl::MutexLock lock(&mutex_);
    invoke_->Write(call);
  }

  void Authenticate(const pb::Authentication& authentication) {
    pb::AuthenticateCall call;
    *call.mutable_authenticate() = authentication;
    absl::MutexLock lock(&mutex_);
    authenticate_->Write(call);
  }

  void AuthorizeOAuth2(const pb::OAuth2Step& step) {
    pb::AuthorizeOAuth2Call call;
    *call.mutable_step() = step;
    absl::MutexLock lock(&mutex_);
    oauth2_->Write(call);
  }

  void ListResources(const pb::ResourceQuery& query) {
    pb::ListResourcesCall call;
    *call.mutable_list() = query;
    absl::MutexLock lock(&mutex_);
    list_->Write(call);
  }

  void MapResource(const pb::MappingQuery& query) {
    pb::MapResourceCall call;
    *call.mutable_map() = query;
    absl::MutexLock lock(&mutex_);
    map_->Write(call);
  }

  // Tells the open streams that no further call comes.
  void TellDrained() {
    absl::MutexLock lock(&mutex_);
    TellDrainedLocked();
  }

  void SendEvent(const pb::SessionEvent& event) {
    absl::MutexLock lock(&mutex_);
    events_->Write(event);
  }

  void Deliver(const std::string& request_id) {
    pb::SessionEvent event;
    event.mutable_delivered()->add_request_ids(request_id);
    SendEvent(event);
  }

  // Ends the open session and its streams.
  void EndSession(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    end_status_ = std::move(status);
    ended_session_ = sessions_;
  }

  // ---- What the test waits for; false after kPatience

  bool WaitForSessions(int count) {
    return WaitUntil([&] { return published_ >= count; });
  }
  bool WaitForOpenAttempts(int count) {
    return WaitUntil([&] { return open_attempts_ >= count; });
  }
  bool WaitForPublishAttempt() {
    return WaitUntil([&] { return publish_attempts_ > 0; });
  }
  bool WaitForStreams(int count) {
    return WaitUntil([&] { return open_streams_ == count; });
  }
  bool WaitForDrainRequest() {
    return WaitUntil([&] { return drain_requests_ > 0; });
  }
  bool WaitForHubCall() {
    return WaitUntil([&] { return !hub_calls_.empty(); });
  }

  // The n-th reply (from 1) to this call, on whichever session; an empty one after kPatience.
  pb::InvokeReply WaitForReply(const std::string& request_id, std::size_t n = 1) {
    WaitUntil([&] { return invoke_replies_[request_id].size() >= n; });
    absl::MutexLock lock(&mutex_);
    const auto& replies = invoke_replies_[request_id];
    return replies.size() < n ? pb::InvokeReply() : replies[n - 1];
  }
  pb::AuthenticateReply WaitForAuthenticateReply() { return WaitForFirst(&authenticate_replies_); }
  pb::AuthorizeOAuth2Reply WaitForOAuth2Reply() { return WaitForFirst(&oauth2_replies_); }
  pb::ListResourcesReply WaitForListReply() { return WaitForFirst(&list_replies_); }
  pb::MapResourceReply WaitForMapReply() { return WaitForFirst(&map_replies_); }

  // ---- What was seen

  std::vector<pb::OpenSessionRequest> open_requests() const {
    absl::MutexLock lock(&mutex_);
    return open_requests_;
  }
  std::vector<pb::RegisterToolRequest> tools() const {
    absl::MutexLock lock(&mutex_);
    return tools_;
  }
  std::vector<pb::CallHubRequest> hub_calls() const {
    absl::MutexLock lock(&mutex_);
    return hub_calls_;
  }
  std::size_t reply_count(const std::string& request_id) const {
    absl::MutexLock lock(&mutex_);
    const auto it = invoke_replies_.find(request_id);
    return it == invoke_replies_.end() ? 0 : it->second.size();
  }
  int drain_requests() const {
    absl::MutexLock lock(&mutex_);
    return drain_requests_;
  }
  int invoke_max_in_flight() const {
    absl::MutexLock lock(&mutex_);
    return invoke_max_in_flight_;
  }

  // ---- The service

  grpc::Status OpenSession(grpc::ServerContext* context, const pb::OpenSessionRequest* request,
                           grpc::ServerWriter<pb::SessionEvent>* writer) override {
    int session = 0;
    {
      absl::MutexLock lock(&mutex_);
      ++open_attempts_;
      open_requests_.push_back(*request);
      if (!open_status_.ok()) return open_status_;
      session = ++sessions_;
      events_ = writer;
      pb::SessionEvent opened;
      opened.mutable_opened()->set_session_id(absl::StrCat("session-", session));
      opened.mutable_opened()->set_max_message_bytes(max_message_bytes_);
      writer->Write(opened);
    }
    WaitUntil([&] { return context->IsCancelled() || ended_session_ == session; });
    absl::MutexLock lock(&mutex_);
    if (events_ == writer) events_ = nullptr;
    return ended_session_ == session ? end_status_ : grpc::Status::CANCELLED;
  }

  grpc::Status RegisterTool(grpc::ServerContext*, const pb::RegisterToolRequest* request,
                            pb::RegisterToolResponse*) override {
    absl::MutexLock lock(&mutex_);
    tools_.push_back(*request);
    return register_tool_status_;
  }
  grpc::Status RegisterCredential(grpc::ServerContext*, const pb::RegisterCredentialRequest*,
                                  pb::RegisterCredentialResponse*) override {
    return grpc::Status::OK;
  }
  grpc::Status RegisterModel(grpc::ServerContext*, const pb::RegisterModelRequest*,
                             pb::RegisterModelResponse*) override {
    return grpc::Status::OK;
  }

  grpc::Status Publish(grpc::ServerContext* context, const pb::PublishRequest* request,
                       pb::PublishResponse* response) override {
    {
      absl::MutexLock lock(&mutex_);
      ++publish_attempts_;
      if (!publish_status_.ok()) return publish_status_;
    }
    WaitUntil([&] { return !hold_publish_ || context->IsCancelled(); });
    // Streams are opened before Publish but may arrive after it: tests send calls at once.
    WaitUntil([&] { return open_streams_ >= 3 || context->IsCancelled(); });
    response->set_topic("debug_plugin:test");
    absl::MutexLock lock(&mutex_);
    if (request->session_id() == absl::StrCat("session-", sessions_)) published_ = sessions_;
    return grpc::Status::OK;
  }

  grpc::Status DrainSession(grpc::ServerContext*, const pb::DrainSessionRequest*,
                            pb::DrainSessionResponse*) override {
    absl::MutexLock lock(&mutex_);
    ++drain_requests_;
    if (!hold_drained_) TellDrainedLocked();
    return grpc::Status::OK;
  }

  grpc::Status CallHub(grpc::ServerContext* context, const pb::CallHubRequest* request,
                       pb::CallHubResponse* response) override {
    {
      absl::MutexLock lock(&mutex_);
      hub_calls_.push_back(*request);
    }
    WaitUntil([&] { return !hold_hub_calls_ || context->IsCancelled(); });
    absl::MutexLock lock(&mutex_);
    response->mutable_data()->set_json(hub_answer_);
    return hub_status_;
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

  grpc::Status Authenticate(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<pb::AuthenticateCall, pb::AuthenticateReply>* stream) override {
    return Serve(context, stream, &authenticate_,
                 [this](const pb::AuthenticateReply& r) { authenticate_replies_.push_back(r); });
  }
  grpc::Status AuthorizeOAuth2(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<pb::AuthorizeOAuth2Call, pb::AuthorizeOAuth2Reply>* stream)
      override {
    return Serve(context, stream, &oauth2_,
                 [this](const pb::AuthorizeOAuth2Reply& r) { oauth2_replies_.push_back(r); });
  }
  grpc::Status Invoke(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<pb::InvokeCall, pb::InvokeReply>* stream) override {
    return Serve(context, stream, &invoke_, [this](const pb::InvokeReply& r) {
      const std::string& id = r.has_result() ? r.result().request_id() : r.failure().request_id();
      invoke_replies_[id].push_back(r);
    });
  }
  grpc::Status ListResources(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<pb::ListResourcesCall, pb::ListResourcesReply>* stream) override {
    return Serve(context, stream, &list_,
                 [this](const pb::ListResourcesReply& r) { list_replies_.push_back(r); });
  }
  grpc::Status MapResource(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<pb::MapResourceCall, pb::MapResourceReply>* stream) override {
    return Serve(context, stream, &map_,
                 [this](const pb::MapResourceReply& r) { map_replies_.push_back(r); });
  }

 private:
  // Polls the condition under the lock: cancellations of gRPC contexts signal nobody.
  template <typename Predicate>
  bool WaitUntil(Predicate predicate) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const absl::Time limit = absl::Now() + kPatience;
    absl::MutexLock lock(&mutex_);
    while (!predicate()) {
      if (absl::Now() > limit) return false;
      mutex_.AwaitWithTimeout(absl::Condition(&predicate), absl::Milliseconds(2));
    }
    return true;
  }

  void TellDrainedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto tell = [](auto* stream, auto call) {
      call.mutable_drained();
      if (stream != nullptr) stream->Write(call);
    };
    tell(authenticate_, pb::AuthenticateCall());
    tell(oauth2_, pb::AuthorizeOAuth2Call());
    tell(invoke_, pb::InvokeCall());
    tell(list_, pb::ListResourcesCall());
    tell(map_, pb::MapResourceCall());
  }

  // Reads a call stream to its end. `slot` is where the test finds it; `record` runs locked.
  template <typename Call, typename StreamReply, typename Record>
  grpc::Status Serve(grpc::ServerContext* context,
                     grpc::ServerReaderWriter<Call, StreamReply>* stream,
                     grpc::ServerReaderWriter<Call, StreamReply>** slot,
                     Record record) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    int session = 0;
    {
      absl::MutexLock lock(&mutex_);
      session = sessions_;
      *slot = stream;
      ++open_streams_;
    }
    StreamReply reply;
    while (stream->Read(&reply)) {
      absl::MutexLock lock(&mutex_);
      if (!reply.has_subscribe()) {
        record(reply);
      } else if constexpr (std::is_same_v<StreamReply, pb::InvokeReply>) {
        invoke_max_in_flight_ = reply.subscribe().max_in_flight();
      }
    }
    absl::MutexLock lock(&mutex_);
    --open_streams_;
    if (*slot == stream) *slot = nullptr;
    if (ended_session_ == session) return end_status_;
    return context->IsCancelled() ? grpc::Status::CANCELLED : grpc::Status::OK;
  }

  template <typename T>
  T WaitForFirst(const std::vector<T>* replies) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    WaitUntil([&] { return !replies->empty(); });
    absl::MutexLock lock(&mutex_);
    return replies->empty() ? T() : replies->front();
  }

  void Set(grpc::Status* member, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    *member = std::move(status);
  }

  static constexpr std::size_t kChunk = 1000;

  const std::string socket_path_;
  std::unique_ptr<grpc::Server> server_;

  mutable absl::Mutex mutex_;
  // Scripted; guarded by mutex_.
  grpc::Status open_status_;
  grpc::Status register_tool_status_;
  grpc::Status publish_status_;
  bool hold_publish_ = false;
  bool hold_hub_calls_ = false;
  bool hold_drained_ = false;
  std::int64_t max_message_bytes_ = 4 << 20;
  grpc::Status hub_status_;
  std::string hub_answer_ = "null";
  std::map<std::string, std::string> files_;

  // The open session and its streams; guarded by mutex_.
  grpc::ServerWriter<pb::SessionEvent>* events_ = nullptr;
  grpc::ServerReaderWriter<pb::AuthenticateCall, pb::AuthenticateReply>* authenticate_ = nullptr;
  grpc::ServerReaderWriter<pb::AuthorizeOAuth2Call, pb::AuthorizeOAuth2Reply>* oauth2_ = nullptr;
  grpc::ServerReaderWriter<pb::InvokeCall, pb::InvokeReply>* invoke_ = nullptr;
  grpc::ServerReaderWriter<pb::ListResourcesCall, pb::ListResourcesReply>* list_ = nullptr;
  grpc::ServerReaderWriter<pb::MapResourceCall, pb::MapResourceReply>* map_ = nullptr;
  int sessions_ = 0;
  int published_ = 0;
  int ended_session_ = 0;
  grpc::Status end_status_;

  // Recorded; guarded by mutex_.
  int open_attempts_ = 0;
  int publish_attempts_ = 0;
  int open_streams_ = 0;
  int drain_requests_ = 0;
  int invoke_max_in_flight_ = 0;
  std::vector<pb::OpenSessionRequest> open_requests_;
  std::vector<pb::RegisterToolRequest> tools_;
  std::vector<pb::CallHubRequest> hub_calls_;
  std::map<std::string, std::vector<pb::InvokeReply>> invoke_replies_;
  std::vector<pb::AuthenticateReply> authenticate_replies_;
  std::vector<pb::AuthorizeOAuth2Reply> oauth2_replies_;
  std::vector<pb::ListResourcesReply> list_replies_;
  std::vector<pb::MapResourceReply> map_replies_;
};

// A status with a google.rpc.Status that carries `detail`, as the bridge sends it.
inline grpc::Status StatusWithDetail(grpc::StatusCode code, const std::string& message,
                                     const google::protobuf::Message& detail) {
  google::protobuf::Any any;
  any.PackFrom(detail);
  const std::string packed = any.SerializeAsString();
  // Field 3, length-delimited; lengths below 16384 take at most two bytes.
  std::string rpc_status = "\x1a";
  if (packed.size() >= 128) rpc_status += static_cast<char>(0x80 | (packed.size() & 0x7f));
  rpc_status += static_cast<char>(packed.size() >= 128 ? packed.size() >> 7 : packed.size());
  return grpc::Status(code, message, rpc_status + packed);
}

}  // namespace atomemo::testing

#endif  // ATOMEMO_TESTS_SDK_CPP_FAKE_PLUGIN_SERVICE_H_
