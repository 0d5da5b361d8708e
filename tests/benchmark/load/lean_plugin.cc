// Plugins on the generated stubs and nothing else, each with a name, a connection and a session of
// its own, in one process with one thread: what the bridge costs, without an SDK. The tool
// "do-work" of every one answers with its parameters.
//
//   lean_plugin SOCKET PREFIX FIRST COUNT [DEFINITION_BYTES]
//
// The plugins are named PREFIX-FIRST and so on; each definition has about so many bytes.

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "tests/benchmark/load/completion_tag.h"

namespace atomemo::benchmark {
namespace {

namespace pb = ::atomemo::plugin::v1;

// The bridge shall never have to wait.
constexpr int kMaxInFlight = 10'000;

std::string Definition(const std::string& name, std::size_t bytes) {
  const std::string texts =
      R"("display_name":{"en_US":"Work"},"description":{"en_US":"Works"},"icon":"W")";
  const auto tool = [&](const std::string& tool_name) {
    return absl::StrCat(R"({"name":")", tool_name, R"(",)", texts, R"(,"parameters":[]})");
  };
  std::string tools = tool("do-work");
  for (int i = 0; tools.size() < bytes; ++i) {
    absl::StrAppend(&tools, ",", tool(absl::StrCat("filler-", i)));
  }
  return absl::StrCat(R"({"name":")", name, R"(","version":"1.0.0",)", texts,
                      R"(,"locales":["en_US"],"tools":[)", tools, "]}");
}

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "lean_plugin: %s\n", why.c_str());
  std::exit(1);
}

// Lives as long as the process.
class LeanPlugin {
 public:
  LeanPlugin(grpc::CompletionQueue& queue, const std::string& socket, const std::string& name,
             std::size_t definition_bytes)
      : queue_(queue) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = pb::PluginService::NewStub(
        grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
    open_.set_definition_json(Definition(name, definition_bytes));
    open_.set_payload_encoding(pb::PAYLOAD_ENCODING_JSON);
    open_.set_max_receive_bytes(-1);  // The channel takes messages of any size.
    session_context_.set_wait_for_ready(true);
    session_ = stub_->AsyncOpenSession(&session_context_, open_, &queue_, &session_started_);
  }

 private:
  void OnSessionStarted(bool ok) {
    if (!ok) Die("cannot open a session");
    session_->Read(&event_, &event_read_);
  }

  void OnEvent(bool ok) {
    if (!ok) return session_->Finish(&status_, &session_ended_);
    if (event_.has_opened()) {
      session_id_ = event_.opened().session_id();
      calls_ = stub_->AsyncInvoke(&calls_context_, &queue_, &calls_started_);
    }
    session_->Read(&event_, &event_read_);
  }

  void OnCallsStarted(bool ok) {
    if (!ok) return;  // the session's end says why
    pb::InvokeReply subscribe;
    subscribe.mutable_subscribe()->set_session_id(session_id_);
    subscribe.mutable_subscribe()->set_max_in_flight(kMaxInFlight);
    Send(std::move(subscribe));
    calls_->Read(&call_, &call_read_);
    pb::PublishRequest publish;
    publish.set_session_id(session_id_);
    publication_ = stub_->AsyncPublish(&publish_context_, publish, &queue_);
    publication_->Finish(&published_, &status_, &published_tag_);
  }

  void OnPublished() const {
    if (!status_.ok()) Die("Publish: " + status_.error_message());
  }

  void OnCall(bool ok) {
    if (!ok) return;
    if (call_.has_invoke()) {
      pb::Invocation& invocation = *call_.mutable_invoke();
      pb::InvokeReply reply;
      pb::InvokeResult& result = *reply.mutable_result();
      result.set_request_id(std::move(*invocation.mutable_info()->mutable_request_id()));
      result.mutable_data()->set_json(std::move(*invocation.mutable_parameters()->mutable_json()));
      Send(std::move(reply));
    }
    calls_->Read(&call_, &call_read_);
  }

  void Send(pb::InvokeReply reply) {
    replies_.push_back(std::move(reply));
    if (replies_.size() == 1) calls_->Write(replies_.front(), &reply_written_);
  }

  void OnReplyWritten(bool ok) {
    replies_.pop_front();
    if (ok && !replies_.empty()) calls_->Write(replies_.front(), &reply_written_);
  }

  void OnSessionEnded() const {
    // A bridge that ends takes its plugins along; that is how a measurement ends, too.
    if (status_.error_code() == grpc::StatusCode::UNAVAILABLE) std::exit(0);
    Die(absl::StrCat("OpenSession: ", status_.error_code(), " ", status_.error_message()));
  }

  grpc::CompletionQueue& queue_;
  std::unique_ptr<pb::PluginService::Stub> stub_;
  std::string session_id_;

  grpc::ClientContext session_context_;
  pb::OpenSessionRequest open_;
  pb::SessionEvent event_;
  std::unique_ptr<grpc::ClientAsyncReader<pb::SessionEvent>> session_;
  grpc::Status status_;

  grpc::ClientContext publish_context_;
  pb::PublishResponse published_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<pb::PublishResponse>> publication_;

  grpc::ClientContext calls_context_;
  pb::InvokeCall call_;
  std::deque<pb::InvokeReply> replies_;  // the first is being written
  std::unique_ptr<grpc::ClientAsyncReaderWriter<pb::InvokeReply, pb::InvokeCall>> calls_;

  CompletionTag session_started_{[this](bool ok) { OnSessionStarted(ok); }};
  CompletionTag event_read_{[this](bool ok) { OnEvent(ok); }};
  CompletionTag session_ended_{[this](bool) { OnSessionEnded(); }};
  CompletionTag published_tag_{[this](bool) { OnPublished(); }};
  CompletionTag calls_started_{[this](bool ok) { OnCallsStarted(ok); }};
  CompletionTag call_read_{[this](bool ok) { OnCall(ok); }};
  CompletionTag reply_written_{[this](bool ok) { OnReplyWritten(ok); }};
};

int Main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: lean_plugin SOCKET PREFIX FIRST COUNT [DEFINITION_BYTES]\n");
    return 2;
  }
  const int first = std::atoi(argv[3]);
  const int count = std::atoi(argv[4]);
  const std::size_t bytes = argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 0;
  grpc::CompletionQueue queue;
  std::deque<LeanPlugin> plugins;
  for (int i = first; i < first + count; ++i) {
    plugins.emplace_back(queue, argv[1], absl::StrCat(argv[2], "-", i), bytes);
  }
  CompletionTag::RunAll(queue);
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
