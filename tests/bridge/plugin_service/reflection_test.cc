// What tools such as grpcurl find out about the server.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/bridge/plugin_service/service_fixture.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ReflectionTest : public ServiceTest {
 protected:
  // The response to one request, in wire form: the messages' generated code is not installed.
  std::string Ask(const std::string& request) {
    grpc::GenericStub stub(NewChannel());
    grpc::CompletionQueue queue;
    TestContext context;
    grpc::Slice slice(request);
    // A stream that carries one message each way looks like a unary call.
    const auto call = stub.PrepareUnaryCall(
        &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    queue.Next(&tag, &ok);
    EXPECT_TRUE(status.ok()) << status.error_message();
    grpc::Slice bytes;
    if (!response.DumpToSingleSlice(&bytes).ok()) return "";
    return std::string(bytes.begin(), bytes.end());
  }

  // A request with one string field of this number.
  static std::string Request(int field, const std::string& value) {
    constexpr int kLengthDelimited = 2;
    return std::string{static_cast<char>(field << 3 | kLengthDelimited),
                       static_cast<char>(value.size())} +
           value;
  }
};

TEST_F(ReflectionTest, TheServiceIsListed) {
  StartServer();
  constexpr int kListServices = 7;
  EXPECT_THAT(Ask(Request(kListServices, "")), HasSubstr("atomemo.plugin.v1.PluginService"));
}

TEST_F(ReflectionTest, TheServiceIsDescribed) {
  StartServer();
  constexpr int kFileContainingSymbol = 4;
  EXPECT_THAT(Ask(Request(kFileContainingSymbol, "atomemo.plugin.v1.PluginService")),
              AllOf(HasSubstr("OpenSession"), HasSubstr("DrainSession")));
}

}  // namespace
}  // namespace atomemo::plugin_service
