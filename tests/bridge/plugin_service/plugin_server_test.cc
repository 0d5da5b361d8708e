// The server itself: where it listens, whom it believes, and how it stops.
#include "bridge/plugin_service/plugin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "bridge/plugin_service/service_context.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/bridge/plugin_service/unix_address.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;
using Record = fakes::FakePluginPort::Record;

bool CanConnect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const UnixAddress address(path);
  const bool connected = connect(fd, address.get(), UnixAddress::size()) == 0;
  close(fd);
  return connected;
}

class PluginServerTest : public ServiceTest {
 protected:
  std::unique_ptr<pb::PluginService::Stub> TcpStub() const {
    return pb::PluginService::NewStub(grpc::CreateChannel(
        absl::StrCat("127.0.0.1:", server_->tcp_port()), grpc::InsecureChannelCredentials()));
  }

  grpc::Status Publish(pb::PluginService::Stub& stub, const std::string& session_id) {
    TestContext context;
    pb::PublishRequest request;
    request.set_session_id(session_id);
    pb::PublishResponse response;
    return stub.Publish(&context, request, &response);
  }
};

TEST_F(PluginServerTest, NeedsSomewhereToListen) {
  options_.socket.path = "";
  PluginServer server(options_, port_, status_, io_.scheduler());
  EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PluginServerTest, ASecondBridgeOnTheSocketIsRefused) {
  StartServer();
  PluginServer second(options_, port_, status_, io_.scheduler());
  EXPECT_EQ(second.Start().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(CanConnect(options_.socket.path));
}

TEST_F(PluginServerTest, ADeletedSocketIsMadeAgainAndSessionsStay) {
  options_.socket_check_interval = absl::Milliseconds(10);
  StartServer();
  const auto session = OpenSession();
  ASSERT_EQ(unlink(options_.socket.path.c_str()), 0);
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!CanConnect(options_.socket.path) && absl::Now() < give_up) std::this_thread::yield();
  const auto stub = NewStub();
  EXPECT_EQ(TestSession(*stub, OpenRequest()).id(), "session-2");
  EXPECT_TRUE(Publish(*stub_, session->id()).ok());
}

TEST_F(PluginServerTest, TheSocketIsRemovedOnShutdown) {
  StartServer();
  server_->Shutdown(absl::Seconds(5));
  EXPECT_FALSE(CanConnect(options_.socket.path));
  struct stat info = {};
  EXPECT_NE(stat(options_.socket.path.c_str(), &info), 0);
}

TEST_F(PluginServerTest, TcpIsServedWhenAskedForAndHasNoIdentity) {
  options_.tcp_address = "127.0.0.1:0";
  StartServer();
  ASSERT_GT(server_->tcp_port(), 0);
  const auto stub = TcpStub();
  TestSession session(*stub, OpenRequest());
  EXPECT_EQ(session.id(), "session-1");
  EXPECT_EQ(port_.Snapshot().opened[0].first.peer_uid, std::nullopt);
  EXPECT_TRUE(Publish(*stub, session.id()).ok());
}

TEST_F(PluginServerTest, ASessionBelongsToThePeerThatOpenedIt) {
  options_.tcp_address = "127.0.0.1:0";
  StartServer();
  const auto session = OpenSession();
  EXPECT_TRUE(Publish(*NewStub(), session->id()).ok());
  EXPECT_EQ(Publish(*TcpStub(), session->id()).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST(SessionTableTest, AnotherUserCannotUseASession) {
  SessionTable table;
  table.Add("s", {PeerIdentity{1000, 1}, pb::PAYLOAD_ENCODING_JSON});
  EXPECT_TRUE(table.Find("s", PeerIdentity{1000, 2}).ok());
  EXPECT_EQ(table.Find("s", PeerIdentity{1001, 1}).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(table.Find("s", std::nullopt).ok());
  table.Remove("s");
  EXPECT_FALSE(table.Find("s", PeerIdentity{1000, 1}).ok());
}

TEST(PeerTableTest, KnowsThePeersOfDescriptorsOnly) {
  PeerTable table;
  table.Remember(70, {1000, 1});
  table.Remember(70, {1001, 2});
  EXPECT_EQ(table.Find("fd:70")->uid, 1001u);
  EXPECT_FALSE(table.Find("fd:71"));
  EXPECT_FALSE(table.Find("ipv4:127.0.0.1:70"));
}

TEST_F(PluginServerTest, AnAddressInUseIsToldOf) {
  options_.tcp_address = "127.0.0.1:0";
  StartServer();
  PluginServerOptions options;
  options.tcp_address = absl::StrCat("127.0.0.1:", server_->tcp_port());
  PluginServer second(options, port_, status_, io_.scheduler());
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.tcp_address));
}

TEST_F(PluginServerTest, ACertificateThatCannotBeReadIsToldOf) {
  options_.tcp_address = "127.0.0.1:0";
  options_.tls_cert_file = folder_ / "missing.pem";
  options_.tls_key_file = folder_ / "missing.key";
  PluginServer server(options_, port_, status_, io_.scheduler());
  const absl::Status status = server.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("missing.pem"));
}

TEST_F(PluginServerTest, ARequestBeyondTheLimitIsRefusedWithTheLimit) {
  options_.max_message_bytes = 2000;
  StartServer();
  const auto session = OpenSession();
  TestContext context;
  pb::CallHubRequest request;
  request.set_session_id(session->id());
  request.set_event("e");
  request.mutable_data()->set_json(absl::StrCat("{\"a\":\"", std::string(3000, 'x'), "\"}"));
  pb::CallHubResponse response;
  const grpc::Status status = stub_->CallHub(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("2000 (--max-message-bytes)"));
  EXPECT_TRUE(Publish(*stub_, session->id()).ok());
}

TEST_F(PluginServerTest, ManySessionsAtOnce) {
  StartServer();
  constexpr int kPlugins = 16;
  std::vector<std::thread> plugins;
  plugins.reserve(kPlugins);
  for (int i = 0; i < kPlugins; ++i) {
    plugins.emplace_back([this] {
      const auto stub = NewStub();
      for (int round = 0; round < 10; ++round) {
        TestSession session(*stub, OpenRequest());
        EXPECT_TRUE(Publish(*stub, session.id()).ok());
      }
    });
  }
  for (std::thread& plugin : plugins) plugin.join();
  EXPECT_TRUE(port_.WaitUntil([](const Record& record) { return record.closed.size() == 160; }));
}

TEST_F(PluginServerTest, ShutdownEndsCallsThatTheRouterNeverAnswered) {
  StartServer();
  const auto session = OpenSession();
  port_.on_publish = [](auto) {};
  grpc::Status status;
  std::thread publisher([&] { status = Publish(*stub_, session->id()); });
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return !record.published.empty(); }));
  server_->Shutdown(absl::Seconds(5));
  publisher.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace atomemo::plugin_service
