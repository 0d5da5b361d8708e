#include "tests/integration/raw_plugin.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace atomemo::integration {
namespace {

namespace pb = ::atomemo::plugin::v1;

#define ATOMEMO_TEXTS R"("display_name":{"en_US":"T"},"description":{"en_US":"T"},"icon":"T")"
constexpr char kTexts[] =
    R"({"name":"raw-plugin","version":"1.0.0","locales":["en_US"],"author":"A","email":"a@example.com",)" ATOMEMO_TEXTS
    "}";
constexpr const char* kCredentials[] = {
    R"({"name":"account-key","parameters":[],)" ATOMEMO_TEXTS "}",
    R"({"name":"account","oauth2":true,"parameters":[{"name":"client_id","type":"string","required":true},)"
    R"({"name":"client_secret","type":"encrypted_string","required":true},{"name":"access_token","type":"encrypted_string"},)"
    R"({"name":"refresh_token","type":"encrypted_string"},{"name":"expires_at","type":"integer"}],)" ATOMEMO_TEXTS
    "}"};
constexpr char kBriefTool[] = R"({"name":"brief-tool","parameters":[],)" ATOMEMO_TEXTS "}";
constexpr int kBriefNanos = 50'000'000;
constexpr const char* kOtherTools[] = {
    R"({"name":"echo-tool","parameters":[],)" ATOMEMO_TEXTS "}",
    R"({"name":"pick-tool","parameters":[{"name":"city","type":"resource_locator","modes":)"
    R"([{"type":"list","search_list_method":"list_cities"}]},)"
    R"({"name":"fields","type":"resource_mapper","mapping_method":"map_fields"}],)" ATOMEMO_TEXTS
    "}"};
#undef ATOMEMO_TEXTS

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
}

std::unique_ptr<pb::PluginService::Stub> MakeStub(const std::string& socket) {
  return pb::PluginService::NewStub(
      grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
}

pb::OpenSessionRequest SessionRequest(pb::PayloadEncoding encoding) {
  pb::OpenSessionRequest request;
  request.set_definition_json(kTexts);
  request.set_payload_encoding(encoding);
  return request;
}

// What both fronts declare, in the same order.
pb::Hello Parts() {
  pb::Hello parts;
  for (const char* credential : kCredentials)
    parts.add_credentials()->set_definition_json(credential);
  for (const char* tool : kOtherTools) parts.add_tools()->set_definition_json(tool);
  pb::RegisterToolRequest& brief = *parts.add_tools();
  brief.set_definition_json(kBriefTool);
  brief.mutable_policy()->mutable_timeout()->set_nanos(kBriefNanos);
  return parts;
}

// ---- An RPC for each thing

void Put(pb::AuthenticateCall& call, pb::BridgeMessage& message) {
  message.mutable_authenticate()->Swap(call.mutable_authenticate());
}
void Put(pb::AuthorizeOAuth2Call& call, pb::BridgeMessage& message) {
  message.mutable_authorize()->Swap(call.mutable_step());
}
void Put(pb::InvokeCall& call, pb::BridgeMessage& message) {
  message.mutable_invoke()->Swap(call.mutable_invoke());
}
void Put(pb::ListResourcesCall& call, pb::BridgeMessage& message) {
  message.mutable_list()->Swap(call.mutable_list());
}
void Put(pb::MapResourceCall& call, pb::BridgeMessage& message) {
  message.mutable_map()->Swap(call.mutable_map());
}

// One kind of call.
template <typename Reply, typename Call>
struct KindStream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<Reply, Call>> stream;
  std::thread reader;

  template <typename Open, typename OnCall>
  void Start(pb::PluginService::Stub& stub, Open open, const std::string& session_id,
             OnCall on_call) {  // with null at the end
    SetDeadline(context);
    stream = (stub.*open)(&context);
    Reply subscribe;
    subscribe.mutable_subscribe()->set_session_id(session_id);
    stream->Write(subscribe);
    reader = std::thread([this, on_call] {
      for (Call call; stream->Read(&call);) on_call(&call);
      on_call(static_cast<Call*>(nullptr));
    });
  }
  template <typename Result>
  void Answer(Result& result) {
    Reply reply;
    reply.mutable_result()->Swap(&result);
    stream->Write(reply);
  }
  void Fail(const pb::CallFailure& failure) {
    Reply reply;
    *reply.mutable_failure() = failure;
    stream->Write(reply);
  }
  grpc::Status End() {
    stream->WritesDone();
    reader.join();
    return stream->Finish();
  }
  ~KindStream() {
    if (!reader.joinable()) return;
    context.TryCancel();
    reader.join();
    stream->Finish();
  }
};

class TypedPlugin : public RawPlugin {
 public:
  TypedPlugin(const std::string& socket, pb::PayloadEncoding encoding) : stub_(MakeStub(socket)) {
    using Stub = pb::PluginService::Stub;
    SetDeadline(session_context_);
    session_ = stub_->OpenSession(&session_context_, SessionRequest(encoding));
    pb::SessionEvent event;
    if (session_->Read(&event)) session_id_ = event.opened().session_id();
    watcher_ = std::thread([this] {
      for (pb::SessionEvent unread; session_->Read(&unread);) {
      }
    });
    const pb::Hello parts = Parts();
    for (const auto& credential : parts.credentials()) {
      Ask(&Stub::RegisterCredential, credential, pb::RegisterCredentialResponse());
    }
    for (const auto& tool : parts.tools()) {
      Ask(&Stub::RegisterTool, tool, pb::RegisterToolResponse());
    }
    Start(authenticate_, &Stub::Authenticate);
    Start(authorize_, &Stub::AuthorizeOAuth2);
    Start(invoke_, &Stub::Invoke);
    Start(list_, &Stub::ListResources);
    Start(map_, &Stub::MapResource);
    published_ = std::async(std::launch::async, [this] {
      return Ask(&Stub::Publish, pb::PublishRequest(), pb::PublishResponse());
    });
  }

  ~TypedPlugin() override {
    session_context_.TryCancel();
    watcher_.join();
    session_->Finish();
    if (published_.valid()) published_.wait();
  }

  grpc::Status published() override { return published_.get(); }

  void Send(pb::PluginMessage message) override {
    switch (message.message_case()) {
      case pb::PluginMessage::kAuthenticated:
        return authenticate_.Answer(*message.mutable_authenticated());
      case pb::PluginMessage::kAuthorized:
        return authorize_.Answer(*message.mutable_authorized());
      case pb::PluginMessage::kListed:
        return list_.Answer(*message.mutable_listed());
      case pb::PluginMessage::kMapped:
        return map_.Answer(*message.mutable_mapped());
      case pb::PluginMessage::kFailure:
        return Fail(message.failure());
      default:
        return invoke_.Answer(*message.mutable_invoked());
    }
  }

  std::future<HubOutcome> CallHub(const std::string& event, const std::string& data) override {
    return std::async(std::launch::async, [this, event, data] {
      pb::CallHubRequest request;
      request.set_event(event);
      request.mutable_data()->set_json(data);
      pb::CallHubResponse response;
      HubOutcome outcome;
      outcome.status = Ask(&pb::PluginService::Stub::CallHub, request, response);
      outcome.data = std::move(*response.mutable_data());
      return outcome;
    });
  }

  void Drain() override {
    Ask(&pb::PluginService::Stub::DrainSession, pb::DrainSessionRequest(),
        pb::DrainSessionResponse());
  }

  grpc::Status End() override {
    for (const grpc::Status& status :
         {authenticate_.End(), authorize_.End(), invoke_.End(), list_.End(), map_.End()}) {
      if (!status.ok()) return status;
    }
    return grpc::Status::OK;
  }

 private:
  static constexpr int kKinds = 5;

  // A unary RPC of the session.
  template <typename Rpc, typename Request, typename Response>
  grpc::Status Ask(Rpc rpc, Request request, Response&& response) {
    grpc::ClientContext context;
    SetDeadline(context);
    request.set_session_id(session_id_);
    return ((*stub_).*rpc)(&context, request, &response);
  }

  template <typename Stream, typename Open>
  void Start(Stream& stream, Open open) {
    stream.Start(*stub_, open, session_id_, [this](auto* call) {
      if (call != nullptr) return OnCall(*call);
      if (++ended_ == kKinds) TakeEnd();
    });
  }

  template <typename Call>
  void OnCall(Call& call) {
    pb::BridgeMessage message;
    if (call.has_cancel()) {
      *message.mutable_cancel() = call.cancel();
    } else if (call.has_rejected()) {
      *message.mutable_rejected() = call.rejected();
    } else if (call.has_drained()) {
      if (++drained_ < kKinds) return;
      message.mutable_drained();
    } else {
      Put(call, message);
    }
    Take(std::move(message));
  }

  // On the stream of the call's kind.
  void Fail(const pb::CallFailure& failure) {
    const std::string& event = failure.event();
    if (event == "credential_auth_spec") return authenticate_.Fail(failure);
    if (event == "locator_list") return list_.Fail(failure);
    if (event == "resource_mapping") return map_.Fail(failure);
    if (event.rfind("oauth2", 0) == 0) return authorize_.Fail(failure);
    invoke_.Fail(failure);
  }

  const std::unique_ptr<pb::PluginService::Stub> stub_;
  grpc::ClientContext session_context_;
  std::unique_ptr<grpc::ClientReader<pb::SessionEvent>> session_;
  std::string session_id_;
  std::thread watcher_;
  std::atomic<int> drained_{0};
  std::atomic<int> ended_{0};
  KindStream<pb::AuthenticateReply, pb::AuthenticateCall> authenticate_;
  KindStream<pb::AuthorizeOAuth2Reply, pb::AuthorizeOAuth2Call> authorize_;
  KindStream<pb::InvokeReply, pb::InvokeCall> invoke_;
  KindStream<pb::ListResourcesReply, pb::ListResourcesCall> list_;
  KindStream<pb::MapResourceReply, pb::MapResourceCall> map_;
  std::future<grpc::Status> published_;
};

// ---- One stream

class ServePlugin : public RawPlugin {
 public:
  ServePlugin(const std::string& socket, pb::PayloadEncoding encoding) : stub_(MakeStub(socket)) {
    SetDeadline(context_);
    stream_ = stub_->Serve(&context_);
    pb::PluginMessage hello;
    *hello.mutable_hello() = Parts();
    *hello.mutable_hello()->mutable_session() = SessionRequest(encoding);
    stream_->Write(hello);
    reader_ = std::thread([this] { ReadAll(); });
  }

  ~ServePlugin() override {
    context_.TryCancel();
    reader_.join();
  }

  grpc::Status published() override { return published_.get_future().get(); }

  void Send(pb::PluginMessage message) override {
    const std::lock_guard<std::mutex> lock(write_mutex_);
    stream_->Write(message);
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
    Send(std::move(message));
    return outcome;
  }

  void Drain() override {
    pb::PluginMessage message;
    message.mutable_drain();
    Send(std::move(message));
  }

  grpc::Status End() override { return end_.get_future().get(); }

 private:
  void ReadAll() {
    bool is_published = false;
    for (pb::BridgeMessage message; stream_->Read(&message);) {
      if (message.has_published()) {
        is_published = true;
        published_.set_value(grpc::Status::OK);
      } else if (message.has_hub_reply()) {
        OnHubReply(*message.mutable_hub_reply());
      } else if (!message.has_opened() && !message.has_delivered() && !message.has_hub_state()) {
        Take(std::move(message));
      }
    }
    const grpc::Status status = stream_->Finish();
    if (!is_published) published_.set_value(status);
    end_.set_value(status);
    TakeEnd();
    absl::MutexLock lock(&mutex_);
    for (auto& [id, outcome] : hub_calls_) outcome.set_value({status, {}});
    hub_calls_.clear();
  }

  void OnHubReply(pb::HubReply& reply) {
    absl::MutexLock lock(&mutex_);
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
  std::promise<grpc::Status> end_;
  std::mutex write_mutex_;
  absl::Mutex mutex_;
  std::map<std::string, std::promise<HubOutcome>> hub_calls_ ABSL_GUARDED_BY(mutex_);
  int last_hub_call_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<RawPlugin> RawPlugin::Start(Front front, const std::string& socket,
                                            pb::PayloadEncoding encoding) {
  if (front == Front::kServe) return std::make_unique<ServePlugin>(socket, encoding);
  return std::make_unique<TypedPlugin>(socket, encoding);
}

pb::BridgeMessage RawPlugin::Read() {
  absl::MutexLock lock(&mutex_);
  const auto has_message = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return ended_ || !messages_.empty();
  };
  mutex_.Await(absl::Condition(&has_message));
  if (messages_.empty()) return {};
  pb::BridgeMessage message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

void RawPlugin::Answer(const std::string& request_id, pb::JsonValue data) {
  pb::PluginMessage message;
  message.mutable_invoked()->set_request_id(request_id);
  *message.mutable_invoked()->mutable_data() = std::move(data);
  Send(std::move(message));
}

void RawPlugin::AnswerText(const std::string& request_id, const std::string& json) {
  pb::JsonValue data;
  data.set_json(json);
  Answer(request_id, std::move(data));
}

void RawPlugin::Take(pb::BridgeMessage message) {
  absl::MutexLock lock(&mutex_);
  messages_.push_back(std::move(message));
}

void RawPlugin::TakeEnd() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
}

}  // namespace atomemo::integration
