// What a plugin's gRPC library takes in one message: the bridge never sends more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"

namespace atomemo::plugin_service {
namespace {

using router::CallKind;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using Record = fakes::FakePluginPort::Record;

constexpr int kGrpcDefault = 4 << 20;

std::string Text(std::size_t size) {
  return absl::StrCat("{\"text\":\"", std::string(size, 'x'), "\"}");
}

pb::DefinitionViolation Violation(int i) {
  pb::DefinitionViolation violation;
  violation.set_path(absl::StrCat("tools[", i, "].name"));
  violation.set_message("must be something else than this");
  return violation;
}

class ReceiveLimitTest : public CallStreamTest {
 protected:
  ReceiveLimitTest() { channel_receive_bytes_ = kGrpcDefault; }

  // The error of the one call that was answered in the plugin's place.
  fakes::FakePluginPort::RecordedReply Failure() {
    const auto replies = port_.WaitForReplies(1);
    if (replies.size() != 1 || !replies[0].failed()) {
      ADD_FAILURE() << replies.size() << " replies";
      return {"", {}, absl::UnknownError("none")};
    }
    return replies[0];
  }

  std::shared_ptr<router::SessionSink> SessionSink() { return port_.Snapshot().opened[0].second; }
};

TEST_F(ReceiveLimitTest, ACallBeyondGrpcsDefaultFailsAloneAndNamesBothSizes) {
  Start();
  SendCall(Invocation("big", Text(5'000'000)));
  SendCall(Invocation("small"));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "small");
  const auto failure = Failure();
  EXPECT_EQ(failure.request_id(), "big");
  EXPECT_THAT(failure.error().message(), MatchesRegex(".*has 50000[0-9]+ bytes.*takes 4194304 "
                                                      ".OpenSessionRequest.max_receive_bytes.*"));
}

TEST_F(ReceiveLimitTest, ACallOfExactlyTheLimitArrives) {
  Start();
  pb::InvokeCall call;
  *call.mutable_invoke() =
      fakes::SentCall(fakes::ForWorker(Invocation("exact", Text(kGrpcDefault - 1000))))
          .As<pb::Invocation>();
  const std::size_t missing = kGrpcDefault - call.ByteSizeLong();
  SendCall(Invocation("exact", Text(kGrpcDefault - 1000 + missing)));
  EXPECT_EQ(ReadCall().ByteSizeLong(), static_cast<std::size_t>(kGrpcDefault));
  SendCall(Invocation("other", Text(kGrpcDefault - 1000 + missing + 1)));
  EXPECT_EQ(Failure().request_id(), "other");
}

TEST_F(ReceiveLimitTest, APluginThatDeclaresMoreGetsMore) {
  channel_receive_bytes_ = 20 << 20;
  Start(pb::PAYLOAD_ENCODING_JSON, 20 << 20);
  SendCall(Invocation("big", Text(10 << 20)));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "big");
}

TEST_F(ReceiveLimitTest, MinusOneIsAnySize) {
  channel_receive_bytes_ = -1;
  Start(pb::PAYLOAD_ENCODING_JSON, -1);
  SendCall(Invocation("big", Text(20 << 20)));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "big");
}

TEST_F(ReceiveLimitTest, WhatCountsIsTheSizeInTheSessionsEncoding) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::string json = "{\"list\":[0";
  for (int i = 0; i < 500'000; ++i) json += ",0";
  json += "]}";  // 1 MB, but 6 MB as a Struct
  SendCall(Invocation("big", json));
  SendCall(Invocation("small"));
  EXPECT_EQ(ReadCall().invoke().info().request_id(), "small");
  EXPECT_EQ(Failure().request_id(), "big");
}

TEST_F(ReceiveLimitTest, LimitsThatMakeNoSenseAreRefused) {
  StartServer();
  for (const std::int64_t limit : {std::int64_t{1000}, std::int64_t{-2}}) {
    pb::OpenSessionRequest request = OpenRequest();
    request.set_max_receive_bytes(limit);
    const grpc::Status status = TestSession(*stub_, request).Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat("max_receive_bytes is ", limit)));
  }
  EXPECT_TRUE(port_.Snapshot().opened.empty());
}

TEST_F(ReceiveLimitTest, AnAnswerOfTheHubBeyondTheLimitFailsItsCallHubAndNamesTheSizes) {
  port_.on_call_hub = [](absl::string_view) { return Text(5'000'000); };
  Start();
  pb::CallHubRequest request;
  request.set_session_id(session_->id());
  request.set_event("invoke_llm");
  TestContext context;
  pb::CallHubResponse response;
  const grpc::Status status = stub_->CallHub(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("takes 4194304 (OpenSessionRequest."));
}

TEST_F(ReceiveLimitTest, ManyConfirmationsAtOnceDoNotEndTheSession) {
  Start();
  constexpr int kIds = 200'000;
  io_.Run([sink = SessionSink()] {
    pb::SessionEvent event;
    for (int i = 0; i < kIds; ++i) {
      event.mutable_delivered()->add_request_ids(absl::StrCat(std::string(30, '0'), i));
    }
    sink->Send(std::move(event));
  });
  std::set<std::string> ids;
  pb::SessionEvent event;
  while (ids.size() < kIds && session_->Read(event)) {
    ids.insert(event.delivered().request_ids().begin(), event.delivered().request_ids().end());
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kIds));
}

TEST_F(ReceiveLimitTest, AConfirmationThatIsTooLargeIsDroppedAndTheSessionLives) {
  Start();
  io_.Run([sink = SessionSink()] {
    pb::SessionEvent event;
    event.mutable_delivered()->add_request_ids(std::string(5'000'000, 'x'));
    event.mutable_delivered()->add_request_ids("small");
    sink->Send(std::move(event));
  });
  pb::SessionEvent event;
  ASSERT_TRUE(session_->Read(event));
  EXPECT_EQ(event.delivered().request_ids(0), "small");
}

TEST_F(ReceiveLimitTest, LongListsOfViolationsAreCutAndSaySo) {
  constexpr int kViolations = 100'000;
  port_.on_publish = [](auto done) {
    router::Published published;
    for (int i = 0; i < kViolations; ++i) published.warnings.push_back(Violation(i));
    done(std::move(published));
  };
  Start();
  io_.Run([sink = SessionSink()] {
    pb::SessionEvent event;
    event.mutable_hub_state()->set_state(pb::HubState::STATE_REJECTED);
    event.mutable_hub_state()->set_reason(std::string(5'000'000, 'x'));
    for (int i = 0; i < kViolations; ++i) {
      *event.mutable_hub_state()->add_violations() = Violation(i);
    }
    sink->Send(std::move(event));
  });
  pb::SessionEvent event;
  ASSERT_TRUE(session_->Read(event));
  const auto& violations = event.hub_state().violations();
  ASSERT_GT(violations.size(), 1);
  EXPECT_THAT(violations.rbegin()->message(), MatchesRegex("\\.\\.\\. and [0-9]+ more.*"));

  TestContext context;
  pb::PublishRequest request;
  request.set_session_id(session_->id());
  pb::PublishResponse response;
  const grpc::Status status = stub_->Publish(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.warnings().rbegin()->message(), HasSubstr(" more"));
}

TEST_F(ReceiveLimitTest, TheFirstViolationIsToldHoweverLongItIs) {
  Start();
  std::vector<pb::DefinitionViolation> violations(3, Violation(0));
  violations[0].set_message(std::string(1'000'000, 'x'));
  io_.Run([&] { sink_->Reject("r1", violations); });
  const pb::InvokeCall call = ReadCall();
  const auto& told = call.rejected().violations();
  ASSERT_GE(told.size(), 1);
  EXPECT_THAT(told[0].message(), AllOf(StartsWith("xxx"), EndsWith("...")));
  EXPECT_EQ(told[0].path(), Violation(0).path());
}

TEST_F(ReceiveLimitTest, APluginThatTakesLessThanItSaysLosesTheStreamAndTheReasonIsKnown) {
  Start(pb::PAYLOAD_ENCODING_JSON, -1);
  SendCall(Invocation("big", Text(5'000'000)));
  EXPECT_EQ(FinishInvoke().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(WaitForUnsubscribed());
  EXPECT_FALSE(sink_->IsOpen());
  EXPECT_THAT(sink_->WhyClosed(), MatchesRegex(".*after a message of 50000[0-9]+ bytes.*"));
  InvokeStream again(*stub_, &pb::PluginService::Stub::Invoke, session_->id());
  EXPECT_TRUE(port_.WaitUntil(
      [](const Record& record) { return record.streams.at(CallKind::kInvoke).size() == 2; }));
}

}  // namespace
}  // namespace atomemo::plugin_service
