#include "tests/integration/raw_plugin.h"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace atomemo::integration {
namespace {

namespace pb = ::atomemo::plugin::v1;

constexpr char kDefinition[] =
    R"({"name":"raw-plugin","version":"1.0.0","display_name":{"en_US":"Raw"},"description":{"en_US":"Raw"},)"
    R"("icon":"R","locales":["en_US"],"tools":[{"name":"echo-tool","display_name":{"en_US":"E"},)"
    R"("description":{"en_US":"E"},"icon":"E","parameters":[]}]})";

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
}

std::unique_ptr<pb::PluginService::Stub> MakeStub(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  return pb::PluginService::NewStub(
      grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
}

pb::OpenSessionRequest SessionRequest(pb::PayloadEncoding encoding) {
  pb::OpenSessionRequest request;
  request.set_definition_json(kDefinition);
  request.set_payload_encoding(encoding);
  return request;
}

class TypedPlugin : public RawPlugin {
 public:
  TypedPlugin(const std::string& socket, pb::PayloadEncoding encoding) : stub_(MakeStub(socket)) {
    SetDeadline(session_context_);
    SetDeadline(invoke_context_);
    session_ = stub_->OpenSession(&session_context_, SessionRequest(encoding));
    pb::SessionEvent event;
    if (session_->Read(&event)) session_id_ = event.opened().session_id();

    invoke_ = stub_->Invoke(&invoke_context_);
    pb::InvokeReply subscribe;
    subscribe.mutable_subscribe()->set_session_id(session_id_);
    invoke_->Write(subscribe);
    published_ = std::async(std::launch::async, [this] { return Publish(); });
  }

  ~TypedPlugin() override {
    invoke_context_.TryCancel();
    session_context_.TryCancel();
    if (published_.valid()) published_.wait();
    invoke_->Finish();
    session_->Finish();
  }

  grpc::Status published() override { return published_.get(); }

  pb::InvokeCall Read() override {
    pb::InvokeCall call;
    if (!invoke_->Read(&call)) call.Clear();
    return call;
  }

  void Answer(const std::string& request_id, pb::JsonValue data) override {
    pb::InvokeReply reply;
    reply.mutable_result()->set_request_id(request_id);
    *reply.mutable_result()->mutable_data() = std::move(data);
    invoke_->Write(reply);
  }

  std::future<HubOutcome> CallHub(const std::string& event, const std::string& data) override {
    return std::async(std::launch::async, [this, event, data] {
      grpc::ClientContext context;
      SetDeadline(context);
      pb::CallHubRequest request;
      request.set_session_id(session_id_);
      request.set_event(event);
      request.mutable_data()->set_json(data);
      pb::CallHubResponse response;
      HubOutcome outcome;
      outcome.status = stub_->CallHub(&context, request, &response);
      outcome.data = std::move(*response.mutable_data());
      return outcome;
    });
  }

 private:
  grpc::Status Publish() {
    grpc::ClientContext context;
    SetDeadline(context);
    pb::PublishRequest request;
    request.set_session_id(session_id_);
    pb::PublishResponse response;
    return stub_->Publish(&context, request, &response);
  }

  const std::unique_ptr<pb::PluginService::Stub> stub_;
  grpc::ClientContext session_context_;
  grpc::ClientContext invoke_context_;
  std::unique_ptr<grpc::ClientReader<pb::SessionEvent>> session_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::InvokeReply, pb::InvokeCall>> invoke_;
  std::string session_id_;
  std::future<grpc::Status> published_;
};

class ServePlugin : public RawPlugin {
 public:
  ServePlugin(const std::string& socket, pb::PayloadEncoding encoding) : stub_(MakeStub(socket)) {
    SetDeadline(context_);
    stream_ = stub_->Serve(&context_);
    pb::PluginMessage hello;
    *hello.mutable_hello()->mutable_session() = SessionRequest(encoding);
    stream_->Write(hello);
    reader_ = std::thread([this] { ReadAll(); });
  }

  ~ServePlugin() override {
    context_.TryCancel();
    reader_.join();
  }

  grpc::Status published() override { return published_.get_future().get(); }

  pb::InvokeCall Read() override {
    absl::MutexLock lock(&mutex_);
    const auto has_call = [this]()
                              ABSL_NO_THREAD_SAFETY_ANALYSIS { return ended_ || !calls_.empty(); };
    mutex_.Await(absl::Condition(&has_call));
    if (calls_.empty()) return {};
    pb::InvokeCall call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }

  void Answer(const std::string& request_id, pb::JsonValue data) override {
    pb::PluginMessage message;
    message.mutable_invoked()->set_request_id(request_id);
    *message.mutable_invoked()->mutable_data() = std::move(data);
    Write(message);
  }

  std::future<HubOutcome> CallHub(const std::string& event, const std::string& data) override {
    pb::PluginMessage message;
    pb::HubRequest& request = *message.mutable_hub_request();
    request.mutable_call()->set_event(event);
    request.mutable_call()->mutable_data()->set_json(data);
    std::future<HubOutcome> outcome;
    {
      absl::MutexLock lock(&mutex_);
      request.set_id(std::to_string(++last_hub_call_));
      outcome = hub_calls_[request.id()].get_future();
    }
    Write(message);
    return outcome;
  }

 private:
  void Write(const pb::PluginMessage& message) {
    const std::lock_guard<std::mutex> lock(write_mutex_);
    stream_->Write(message);
  }

  void ReadAll() {
    bool is_published = false;
    for (pb::BridgeMessage message; stream_->Read(&message);) {
      if (message.has_published()) {
        is_published = true;
        published_.set_value(grpc::Status::OK);
      }
      absl::MutexLock lock(&mutex_);
      Take(message);
    }
    const grpc::Status status = stream_->Finish();
    if (!is_published) published_.set_value(status);
    absl::MutexLock lock(&mutex_);
    for (auto& [id, outcome] : hub_calls_) outcome.set_value({status, {}});
    hub_calls_.clear();
    ended_ = true;
  }

  void Take(pb::BridgeMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (message.has_invoke())
      calls_.emplace_back().mutable_invoke()->Swap(message.mutable_invoke());
    if (message.has_cancel())
      calls_.emplace_back().mutable_cancel()->Swap(message.mutable_cancel());
    if (message.has_rejected()) {
      calls_.emplace_back().mutable_rejected()->Swap(message.mutable_rejected());
    }
    if (!message.has_hub_reply()) return;
    pb::HubReply& reply = *message.mutable_hub_reply();
    const auto call = hub_calls_.find(reply.id());
    if (call == hub_calls_.end()) return;
    HubOutcome outcome;
    if (reply.has_data()) outcome.data = std::move(*reply.mutable_data());
    if (reply.has_failure()) {
      outcome.status = grpc::Status(static_cast<grpc::StatusCode>(reply.failure().code()),
                                    reply.failure().message());
    }
    call->second.set_value(std::move(outcome));
    hub_calls_.erase(call);
  }

  const std::unique_ptr<pb::PluginService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::PluginMessage, pb::BridgeMessage>> stream_;
  std::promise<grpc::Status> published_;
  std::mutex write_mutex_;
  absl::Mutex mutex_;
  std::deque<pb::InvokeCall> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::promise<HubOutcome>> hub_calls_ ABSL_GUARDED_BY(mutex_);
  int last_hub_call_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<RawPlugin> RawPlugin::Start(Front front, const std::string& socket,
                                            pb::PayloadEncoding encoding) {
  if (front == Front::kServe) return std::make_unique<ServePlugin>(socket, encoding);
  return std::make_unique<TypedPlugin>(socket, encoding);
}

void RawPlugin::AnswerText(const std::string& request_id, const std::string& json) {
  pb::JsonValue data;
  data.set_json(json);
  Answer(request_id, std::move(data));
}

}  // namespace atomemo::integration
