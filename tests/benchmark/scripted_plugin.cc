#include "tests/benchmark/scripted_plugin.h"

#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::benchmark {
namespace {

// More than a plugin may have.
constexpr int kMaxInFlight = 10'000;

std::shared_ptr<grpc::Channel> Connect(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

constexpr char kTexts[] =
    R"("display_name":{"en_US":"Work"},"description":{"en_US":"Works"},"icon":"W")";

std::string Tool(const std::string& name) {
  return absl::StrCat(R"({"name":")", name, R"(",)", kTexts, R"(,"parameters":[]})");
}

std::string Definition(const std::string& name, std::size_t bytes) {
  std::string tools;
  for (int i = 0; tools.size() < bytes; ++i) {
    const std::string text(std::min<std::size_t>(bytes - tools.size(), 8000), 'x');
    absl::StrAppend(&tools, i == 0 ? "" : ",", R"({"name":"filler-)", i,
                    R"(","display_name":{"en_US":"F"},"description":{"en_US":")", text,
                    R"("},"icon":"W","parameters":[]})");
  }
  return absl::StrCat(R"({"name":")", name, R"(","version":"1.0.0",)", kTexts,
                      R"(,"locales":["en_US"],"tools":[)", tools, "]}");
}

}  // namespace

ScriptedPlugin::ScriptedPlugin(const std::string& socket, Options options)
    : options_(std::move(options)),
      channel_(Connect(socket)),
      stub_(pb::PluginService::NewStub(channel_)) {
  session_context_.set_wait_for_ready(true);
  pb::OpenSessionRequest open;
  open.set_definition_json(Definition(options_.name, options_.definition_bytes));
  open.set_payload_encoding(options_.encoding);
  open.set_max_receive_bytes(-1);
  open.set_client(options_.client);
  for (int i = 0; i < options_.open_request_ids; ++i) {
    open.add_open_request_ids(absl::StrCat("r", i));
  }
  session_ = stub_->OpenSession(&session_context_, open);
  pb::SessionEvent event;
  if (!session_->Read(&event)) Check("OpenSession", session_->Finish());
  session_id_ = event.opened().session_id();

  pb::RegisterToolRequest tool;
  tool.set_session_id(session_id_);
  tool.set_definition_json(Tool("do-work"));
  tool.mutable_policy()->set_retry_safe(options_.retry_safe);
  grpc::ClientContext tool_context;
  pb::RegisterToolResponse tool_response;
  Check("RegisterTool", stub_->RegisterTool(&tool_context, tool, &tool_response));

  stream_ = stub_->Invoke(&stream_context_);
  pb::InvokeReply subscribe;
  subscribe.mutable_subscribe()->set_session_id(session_id_);
  subscribe.mutable_subscribe()->set_max_in_flight(kMaxInFlight);
  stream_->Write(subscribe);
  reader_ = std::thread([this] { ReadCalls(); });

  pb::PublishRequest publish;
  publish.set_session_id(session_id_);
  grpc::ClientContext publish_context;
  pb::PublishResponse published;
  Check("Publish", stub_->Publish(&publish_context, publish, &published));
}

ScriptedPlugin::~ScriptedPlugin() {
  session_context_.TryCancel();
  stream_context_.TryCancel();
  if (reader_.joinable()) reader_.join();
}

void ScriptedPlugin::Check(const char* what, const grpc::Status& status) const {
  if (status.ok()) return;
  std::fprintf(stderr, "%s of %s: %s\n", what, options_.name.c_str(),
               status.error_message().c_str());
}

void ScriptedPlugin::ReadCalls() {
  pb::InvokeCall call;
  while (stream_->Read(&call)) {
    if (!call.has_invoke()) continue;
    absl::MutexLock lock(&mutex_);
    unanswered_.push_back(call.invoke().info().request_id());
    ++calls_;
  }
}

void ScriptedPlugin::AnswerAll(const std::string& json) {
  std::vector<std::string> ids;
  {
    absl::MutexLock lock(&mutex_);
    ids.swap(unanswered_);
  }
  for (std::string& id : ids) {
    pb::InvokeReply reply;
    reply.mutable_result()->set_request_id(std::move(id));
    reply.mutable_result()->mutable_data()->set_json(json);
    stream_->Write(reply);
  }
}

void ScriptedPlugin::CallHub(const std::string& data) {
  pb::CallHubRequest request;
  request.set_session_id(session_id_);
  request.set_event("anything");
  request.mutable_data()->set_json(data);
  grpc::ClientContext context;
  pb::CallHubResponse response;
  Check("CallHub", stub_->CallHub(&context, request, &response));
}

void ScriptedPlugin::GetStatus() {
  grpc::ClientContext context;
  admin::v1::GetStatusResponse response;
  Check("GetStatus",
        admin::v1::AdminService::NewStub(channel_)->GetStatus(&context, {}, &response));
}

struct HealthWatches::Watch {
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  enum { kStarting, kSending, kReading } step = kStarting;
};

HealthWatches::HealthWatches(const std::string& socket)
    : stub_(std::make_unique<grpc::GenericStub>(Connect(socket))) {
  thread_ = std::thread([this] { Run(); });
}

HealthWatches::~HealthWatches() { Stop(); }

void HealthWatches::Start(int count) {
  for (int i = 0; i < count; ++i) {
    auto watch = std::make_unique<Watch>();
    watch->stream = stub_->PrepareCall(&watch->context, "/grpc.health.v1.Health/Watch", &queue_);
    watch->stream->StartCall(watch.get());
    watches_.push_back(std::move(watch));
  }
}

void HealthWatches::Stop() {
  if (!thread_.joinable()) return;
  for (const auto& watch : watches_) watch->context.TryCancel();
  queue_.Shutdown();
  thread_.join();
}

void HealthWatches::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    auto& watch = *static_cast<Watch*>(tag);
    if (!ok) continue;
    if (watch.step == Watch::kStarting) {
      google::protobuf::StringValue request;
      request.set_value("plugin/plugin-1");
      const grpc::Slice slice(request.SerializeAsString());
      watch.step = Watch::kSending;
      watch.stream->WriteLast(grpc::ByteBuffer(&slice, 1), {}, &watch);
      continue;
    }
    if (watch.step == Watch::kReading) ++answers_;
    watch.step = Watch::kReading;
    watch.stream->Read(&watch.answer, &watch);
  }
}

}  // namespace atomemo::benchmark
