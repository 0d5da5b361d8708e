// The five call streams over a real Unix socket.
#include <gmock/gmock.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"
#include "tests/bridge/plugin_service/unix_address.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Record = fakes::FakePluginPort::Record;

TEST_F(CallStreamTest, ACallGoesToThePluginAndItsAnswerBack) {
  Start();
  EXPECT_EQ(port_.Snapshot().streams.at(CallKind::kInvoke)[0].max_in_flight, 7);
  SendCall(Invocation("r1", R"({"city": "Bern"})"));
  const pb::InvokeCall call = ReadCall();
  EXPECT_EQ(call.invoke().info().request_id(), "r1");
  EXPECT_EQ(call.invoke().parameters().json(), R"({"city": "Bern"})");

  invoke_->stream->Write(Result("r1", "[1]"));
  pb::InvokeReply failure;
  failure.mutable_failure()->set_request_id("r2");
  invoke_->stream->Write(failure);
  const auto replies = port_.WaitForReplies(2);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].session_id, session_->id());
  EXPECT_EQ(replies[0].json(), "[1]");
  EXPECT_EQ(replies[1].request_id(), "r2");
}

TEST_F(CallStreamTest, EveryKindHasItsStream) {
  Start();
  using Stub = pb::PluginService::Stub;
  TestStream<pb::AuthenticateReply, pb::AuthenticateCall> authenticate(*stub_, &Stub::Authenticate,
                                                                       session_->id());
  TestStream<pb::AuthorizeOAuth2Reply, pb::AuthorizeOAuth2Call> oauth2(
      *stub_, &Stub::AuthorizeOAuth2, session_->id());
  TestStream<pb::ListResourcesReply, pb::ListResourcesCall> list(*stub_, &Stub::ListResources,
                                                                 session_->id());
  TestStream<pb::MapResourceReply, pb::MapResourceCall> map(*stub_, &Stub::MapResource,
                                                            session_->id());
  const auto send = [this](CallKind kind, const auto& message) {
    const auto sink = port_.WaitForStream(kind);
    ASSERT_NE(sink, nullptr);
    io_.Run([&] { sink->Send(fakes::ForWorker(fakes::CallOf(message))); });
  };
  pb::Authentication authentication;
  authentication.set_credential_name("c1");
  send(CallKind::kAuthenticate, authentication);
  pb::OAuth2Step step;
  step.mutable_get_token()->set_code("x");
  send(CallKind::kAuthorizeOAuth2, step);
  pb::ResourceQuery query;
  query.set_method("m1");
  send(CallKind::kListResources, query);
  pb::MappingQuery mapping;
  mapping.set_method("m2");
  send(CallKind::kMapResource, mapping);

  pb::AuthenticateCall authenticate_call;
  ASSERT_TRUE(authenticate.stream->Read(&authenticate_call));
  EXPECT_EQ(authenticate_call.authenticate().credential_name(), "c1");
  pb::AuthorizeOAuth2Call oauth2_call;
  ASSERT_TRUE(oauth2.stream->Read(&oauth2_call));
  EXPECT_EQ(oauth2_call.step().get_token().code(), "x");
  pb::ListResourcesCall list_call;
  ASSERT_TRUE(list.stream->Read(&list_call));
  EXPECT_EQ(list_call.list().method(), "m1");
  pb::MapResourceCall map_call;
  ASSERT_TRUE(map.stream->Read(&map_call));
  EXPECT_EQ(map_call.map().method(), "m2");
}

TEST_F(CallStreamTest, StructSessionsGetStructs) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  SendCall(Invocation("r1", R"({"city":"Bern"})"));
  EXPECT_EQ(ReadCall().invoke().parameters().fields().fields().at("city").string_value(), "Bern");
}

TEST_F(CallStreamTest, SessionsOfEitherEncodingLiveSideBySide) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  const auto other_stub = NewStub();
  TestSession other(*other_stub, OpenRequest(pb::PAYLOAD_ENCODING_JSON));
  InvokeStream stream(*other_stub, &pb::PluginService::Stub::Invoke, other.id());
  ASSERT_TRUE(port_.WaitUntil(
      [](const Record& record) { return record.streams.at(CallKind::kInvoke).size() == 2; }));
  const auto streams = port_.Snapshot().streams.at(CallKind::kInvoke);
  io_.Run([&] {
    for (const auto& known : streams) {
      known.sink->Send(fakes::ForWorker(Invocation(known.session_id)));
    }
  });
  EXPECT_TRUE(ReadCall().invoke().parameters().has_fields());
  pb::InvokeCall call;
  ASSERT_TRUE(stream.stream->Read(&call));
  EXPECT_EQ(call.invoke().info().request_id(), other.id());
  EXPECT_TRUE(call.invoke().parameters().has_json());
}

TEST_F(CallStreamTest, ACallThatFitsNoStructFailsAlone) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::string deep = "1";
  for (int i = 0; i < 60; ++i) deep = absl::StrCat("{\"a\":", deep, "}");
  SendCall(Invocation("deep", deep));
  SendCall(Invocation("next"));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "next");
  const auto replies = port_.WaitForReplies(1);
  ASSERT_EQ(replies.size(), 1u);
  const auto& failure = replies[0];
  EXPECT_EQ(failure.request_id(), "deep");
  EXPECT_THAT(failure.error().message(), HasSubstr("PAYLOAD_ENCODING_JSON"));
}

TEST_F(CallStreamTest, DrainedReachesThePlugin) {
  Start();
  io_.Run([this] { sink_->Drained(); });
  EXPECT_TRUE(ReadCall().has_drained());
}

TEST_F(CallStreamTest, CancelAndRejectedReachThePlugin) {
  Start();
  io_.Run([this] {
    sink_->Cancel("r1", "timed out");
    pb::DefinitionViolation violation;
    violation.set_path("url");
    sink_->Reject("r2", {violation});
  });
  const pb::InvokeCall cancel = ReadCall();
  EXPECT_EQ(cancel.cancel().request_id(), "r1");
  EXPECT_EQ(cancel.cancel().reason(), "timed out");
  const pb::InvokeCall rejected = ReadCall();
  EXPECT_EQ(rejected.rejected().request_id(), "r2");
  EXPECT_EQ(rejected.rejected().violations(0).path(), "url");
}

TEST_F(CallStreamTest, ThousandsOfCallsAndAnswersKeepTheirOrder) {
  constexpr int kCalls = 5000;
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::thread plugin([this] {
    pb::InvokeCall call;
    for (int i = 0; i < kCalls && invoke_->stream->Read(&call); ++i) {
      EXPECT_EQ(call.invoke().info().request_id(), std::to_string(i));
      invoke_->stream->Write(Result(call.invoke().info().request_id()));
    }
  });
  for (int i = 0; i < kCalls; ++i) SendCall(Invocation(std::to_string(i), R"({"i":1})"));
  plugin.join();
  const auto replies = port_.WaitForReplies(kCalls);
  ASSERT_EQ(replies.size(), static_cast<std::size_t>(kCalls));
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_EQ(replies[static_cast<std::size_t>(i)].request_id(), std::to_string(i));
  }
}

TEST_F(CallStreamTest, AFloodOfAnswersWhileTheIoThreadIsBusyIsNotLost) {
  Start();
  std::promise<void> release;
  io_.scheduler().Post([&] { release.get_future().wait(); });
  const std::string megabyte = absl::StrCat("\"", std::string(1 << 20, 'x'), "\"");
  std::promise<void> begun;
  std::thread plugin([&] {
    for (int i = 0; i < 100; ++i) {
      invoke_->stream->Write(Result(std::to_string(i), megabyte));
      if (i == 0) begun.set_value();
    }
  });
  begun.get_future().wait();
  release.set_value();
  EXPECT_EQ(port_.WaitForReplies(100).size(), 100u);
  plugin.join();
}

TEST_F(CallStreamTest, TheFirstMessageMustSubscribe) {
  Start();
  TestContext context;
  const auto stream = stub_->ListResources(&context);
  pb::ListResourcesReply reply;
  reply.mutable_result()->set_request_id("r");
  stream->Write(reply);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("subscribe"));
}

TEST_F(CallStreamTest, BytesThatAreNoMessageEndTheStreamWithAReason) {
  Start();
  grpc::GenericStub generic(NewChannel());
  grpc::CompletionQueue queue;
  TestContext context;
  const auto stream =
      generic.PrepareCall(&context, "/atomemo.plugin.v1.PluginService/Invoke", &queue);
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
  };
  stream->StartCall(nullptr);
  next();
  grpc::Slice garbage(std::string("\xff\xff\xff\xff garbage"));
  stream->Write(grpc::ByteBuffer(&garbage, 1), nullptr);
  next();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  next();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "the message is not a valid atomemo.plugin.v1.InvokeReply");
  queue.Shutdown();
  next();
}

TEST_F(CallStreamTest, UnknownSessionsAreRefused) {
  Start();
  InvokeStream stream(*stub_, &pb::PluginService::Stub::Invoke, "nobody");
  EXPECT_EQ(stream.stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(CallStreamTest, TheRoutersRefusalEndsTheStreamWithoutUnsubscribing) {
  Start();
  io_.Run([this] { port_.subscribe_status = absl::AlreadyExistsError("open already"); });
  InvokeStream stream(*stub_, &pb::PluginService::Stub::Invoke, session_->id());
  EXPECT_EQ(stream.stream->Finish().error_code(), grpc::StatusCode::ALREADY_EXISTS);
  io_.Run([] {});
  EXPECT_TRUE(port_.Snapshot().unsubscribed.empty());
}

TEST_F(CallStreamTest, HalfClosingEndsTheStreamWithOk) {
  Start();
  invoke_->stream->Write(Result("last"));
  invoke_->stream->WritesDone();
  EXPECT_TRUE(FinishInvoke().ok());
  EXPECT_EQ(port_.WaitForReplies(1).size(), 1u);
  ASSERT_TRUE(WaitForUnsubscribed());
  io_.Run([] {});
  EXPECT_THAT(port_.Snapshot().unsubscribed, ElementsAre(Pair("session-1", CallKind::kInvoke)));
}

TEST_F(CallStreamTest, TheRouterCanEndTheStream) {
  Start();
  io_.Run([this] {
    sink_->Send(fakes::ForWorker(Invocation("last")));
    sink_->Finish(absl::UnavailableError("draining"));
    sink_->Send(fakes::ForWorker(Invocation("too late")));
  });
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "last");
  EXPECT_EQ(FinishInvoke().error_code(), grpc::StatusCode::UNAVAILABLE);
  server_->Shutdown(absl::Seconds(5));
  io_.Run([] {});
  EXPECT_TRUE(port_.Snapshot().unsubscribed.empty());
}

TEST_F(CallStreamTest, ACancelledStreamIsUnsubscribedOnce) {
  Start();
  invoke_->context.TryCancel();
  ASSERT_TRUE(WaitForUnsubscribed());
  SendCall(Invocation("nobody reads this"));
  server_->Shutdown(absl::Seconds(5));
  io_.Run([] {});
  EXPECT_EQ(port_.Snapshot().unsubscribed.size(), 1u);
}

TEST_F(CallStreamTest, AnAnswerThatIsTooLargeFailsItsCallAlone) {
  options_.max_message_bytes = 1000;
  Start();
  invoke_->stream->Write(Result("big", absl::StrCat("\"", std::string(2000, 'x'), "\"")));
  invoke_->stream->Write(Result("small"));
  const auto replies = port_.WaitForReplies(2);
  ASSERT_EQ(replies.size(), 2u);
  const auto& failure = replies[0];
  EXPECT_EQ(failure.request_id(), "big");
  EXPECT_THAT(failure.error().message(), HasSubstr("the limit is 1000 (--max-message-bytes)"));
  EXPECT_EQ(replies[1].request_id(), "small");
  EXPECT_EQ(ReadCall().rejected().request_id(), "big");
}

TEST_F(CallStreamTest, ACallThatIsTooLargeFailsAlone) {
  options_.max_message_bytes = 1000;
  Start(pb::PAYLOAD_ENCODING_JSON, -1);
  SendCall(Invocation("big", absl::StrCat("{\"a\":\"", std::string(2000, 'x'), "\"}")));
  SendCall(Invocation("small"));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "small");
  const auto replies = port_.WaitForReplies(1);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].request_id(), "big");
}

TEST_F(CallStreamTest, AMessageBeyondAllBoundsBreaksItsStreamOnly) {
  options_.max_message_bytes = 1000;
  Start();
  invoke_->stream->Write(Result("huge", absl::StrCat("\"", std::string(10000, 'x'), "\"")));
  EXPECT_EQ(FinishInvoke().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(WaitForUnsubscribed());
  InvokeStream again(*stub_, &pb::PluginService::Stub::Invoke, session_->id());
  EXPECT_TRUE(port_.WaitUntil(
      [](const Record& record) { return record.streams.at(CallKind::kInvoke).size() == 2; }));
}

TEST_F(CallStreamTest, CallsThatASlowPluginDoesNotReadFailWithTheBound) {
  options_.max_stream_messages = 2;
  Start();
  const std::string big = absl::StrCat("{\"a\":\"", std::string(1 << 20, 'x'), "\"}");
  for (int i = 0; i < 20; ++i) SendCall(Invocation(std::to_string(i), big));
  const auto replies = port_.WaitForReplies(1);
  ASSERT_FALSE(replies.empty());
  const pb::PluginError error = replies[0].error();
  EXPECT_EQ(error.code(), "transient:overloaded");
  EXPECT_THAT(error.message(), HasSubstr("2 messages (--max-stream-messages)"));
}

TEST_F(CallStreamTest, CancelsThatASlowPluginDoesNotReadEndTheStream) {
  options_.max_stream_messages = 2;
  Start();
  const std::string big = absl::StrCat("{\"a\":\"", std::string(1 << 20, 'x'), "\"}");
  for (int i = 0; i < 20; ++i) SendCall(Invocation(std::to_string(i), big));
  // The first ones may still find room: a call that waited is just being encoded.
  for (int i = 0; i < 20; ++i) {
    io_.Run([this] { sink_->Cancel("r", "late"); });
  }
  ASSERT_TRUE(WaitForUnsubscribed());
  EXPECT_EQ(FinishInvoke().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// A connection that breaks in the middle, as when the plugin's process is killed.
TEST_F(CallStreamTest, AKilledPluginLosesItsStreamsAndSessionOnce) {
  Start();
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const UnixAddress address(options_.socket.path);
  ASSERT_EQ(connect(fd, address.get(), UnixAddress::size()), 0);
  const int killer = dup(fd);
  const auto stub = pb::PluginService::NewStub(grpc::CreateInsecureChannelFromFd("plugin", fd));
  TestSession session(*stub, OpenRequest());
  InvokeStream stream(*stub, &pb::PluginService::Stub::Invoke, session.id());
  ASSERT_TRUE(port_.WaitUntil(
      [](const Record& record) { return record.streams.at(CallKind::kInvoke).size() == 2; }));

  shutdown(killer, SHUT_RDWR);
  close(killer);
  ASSERT_TRUE(port_.WaitUntil(
      [](const Record& record) { return !record.unsubscribed.empty() && !record.closed.empty(); }));
  SendCall(Invocation("to the living"));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "to the living");
  EXPECT_THAT(port_.Snapshot().unsubscribed, ElementsAre(Pair(session.id(), CallKind::kInvoke)));
  EXPECT_THAT(port_.Snapshot().closed, ElementsAre(session.id()));
}

}  // namespace
}  // namespace atomemo::plugin_service
