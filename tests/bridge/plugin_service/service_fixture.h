#ifndef ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_SERVICE_FIXTURE_H_
#define ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_SERVICE_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/plugin_service/plugin_server.h"
#include "tests/fakes/fake_plugin_port.h"
#include "tests/fakes/fake_status_port.h"
#include "tests/fakes/io_thread.h"
#include "tests/fakes/temporary_folder.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

inline constexpr char kPluginJson[] =
    R"({"name":"weather","version":"1.0.0","display_name":{"en_US":"Weather"},)"
    R"("description":{"en_US":"Forecasts"},"icon":"W","locales":["en_US"]})";
inline constexpr char kToolJson[] =
    R"({"name":"forecast","display_name":{"en_US":"Forecast"},"description":{"en_US":"F"},)"
    R"("icon":"F","parameters":[]})";

inline constexpr char kCredentialJson[] =
    R"({"name":"api-key","display_name":{"en_US":"K"},"description":{"en_US":"K"},"icon":"K",)"
    R"("parameters":[]})";
inline constexpr char kModelJson[] =
    R"({"name":"model-1","display_name":{"en_US":"M"},"description":{"en_US":"M"},"icon":"M",)"
    R"("model_type":"llm","input_modalities":["text"],"output_modalities":["text"],)"
    R"("unsupported_parameters":[]})";

// A client's context that gives up before the test's own time is over.
class TestContext : public grpc::ClientContext {
 public:
  TestContext() { set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30))); }
};

// A session that a test opened, as a plugin would.
class TestSession {
 public:
  TestSession(pb::PluginService::Stub& stub, const pb::OpenSessionRequest& request)
      : reader_(stub.OpenSession(&context_, request)) {
    pb::SessionEvent event;
    if (reader_->Read(&event)) opened_ = event.opened();
  }
  ~TestSession() { End(); }

  const std::string& id() const { return opened_.session_id(); }
  const pb::SessionOpened& opened() const { return opened_; }
  bool Read(pb::SessionEvent& event) { return reader_->Read(&event); }
  grpc::Status Finish() { return reader_->Finish(); }
  void End() { context_.TryCancel(); }

 private:
  TestContext context_;
  std::unique_ptr<grpc::ClientReader<pb::SessionEvent>> reader_;
  pb::SessionOpened opened_;
};

// While it lives, the io thread does nothing.
class BlockedIo {
 public:
  explicit BlockedIo(fakes::IoThread& io) : io_(io) {
    io_.scheduler().Post([this] { release_.WaitForNotification(); });
  }
  ~BlockedIo() {
    release_.Notify();
    io_.Run([] {});
  }
  BlockedIo(const BlockedIo&) = delete;
  BlockedIo& operator=(const BlockedIo&) = delete;

 private:
  fakes::IoThread& io_;
  absl::Notification release_;
};

// A PluginServer on a real Unix socket before a fake router.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    options_.socket.path = folder_ / "s/bridge.sock";
    options_.bridge_version = "1.2.3";
  }

  ~ServiceTest() override {
    if (server_ != nullptr) server_->Shutdown(absl::Seconds(5));
    server_.reset();
    io_.Stop();
  }

  // Changes to options_ come before this.
  void StartServer() {
    server_ = std::make_unique<PluginServer>(options_, port_, status_, io_.scheduler());
    const absl::Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
    stub_ = NewStub();
  }

  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(channel_receive_bytes_);
    return grpc::CreateCustomChannel("unix:" + options_.socket.path,
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  std::unique_ptr<pb::PluginService::Stub> NewStub() const {
    return pb::PluginService::NewStub(NewChannel());
  }

  static pb::OpenSessionRequest OpenRequest(
      pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_JSON) {
    pb::OpenSessionRequest request;
    request.set_definition_json(kPluginJson);
    request.set_payload_encoding(encoding);
    return request;
  }

  std::unique_ptr<TestSession> OpenSession(
      pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_JSON) {
    return std::make_unique<TestSession>(*stub_, OpenRequest(encoding));
  }

  fakes::TemporaryFolder folder_;
  // What the plugins' gRPC library takes; -1 for anything.
  int channel_receive_bytes_ = -1;
  PluginServerOptions options_;
  fakes::FakePluginPort port_;
  fakes::FakeStatusPort status_;
  fakes::IoThread io_;
  std::unique_ptr<PluginServer> server_;
  std::unique_ptr<pb::PluginService::Stub> stub_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_SERVICE_FIXTURE_H_
