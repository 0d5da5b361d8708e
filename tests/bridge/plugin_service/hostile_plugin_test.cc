// Plugins that do what they should not: it costs one call, or their own stream, and nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"
#include "tests/bridge/plugin_service/raw_stream.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using ::testing::HasSubstr;
using Record = fakes::FakePluginPort::Record;

constexpr char kInvoke[] = "/atomemo.plugin.v1.PluginService/Invoke";
constexpr char kListResources[] = "/atomemo.plugin.v1.PluginService/ListResources";

pb::InvokeReply Subscribe(const std::string& session_id) {
  pb::InvokeReply subscribe;
  subscribe.mutable_subscribe()->set_session_id(session_id);
  return subscribe;
}

pb::InvokeCall CallOn(RawStream& stream) {
  pb::InvokeCall call;
  EXPECT_TRUE(call.ParseFromString(stream.Read().value_or("")));
  return call;
}

// A result with a string that is not UTF-8, which no protobuf reader accepts.
std::string BrokenResult(const std::string& request_id) {
  pb::InvokeReply reply;
  reply.mutable_result()->set_request_id(request_id);
  reply.mutable_result()->mutable_data()->mutable_value()->set_string_value("##");
  std::string bytes = reply.SerializeAsString();
  bytes.replace(bytes.find("##"), 2, "\xff\xfe");
  return bytes;
}

class HostilePluginTest : public CallStreamTest {
 protected:
  // A further session with an Invoke stream.
  std::unique_ptr<RawStream> Subscribed() {
    sessions_.push_back(OpenSession());
    auto stream = std::make_unique<RawStream>(NewChannel(), kInvoke);
    EXPECT_TRUE(stream->Write(Subscribe(sessions_.back()->id()).SerializeAsString()));
    hostile_sink_ = port_.WaitUntil([this](const Record& record) {
      const auto& streams = record.streams.at(CallKind::kInvoke);
      return streams.back().session_id == sessions_.back()->id();
    })
                        ? port_.Snapshot().streams.at(CallKind::kInvoke).back().sink
                        : nullptr;
    EXPECT_NE(hostile_sink_, nullptr);
    return stream;
  }

  // The stream of the fixture goes on as if nothing were.
  void ExpectOthersAreServed() {
    SendCall(Invocation("other"));
    EXPECT_EQ(ReadCall().invoke().info().request_id(), "other");
  }

  std::vector<std::unique_ptr<TestSession>> sessions_;
  std::shared_ptr<router::CallSink> hostile_sink_;
};

TEST_F(HostilePluginTest, AnAnswerThatIsNoMessageFailsItsCallAlone) {
  Start();
  const auto stream = Subscribed();
  ASSERT_TRUE(stream->Write(BrokenResult("broken")));
  ASSERT_TRUE(stream->Write(Result("good").SerializeAsString()));
  const auto replies = port_.WaitForReplies(2);
  ASSERT_EQ(replies.size(), 2u);
  const auto& failure = replies[0];
  EXPECT_EQ(failure.request_id(), "broken");
  EXPECT_EQ(failure.error().code(), "sdk:invalid_return");
  EXPECT_THAT(failure.error().message(), HasSubstr("not a valid atomemo.plugin.v1.InvokeReply"));
  EXPECT_EQ(replies[1].request_id(), "good");
  EXPECT_EQ(CallOn(*stream).rejected().request_id(), "broken");
}

TEST_F(HostilePluginTest, MessagesThatNobodyUnderstandsAreRejectedAndTheStreamGoesOn) {
  Start();
  const auto stream = Subscribed();
  const std::string id_that_is_no_text = "\x12\x04\x0a\x02\xff\xff";
  const std::string cut_off =
      Result("cut", "\"much longer than that\"").SerializeAsString().substr(0, 9);
  const std::vector<std::string> messages = {"\xff\xff\xff\xff garbage", "", id_that_is_no_text,
                                             Subscribe(sessions_.back()->id()).SerializeAsString()};
  for (const std::string& message : messages) ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(stream->Write(cut_off));
  ASSERT_TRUE(stream->Write(Result("good").SerializeAsString()));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const pb::Rejected rejected = CallOn(*stream).rejected();
    EXPECT_EQ(rejected.request_id(), "");
    EXPECT_FALSE(rejected.violations(0).message().empty());
  }
  EXPECT_EQ(CallOn(*stream).rejected().request_id(), "cut");
  const auto replies = port_.WaitForReplies(2);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].request_id(), "cut");
  EXPECT_EQ(replies[1].request_id(), "good");
}

TEST_F(HostilePluginTest, WhatComesBeforeSubscribeEndsThatStreamOnly) {
  Start();
  for (const std::string& first : {std::string("\xff garbage"), std::string(),
                                   Result("early").SerializeAsString(), BrokenResult("early")}) {
    RawStream stream(NewChannel(), kListResources);
    stream.Write(first);
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_TRUE(port_.Snapshot().replies.empty());
  ExpectOthersAreServed();
}

TEST_F(HostilePluginTest, AFloodOfGarbageByAPluginThatReadsNothingEndsItsStream) {
  options_.max_stream_messages = 100;
  Start();
  const auto stream = Subscribed();
  const std::string garbage(1000, '\xff');
  while (stream->Write(garbage)) {
  }
  while (stream->Read()) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(WaitForUnsubscribed());
  ExpectOthersAreServed();
}

TEST_F(HostilePluginTest, APluginThatNeverReadsItsSessionsEventsLosesTheSession) {
  options_.max_stream_messages = 10;
  Start();
  const auto never_read = OpenSession();
  io_.Run([sink = port_.Snapshot().opened.back().second] {
    for (int i = 0; i < 10'000; ++i) {
      pb::SessionEvent event;
      event.mutable_hub_state()->set_reason(std::string(10'000, 'x'));
      sink->Send(std::move(event));
    }
  });
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return !record.closed.empty(); }));
  EXPECT_EQ(port_.Snapshot().closed[0], never_read->id());
  ExpectOthersAreServed();
}

TEST_F(HostilePluginTest, ThousandsOfStreamsThatSayNothingHarmNobody) {
  Start();
  std::vector<std::unique_ptr<RawStream>> idle;
  std::vector<std::shared_ptr<grpc::Channel>> channels = {NewChannel(), NewChannel()};
  for (int i = 0; i < 2000; ++i) {
    idle.push_back(std::make_unique<RawStream>(channels[static_cast<std::size_t>(i) % 2], kInvoke));
  }
  ExpectOthersAreServed();
}

}  // namespace
}  // namespace atomemo::plugin_service
