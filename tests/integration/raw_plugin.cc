#include "tests/integration/raw_plugin.h"

#include <chrono>
#include <utility>

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

}  // namespace

RawPlugin::RawPlugin(const std::string& socket, pb::PayloadEncoding encoding)
    : stub_(pb::PluginService::NewStub([&socket] {
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(-1);
        return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(),
                                         arguments);
      }())) {
  SetDeadline(session_context_);
  SetDeadline(invoke_context_);
  pb::OpenSessionRequest request;
  request.set_definition_json(kDefinition);
  request.set_payload_encoding(encoding);
  session_ = stub_->OpenSession(&session_context_, request);
  pb::SessionEvent event;
  if (session_->Read(&event)) session_id_ = event.opened().session_id();

  invoke_ = stub_->Invoke(&invoke_context_);
  pb::InvokeReply subscribe;
  subscribe.mutable_subscribe()->set_session_id(session_id_);
  invoke_->Write(subscribe);
  published_ = std::async(std::launch::async, [this] { return Publish(); });
}

RawPlugin::~RawPlugin() {
  invoke_context_.TryCancel();
  session_context_.TryCancel();
  if (published_.valid()) published_.wait();
  invoke_->Finish();
  session_->Finish();
}

grpc::Status RawPlugin::Publish() {
  grpc::ClientContext context;
  SetDeadline(context);
  pb::PublishRequest request;
  request.set_session_id(session_id_);
  pb::PublishResponse response;
  return stub_->Publish(&context, request, &response);
}

pb::InvokeCall RawPlugin::Read() {
  pb::InvokeCall call;
  if (!invoke_->Read(&call)) call.Clear();
  return call;
}

void RawPlugin::Answer(const std::string& request_id, pb::JsonValue data) {
  pb::InvokeReply reply;
  reply.mutable_result()->set_request_id(request_id);
  *reply.mutable_result()->mutable_data() = std::move(data);
  invoke_->Write(reply);
}

void RawPlugin::AnswerText(const std::string& request_id, const std::string& json) {
  pb::JsonValue data;
  data.set_json(json);
  Answer(request_id, std::move(data));
}

std::future<RawPlugin::HubOutcome> RawPlugin::CallHub(const std::string& event,
                                                      const std::string& data) {
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

}  // namespace atomemo::integration
