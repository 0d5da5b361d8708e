// What operators and their probes are told.
#include "bridge/plugin_service/rpcs.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "atomemo/admin/v1/admin_service.grpc.pb.h"
#include "bridge/cli/probe.h"
#include "tests/bridge/plugin_service/service_fixture.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kServing = 1;
constexpr std::uint32_t kNotServing = 2;
constexpr std::uint32_t kServiceUnknown = 3;

admin::v1::GetStatusResponse MakeStatus(bool ready, bool draining,
                                        const std::vector<std::pair<std::string, bool>>& plugins) {
  admin::v1::GetStatusResponse status;
  status.set_ready(ready);
  status.set_draining(draining);
  for (const auto& [name, plugin_ready] : plugins) {
    admin::v1::PluginStatus& plugin = *status.add_plugins();
    plugin.set_name(name);
    plugin.set_ready(plugin_ready);
  }
  return status;
}

class HealthTest : public ServiceTest {
 protected:
  absl::Status Probe(const std::string& service) const {
    return cli::ProbeHealth(options_.socket.path, service, absl::Seconds(20));
  }
};

TEST_F(HealthTest, TheWholeIsServingWhenItIsReady) {
  StartServer();
  EXPECT_TRUE(Probe("").ok());
  status_.Set(MakeStatus(false, false, {{"weather", false}}));
  EXPECT_EQ(Probe("").code(), absl::StatusCode::kUnavailable);
}

TEST_F(HealthTest, EachPluginHasAHealthOfItsOwn) {
  status_.Set(MakeStatus(false, false, {{"weather", true}, {"greeter", false}}));
  StartServer();
  EXPECT_TRUE(Probe("plugin/weather").ok());
  EXPECT_EQ(Probe("plugin/greeter").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Probe("plugin/other").code(), absl::StatusCode::kNotFound);
}

TEST_F(HealthTest, APluginWithOneReleaseThatIsNotReadyIsNotReady) {
  status_.Set(MakeStatus(false, false, {{"weather", true}, {"weather", false}}));
  StartServer();
  EXPECT_FALSE(Probe("plugin/weather").ok());
}

TEST_F(HealthTest, PluginsMayConnectUnlessTheBridgeDrains) {
  status_.Set(MakeStatus(false, false, {{"weather", false}}));
  StartServer();
  EXPECT_TRUE(Probe("atomemo.plugin.v1.PluginService").ok());
  status_.Set(MakeStatus(false, true, {}));
  // What took long to work out is valid for a moment, and on a busy machine anything may.
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (Probe("atomemo.plugin.v1.PluginService").ok() && absl::Now() < patience) continue;
  EXPECT_FALSE(Probe("atomemo.plugin.v1.PluginService").ok());
}

TEST_F(HealthTest, TheProcessIsAliveWhetherReadyOrNot) {
  status_.Set(MakeStatus(false, true, {}));
  StartServer();
  EXPECT_TRUE(Probe("liveness").ok());
}

TEST_F(HealthTest, ABridgeWhoseEventLoopStandsStillIsNotAlive) {
  StartServer();
  absl::Notification blocked, release;
  io_.scheduler().Post([&] {
    blocked.Notify();
    release.WaitForNotification();
  });
  blocked.WaitForNotification();
  const absl::Status alive =
      cli::ProbeHealth(options_.socket.path, kLivenessService, absl::Milliseconds(300));
  release.Notify();
  io_.Run([] {});  // until the task above has returned
  EXPECT_EQ(alive.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(alive.message()), HasSubstr("does not answer in time"));
}

TEST_F(HealthTest, NoBridgeIsNotServingAndTheErrorSaysWhatToDo) {
  const absl::Status status = Probe("");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--socket"));
}

TEST_F(HealthTest, AWatchTellsEveryChangeAndStaysOpen) {
  StartServer();
  grpc::GenericStub stub(NewChannel());
  grpc::CompletionQueue queue;
  TestContext context;
  const auto call = stub.PrepareCall(&context, kHealthWatchMethod, &queue);
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  call->StartCall(nullptr);
  ASSERT_TRUE(next());
  google::protobuf::StringValue request;
  request.set_value("plugin/weather");
  const grpc::Slice slice(request.SerializeAsString());
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  ASSERT_TRUE(next());
  const auto read = [&] {
    grpc::ByteBuffer bytes;
    call->Read(&bytes, nullptr);
    grpc::Slice message;
    google::protobuf::UInt32Value value;
    if (next() && bytes.DumpToSingleSlice(&message).ok()) {
      value.ParseFromArray(message.begin(), static_cast<int>(message.size()));
    }
    return value.value();
  };
  EXPECT_EQ(read(), kServiceUnknown);
  status_.Set(MakeStatus(true, false, {{"weather", true}}));
  EXPECT_EQ(read(), kServing);
  status_.Set(MakeStatus(false, false, {{"weather", false}}));
  EXPECT_EQ(read(), kNotServing);
  context.TryCancel();
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
}

TEST_F(HealthTest, TheStatusIsToldToTheBridgesOwnUser) {
  admin::v1::GetStatusResponse status = MakeStatus(false, false, {{"weather", false}});
  status.set_reason("weather: no worker is connected");
  status_.Set(status);
  StartServer();
  const absl::StatusOr<admin::v1::GetStatusResponse> told =
      cli::FetchStatus(options_.socket.path, absl::Seconds(20));
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->reason(), "weather: no worker is connected");
  EXPECT_EQ(told->bridge_version(), "1.2.3");
}

TEST_F(HealthTest, TheStatusIsNotToldOverTcp) {
  options_.tcp_address = "127.0.0.1:0";
  StartServer();
  const auto stub = admin::v1::AdminService::NewStub(grpc::CreateChannel(
      absl::StrCat("127.0.0.1:", server_->tcp_port()), grpc::InsecureChannelCredentials()));
  TestContext context;
  admin::v1::GetStatusResponse response;
  EXPECT_EQ(stub->GetStatus(&context, {}, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace atomemo::plugin_service
