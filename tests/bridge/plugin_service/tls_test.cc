// Plugins over TCP with TLS, with a certificate authority of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/bridge/hub/test_certificates.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/fakes/calls.h"

namespace atomemo::plugin_service {
namespace {

class TlsTest : public ServiceTest {
 protected:
  TlsTest() {
    options_.tcp_address = "localhost:0";
    options_.tls_cert_file = Write("server.pem", certificates_.server);
    options_.tls_key_file = Write("server.key", certificates_.server_key);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  // A plugin that trusts this authority.
  std::unique_ptr<pb::PluginService::Stub> StubThatTrusts(const std::string& ca) const {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = ca;
    return StubWith(grpc::SslCredentials(ssl));
  }
  std::unique_ptr<pb::PluginService::Stub> StubWith(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;
    // The name in the certificate; the address itself leaves the name resolver out of the test.
    arguments.SetSslTargetNameOverride("localhost");
    return pb::PluginService::NewStub(grpc::CreateCustomChannel(
        absl::StrCat("ipv4:127.0.0.1:", server_->tcp_port()), credentials, arguments));
  }

  static grpc::Status OpenStatus(pb::PluginService::Stub& stub) {
    TestSession session(stub, OpenRequest());
    return session.Finish();
  }

  const hub::TestCertificates certificates_ = hub::MakeTestCertificates();
};

TEST_F(TlsTest, APluginThatTrustsTheAuthorityIsServed) {
  StartServer();
  const auto stub = StubThatTrusts(certificates_.ca);
  TestSession session(*stub, OpenRequest());
  EXPECT_EQ(session.id(), "session-1");

  TestContext context;
  const auto calls = stub->Invoke(&context);
  pb::InvokeReply reply;
  reply.mutable_subscribe()->set_session_id(session.id());
  calls->Write(reply);
  const auto sink = port_.WaitForStream(router::CallKind::kInvoke);
  ASSERT_NE(sink, nullptr);
  pb::Invocation invocation;
  invocation.mutable_info()->set_request_id("r1");
  io_.Run([&] { sink->Send(fakes::ForWorker(fakes::CallOf(invocation))); });
  pb::InvokeCall call;
  ASSERT_TRUE(calls->Read(&call));
  reply.mutable_result()->set_request_id(call.invoke().info().request_id());
  calls->Write(reply);
  EXPECT_EQ(port_.WaitForReplies(1).size(), 1u);
  context.TryCancel();
}

TEST_F(TlsTest, APluginThatTrustsAnotherAuthorityDoesNotConnect) {
  StartServer();
  const auto stub = StubThatTrusts(hub::MakeTestCertificates().ca);
  EXPECT_EQ(OpenStatus(*stub).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(port_.Snapshot().opened.empty());
}

TEST_F(TlsTest, APluginWithoutTlsIsNotServed) {
  StartServer();
  const auto stub = StubWith(grpc::InsecureChannelCredentials());
  EXPECT_EQ(OpenStatus(*stub).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(port_.Snapshot().opened.empty());
}

TEST_F(TlsTest, ACertificateThatIsNoneIsToldOf) {
  options_.tls_cert_file = Write("broken.pem", "no certificate");
  PluginServer server(options_, port_, status_, io_.scheduler());
  EXPECT_FALSE(server.Start().ok());
}

}  // namespace
}  // namespace atomemo::plugin_service
