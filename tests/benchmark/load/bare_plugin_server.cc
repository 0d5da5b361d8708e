#include "tests/benchmark/load/bare_plugin_server.h"

#include <grpcpp/alarm.h>

#include <utility>

#include "absl/strings/string_view.h"
#include "tests/benchmark/load/completion_tag.h"

namespace atomemo::benchmark {
namespace {

// The value of the first "name", which is the plugin's.
std::string NameIn(absl::string_view definition) {
  constexpr absl::string_view kKey = R"("name":")";
  const std::size_t begin = definition.find(kKey) + kKey.size();
  return std::string(definition.substr(begin, definition.find('"', begin) - begin));
}

}  // namespace

// Deletes itself.
class BarePluginServer::Alarm {
 public:
  Alarm(grpc::CompletionQueue& queue, std::function<void()> task)
      : tag_([this, run = std::move(task)](bool) {
          run();
          delete this;
        }) {
    alarm_.Set(&queue, gpr_now(GPR_CLOCK_MONOTONIC), &tag_);
  }

 private:
  CompletionTag tag_;
  grpc::Alarm alarm_;
};

// One RPC of each of these kinds always waits for the next client, and makes its successor when one
// has come. None is deleted before the process ends, which the benchmark does to it.
class BarePluginServer::Session {
 public:
  explicit Session(BarePluginServer& server) : server_(server) {
    server_.service_.RequestOpenSession(&context_, &request_, &events_, server_.queue_.get(),
                                        server_.queue_.get(), &started_);
  }

 private:
  void OnStarted(bool ok) {
    if (!ok) return;
    new Session(server_);
    opened_.mutable_opened()->set_session_id(NameIn(request_.definition_json()));
    events_.Write(opened_, &written_);
  }

  BarePluginServer& server_;
  grpc::ServerContext context_;
  pb::OpenSessionRequest request_;
  grpc::ServerAsyncWriter<pb::SessionEvent> events_{&context_};
  pb::SessionEvent opened_;
  CompletionTag started_{[this](bool ok) { OnStarted(ok); }};
  CompletionTag written_{[](bool) {}};
};

class BarePluginServer::Publication {
 public:
  explicit Publication(BarePluginServer& server) : server_(server) {
    server_.service_.RequestPublish(&context_, &request_, &responder_, server_.queue_.get(),
                                    server_.queue_.get(), &started_);
  }

 private:
  void OnStarted(bool ok) {
    if (!ok) return;
    new Publication(server_);
    responder_.Finish(pb::PublishResponse(), grpc::Status::OK, &finished_);
  }

  BarePluginServer& server_;
  grpc::ServerContext context_;
  pb::PublishRequest request_;
  grpc::ServerAsyncResponseWriter<pb::PublishResponse> responder_{&context_};
  CompletionTag started_{[this](bool ok) { OnStarted(ok); }};
  CompletionTag finished_{[](bool) {}};
};

class BarePluginServer::Stream : public BareCalls {
 public:
  explicit Stream(BarePluginServer& server) : server_(server) {
    server_.service_.RequestInvoke(&context_, &stream_, server_.queue_.get(), server_.queue_.get(),
                                   &started_);
  }

  void Send(pb::InvokeCall call) override {
    absl::MutexLock lock(&mutex_);
    if (writing_) return waiting_.push_back(std::move(call));
    writing_ = true;
    Write(std::move(call));
  }

 private:
  void OnStarted(bool ok) {
    if (!ok) return;
    new Stream(server_);
    stream_.Read(&reply_, &read_);
  }

  void OnRead(bool ok) {
    if (!ok) return;
    if (reply_.has_subscribe()) {
      server_.handler_.OnSubscribed(reply_.subscribe().session_id(), *this);
    } else if (reply_.has_result()) {
      server_.handler_.OnResult(*this, *reply_.mutable_result());
    }
    stream_.Read(&reply_, &read_);
  }

  void OnWritten(bool ok) {
    absl::MutexLock lock(&mutex_);
    writing_ = ok && !waiting_.empty();
    if (!writing_) return;
    Write(std::move(waiting_.front()));
    waiting_.pop_front();
  }

  void Write(pb::InvokeCall call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    written_call_ = std::move(call);
    stream_.Write(written_call_, &written_);
  }

  BarePluginServer& server_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<pb::InvokeCall, pb::InvokeReply> stream_{&context_};
  pb::InvokeReply reply_;
  absl::Mutex mutex_;
  std::deque<pb::InvokeCall> waiting_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  pb::InvokeCall written_call_ ABSL_GUARDED_BY(mutex_);
  CompletionTag started_{[this](bool ok) { OnStarted(ok); }};
  CompletionTag read_{[this](bool ok) { OnRead(ok); }};
  CompletionTag written_{[this](bool ok) { OnWritten(ok); }};
};

bool BarePluginServer::Start(const std::string& socket) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.RegisterService(&service_);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return false;
  new Session(*this);
  new Publication(*this);
  new Stream(*this);
  return true;
}

void BarePluginServer::Run() { CompletionTag::RunAll(*queue_); }

void BarePluginServer::Post(std::function<void()> task) { new Alarm(*queue_, std::move(task)); }

}  // namespace atomemo::benchmark
