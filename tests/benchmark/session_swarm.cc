// Many plugins in one process, each with a name, a connection and a session of its own: tool
// "do-work" of every one answers with null. Uses the generated stubs, to be lean.
//
//   session_swarm SOCKET FIRST COUNT DEFINITION_BYTES
//
// The plugins are named swarm-FIRST and so on; each definition has about so many bytes.

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::benchmark {
namespace {

namespace pb = ::atomemo::plugin::v1;

std::string Definition(const std::string& name, int bytes) {
  const std::string texts =
      R"("display_name":{"en_US":"Work"},"description":{"en_US":"Works"},"icon":"W")";
  const auto tool = [&](const std::string& tool_name) {
    return absl::StrCat(R"({"name":")", tool_name, R"(",)", texts, R"(,"parameters":[]})");
  };
  std::string tools = tool("do-work");
  for (int i = 0; static_cast<int>(tools.size()) < bytes; ++i) {
    absl::StrAppend(&tools, ",", tool(absl::StrCat("filler-", i)));
  }
  return absl::StrCat(R"({"name":")", name, R"(","version":"1.0.0",)", texts,
                      R"(,"locales":["en_US"],"tools":[)", tools, "]}");
}

void Complain(const char* what, const grpc::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", what,
                 absl::StrCat(status.error_code(), " ", status.error_message()).c_str());
  }
}

// The calls of one session. Deletes nothing: lives as long as the process.
class CallReactor : public grpc::ClientBidiReactor<pb::InvokeReply, pb::InvokeCall> {
 public:
  void Start(pb::PluginService::Stub& stub, const std::string& session_id) {
    pb::InvokeReply subscribe;
    subscribe.mutable_subscribe()->set_session_id(session_id);
    stub.async()->Invoke(&context_, this);
    Send(subscribe);
    StartRead(&call_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (call_.has_invoke()) {
      pb::InvokeReply reply;
      reply.mutable_result()->set_request_id(call_.invoke().info().request_id());
      Send(reply);
    }
    StartRead(&call_);
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    replies_.pop_front();
    if (ok && !replies_.empty()) StartWrite(&replies_.front());
  }

  void OnDone(const grpc::Status& status) override { Complain("Invoke", status); }

 private:
  void Send(const pb::InvokeReply& reply) {
    absl::MutexLock lock(&mutex_);
    replies_.push_back(reply);
    if (replies_.size() == 1) StartWrite(&replies_.front());
  }

  grpc::ClientContext context_;
  pb::InvokeCall call_;
  absl::Mutex mutex_;
  std::deque<pb::InvokeReply> replies_ ABSL_GUARDED_BY(mutex_);
};

// One plugin: opens its session, its call stream, and publishes.
class SwarmPlugin : public grpc::ClientReadReactor<pb::SessionEvent> {
 public:
  SwarmPlugin(const std::string& socket, const std::string& name, int definition_bytes) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    stub_ = pb::PluginService::NewStub(
        grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
    open_.set_definition_json(Definition(name, definition_bytes));
    open_.set_payload_encoding(pb::PAYLOAD_ENCODING_JSON);
    context_.set_wait_for_ready(true);
    stub_->async()->OpenSession(&context_, &open_, this);
    StartRead(&event_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (event_.has_opened()) {
      const std::string session_id = event_.opened().session_id();
      calls_.Start(*stub_, session_id);
      publish_.set_session_id(session_id);
      stub_->async()->Publish(&publish_context_, &publish_, &published_,
                              [](const grpc::Status& status) { Complain("Publish", status); });
    }
    StartRead(&event_);
  }

  void OnDone(const grpc::Status& status) override { Complain("OpenSession", status); }

 private:
  std::unique_ptr<pb::PluginService::Stub> stub_;
  grpc::ClientContext context_;
  pb::OpenSessionRequest open_;
  pb::SessionEvent event_;
  CallReactor calls_;
  grpc::ClientContext publish_context_;
  pb::PublishRequest publish_;
  pb::PublishResponse published_;
};

int Main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: session_swarm SOCKET FIRST COUNT DEFINITION_BYTES\n");
    return 2;
  }
  const int first = std::atoi(argv[2]);
  const int count = std::atoi(argv[3]);
  std::deque<SwarmPlugin> plugins;
  for (int i = 0; i < count; ++i) {
    plugins.emplace_back(argv[1], absl::StrCat("swarm-", first + i), std::atoi(argv[4]));
  }
  absl::Notification().WaitForNotification();  // until a signal ends the process
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
