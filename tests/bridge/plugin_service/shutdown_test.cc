// Whatever meets the server's shutdown ends as UNAVAILABLE: "try again", not "you wanted it so".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"
#include "tests/bridge/plugin_service/raw_stream.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using Record = fakes::FakePluginPort::Record;
using Codes = std::set<grpc::StatusCode>;

constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

std::string PluginMethod(const std::string& name) {
  return absl::StrCat("/atomemo.plugin.v1.PluginService/", name);
}

// Every method that the server has, with a request that it takes.
std::map<std::string, std::string> EveryMethod(const std::string& session_id) {
  std::map<std::string, std::string> methods;
  pb::OpenSessionRequest open;
  open.set_definition_json(kPluginJson);
  methods[PluginMethod("OpenSession")] = open.SerializeAsString();
  pb::RegisterToolRequest tool;
  tool.set_session_id(session_id);
  tool.set_definition_json(kToolJson);
  methods[PluginMethod("RegisterTool")] = tool.SerializeAsString();
  pb::RegisterCredentialRequest credential;
  credential.set_session_id(session_id);
  credential.set_definition_json(kCredentialJson);
  methods[PluginMethod("RegisterCredential")] = credential.SerializeAsString();
  pb::RegisterModelRequest model;
  model.set_session_id(session_id);
  model.set_definition_json(kModelJson);
  methods[PluginMethod("RegisterModel")] = model.SerializeAsString();
  pb::PublishRequest publish;
  publish.set_session_id(session_id);
  methods[PluginMethod("Publish")] = publish.SerializeAsString();
  methods[PluginMethod("DrainSession")] = publish.SerializeAsString();
  pb::InvokeReply subscribe;
  subscribe.mutable_subscribe()->set_session_id(session_id);
  for (std::size_t i = 0; i < router::kCallKindCount; ++i) {
    const auto kind = static_cast<CallKind>(i);
    methods[PluginMethod(std::string(router::CallKindName(kind)))] = subscribe.SerializeAsString();
  }
  pb::CallHubRequest call;
  call.set_session_id(session_id);
  call.set_event("e");
  methods[PluginMethod("CallHub")] = call.SerializeAsString();
  pb::DownloadFileRequest download;
  download.set_session_id(session_id);
  download.set_res_key("key");
  methods[PluginMethod("DownloadFile")] = download.SerializeAsString();
  pb::UploadFileRequest upload;
  upload.mutable_header()->set_session_id(session_id);
  upload.mutable_header()->set_size(10);
  methods[PluginMethod("UploadFile")] = upload.SerializeAsString();
  methods["/atomemo.admin.v1.AdminService/GetStatus"] = "";
  methods["/grpc.health.v1.Health/Check"] = "";
  methods["/grpc.health.v1.Health/Watch"] = "";
  methods[kReflection] = "";
  return methods;
}

class ShutdownTest : public CallStreamTest {};

TEST_F(ShutdownTest, EveryRpcThatIsOpenEndsAsUnavailableWithAReason) {
  Start();
  const BlockedIo blocked(io_);
  std::map<std::string, std::unique_ptr<RawStream>> open;
  for (const auto& [method, request] : EveryMethod(session_->id())) {
    open[method] = std::make_unique<RawStream>(NewChannel(), method);
    ASSERT_TRUE(open[method]->Write(request)) << method;
  }
  server_->Shutdown(absl::Seconds(5));
  for (const auto& [method, stream] : open) {
    while (stream->Read()) {
    }
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE)
        << method << ": " << status.error_message();
    // Reflection is gRPC's own, and cut off.
    const char* const reason = method == kReflection ? "" : "shutting down";
    EXPECT_THAT(status.error_message(), HasSubstr(reason)) << method;
  }
}

TEST_F(ShutdownTest, ReflectionThatWasAnsweredEndsAsUnavailable) {
  Start();
  RawStream stream(NewChannel(), kReflection);
  ASSERT_TRUE(stream.Write(std::string("\x3a\x00", 2)));  // list_services: ""
  ASSERT_TRUE(stream.Read());
  server_->Shutdown(absl::Seconds(5));
  EXPECT_FALSE(stream.Read());
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

// As the router does.
TEST_F(ShutdownTest, TheEndOfTheSessionIsNotTheEndOfItsStreams) {
  Start();
  port_.on_close = [this](const Record& record, const std::string& session_id) {
    for (const auto& [kind, streams] : record.streams) {
      for (const auto& stream : streams) {
        if (stream.session_id != session_id) continue;
        stream.sink->Finish(absl::CancelledError("the session has ended"));
      }
    }
  };
  constexpr int kSessions = 50;
  std::vector<std::unique_ptr<TestSession>> sessions;
  std::vector<std::unique_ptr<InvokeStream>> streams;
  for (int i = 0; i < kSessions; ++i) {
    sessions.push_back(OpenSession());
    streams.push_back(std::make_unique<InvokeStream>(*stub_, &pb::PluginService::Stub::Invoke,
                                                     sessions.back()->id()));
  }
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) {
    return record.streams.at(CallKind::kInvoke).size() == kSessions + 1;
  }));
  server_->Shutdown(absl::Seconds(5));
  for (const auto& stream : streams) {
    EXPECT_EQ(stream->stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(ShutdownTest, RpcsThatComeInTheMiddleOfItAreUnavailable) {
  StartServer();
  std::atomic<bool> over{false};
  absl::Mutex mutex;
  Codes codes;
  std::atomic<int> calls{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      const auto stub = NewStub();
      while (!over) {
        TestContext context;
        pb::PublishRequest request;
        request.set_session_id("nobody");
        pb::PublishResponse response;
        const grpc::Status status = stub->Publish(&context, request, &response);
        ++calls;
        absl::MutexLock lock(&mutex);
        codes.insert(status.error_code());
      }
    });
  }
  while (calls < 100) std::this_thread::yield();
  server_->Shutdown(absl::Seconds(5));
  over = true;
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(codes,
              IsSubsetOf({grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE}));
}

TEST_F(ShutdownTest, APluginThatDoesNotReadIsNotWaitedForAndIsToldTheSame) {
  Start();
  const std::string big = absl::StrCat("{\"a\":\"", std::string(1 << 20, 'x'), "\"}");
  for (int i = 0; i < 20; ++i) SendCall(Invocation(std::to_string(i), big));
  server_->Shutdown(absl::Milliseconds(100));
  const grpc::Status status = FinishInvoke();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

TEST_F(ShutdownTest, SessionsAndStreamsEndOnceEach) {
  Start();
  server_->Shutdown(absl::Seconds(5));
  EXPECT_EQ(FinishInvoke().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(session_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  io_.Run([] {});
  EXPECT_EQ(port_.Snapshot().unsubscribed.size(), 1u);
  EXPECT_THAT(port_.Snapshot().closed, ::testing::ElementsAre(session_->id()));
}

}  // namespace
}  // namespace atomemo::plugin_service
