// A plugin with nothing but generated stubs and gRPC's defaults, against the whole bridge.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/raw_plugin.h"

namespace atomemo::integration {
namespace {

namespace pb = ::atomemo::plugin::v1;

constexpr char kName[] = "plain";

class Deadline : public grpc::ClientContext {
 public:
  Deadline() { set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60))); }
};

// One session with the tool "echo-text", which the test answers by hand.
class PlainPlugin {
 public:
  explicit PlainPlugin(const std::string& socket)
      : stub_(pb::PluginService::NewStub(
            grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {
    pb::OpenSessionRequest open;
    open.mutable_plugin()->set_name(kName);
    open.mutable_plugin()->set_icon("P");
    (*open.mutable_plugin()->mutable_display_name())["en_US"] = "Plain";
    (*open.mutable_plugin()->mutable_description())["en_US"] = "Plain";
    open.set_payload_encoding(pb::PAYLOAD_ENCODING_JSON);
    session_ = stub_->OpenSession(&session_context_, open);
    pb::SessionEvent event;
    EXPECT_TRUE(session_->Read(&event));
    id_ = event.opened().session_id();

    pb::RegisterToolRequest tool;
    tool.set_session_id(id_);
    tool.set_definition_json(
        R"({"name":"echo-text","display_name":{"en_US":"E"},"description":{"en_US":"E"},"icon":"E",)"
        R"("parameters":[{"name":"text","type":"string"}]})");
    Deadline context;
    pb::RegisterToolResponse response;
    const grpc::Status status = stub_->RegisterTool(&context, tool, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();

    invoke_ = stub_->Invoke(&invoke_context_);
    pb::InvokeReply subscribe;
    subscribe.mutable_subscribe()->set_session_id(id_);
    EXPECT_TRUE(invoke_->Write(subscribe));
  }
  ~PlainPlugin() {
    session_context_.TryCancel();
    invoke_context_.TryCancel();
  }

  grpc::Status Publish() {
    Deadline context;
    pb::PublishRequest request;
    request.set_session_id(id_);
    pb::PublishResponse response;
    return stub_->Publish(&context, request, &response);
  }

  grpc::Status EndOfStream() {
    pb::InvokeCall call;
    while (invoke_->Read(&call)) {
    }
    return invoke_->Finish();
  }
  grpc::Status EndOfSession() {
    pb::SessionEvent event;
    while (session_->Read(&event)) {
    }
    return session_->Finish();
  }

  pb::PluginService::Stub& stub() { return *stub_; }
  const std::string& id() const { return id_; }

 private:
  const std::unique_ptr<pb::PluginService::Stub> stub_;
  Deadline session_context_;
  std::unique_ptr<grpc::ClientReader<pb::SessionEvent>> session_;
  std::string id_;
  Deadline invoke_context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::InvokeReply, pb::InvokeCall>> invoke_;
};

class PlainClientTest : public BridgeFixture {
 protected:
  void Start() {
    StartHub();
    StartBridge();
    plain_ = std::make_unique<PlainPlugin>(socket());
    ASSERT_TRUE(plain_->Publish().ok());
  }

  std::unique_ptr<PlainPlugin> plain_;
};

TEST_F(PlainClientTest, EveryRpcThatIsOpenWhenTheBridgeStopsIsUnavailable) {
  options_.drain_timeout = absl::Seconds(2);
  Start();
  std::vector<std::pair<std::string, std::future<grpc::Status>>> open;
  const auto start = [&open](const std::string& name, auto rpc) {
    open.emplace_back(name, std::async(std::launch::async, rpc));
  };
  std::promise<void> upload_is_open;
  start("UploadFile", [&] {
    Deadline context;
    pb::UploadFileResponse response;
    const auto writer = plain_->stub().UploadFile(&context, &response);
    pb::UploadFileRequest request;
    request.mutable_header()->set_session_id(plain_->id());
    request.mutable_header()->set_size(10);
    writer->Write(request);
    writer->WaitForInitialMetadata();
    upload_is_open.set_value();
    return writer->Finish();
  });
  upload_is_open.get_future().wait();
  const auto serving = RawPlugin::Start(Front::kServe, socket(), pb::PAYLOAD_ENCODING_JSON);
  ASSERT_TRUE(serving->published().ok());
  StopHub();
  const auto unpublished_serving =
      RawPlugin::Start(Front::kServe, socket(), pb::PAYLOAD_ENCODING_JSON);
  PlainPlugin unpublished(socket());
  start("Publish, which waits for the hub", [&] { return unpublished.Publish(); });
  start("OpenSession", [&] { return plain_->EndOfSession(); });
  start("Invoke", [&] { return plain_->EndOfStream(); });
  start("Serve", [&] { return serving->End(); });
  start("Serve, which waits for the hub", [&] { return unpublished_serving->End(); });
  start("OpenSession without Publish", [&] { return unpublished.EndOfSession(); });
  start("Invoke without Publish", [&] { return unpublished.EndOfStream(); });
  bridge_->Stop().IgnoreError();
  for (auto& [name, status] : open) {
    const grpc::Status end = status.get();
    EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE)
        << name << ": " << end.error_message();
    EXPECT_FALSE(end.error_message().empty()) << name;
  }
}

}  // namespace
}  // namespace atomemo::integration
