// Two real users on one socket: the kernel tells the bridge who is who.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

using ::testing::HasSubstr;
namespace pb = ::atomemo::plugin::v1;

// Any that is not root.
constexpr char kOtherId[] = "65534";

using UsersTest = BridgeFixture;

TEST_F(UsersTest, AnotherUsersProcessCanNeitherTakeANameNorUseASession) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can start a process as another user";
  // The other user may come as far as the socket.
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  options_.plugin_server.socket.path = folder_.path() + "/plugins/bridge.sock";
  options_.plugin_server.socket.group = kOtherId;
  StartHub();
  StartBridge();

  const std::string socket = options_.plugin_server.socket.path;
  const auto stub = pb::PluginService::NewStub(
      grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  pb::OpenSessionRequest request;
  request.mutable_plugin()->set_name("guarded");
  (*request.mutable_plugin()->mutable_display_name())["en_US"] = "Guarded";
  (*request.mutable_plugin()->mutable_description())["en_US"] = "Guarded";
  request.mutable_plugin()->set_icon("G");
  const auto session = stub->OpenSession(&context, request);
  pb::SessionEvent event;
  ASSERT_TRUE(session->Read(&event));

  const std::string report = folder_.path() + "/report";
  auto other = ChildProcess::Start(
      {ATOMEMO_OTHER_USER, socket, kOtherId, "guarded", event.opened().session_id()}, report);
  ASSERT_TRUE(other.ok()) << other.status();
  std::string text;
  ASSERT_TRUE(WaitUntil([&] {
    std::ifstream file(report);
    text.assign(std::istreambuf_iterator<char>(file), {});
    return text.find("open-own-name") != std::string::npos && text.back() == '\n';
  })) << text;
  EXPECT_THAT(text, HasSubstr(absl::StrCat("open-taken-name ", grpc::PERMISSION_DENIED)));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("publish ", grpc::UNAUTHENTICATED)));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("open-own-name ", grpc::OK)));
  context.TryCancel();
}

}  // namespace
}  // namespace atomemo::integration
