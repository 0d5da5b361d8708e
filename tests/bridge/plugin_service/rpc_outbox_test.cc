#include "bridge/plugin_service/rpc_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/scheduler.h"
#include "bridge/payload/payload.h"
#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace pb = ::atomemo::plugin::v1;

// Writes down what it is told to start.
class FakeTransport : public RpcOutbox::Transport {
 public:
  void StartRead() override { log.push_back("read"); }
  void StartHeaders() override { log.push_back("headers"); }
  void StartWrite(const grpc::ByteBuffer& message) override {
    log.push_back("write " + Id(message));
  }
  void StartWriteAndFinish(const grpc::ByteBuffer& message, const grpc::Status& end) override {
    log.push_back(absl::StrCat("write ", Id(message), " finish ", end.error_code()));
  }
  void StartFinish(const grpc::Status& end) override {
    log.push_back(absl::StrCat("finish ", end.error_code()));
  }
  void Abort(const grpc::Status& end) override {
    log.push_back(absl::StrCat("abort ", end.error_code()));
  }
  void WakeQueueThread() override { log.push_back("wake"); }
  void RunAside(std::function<void()> work) override {
    log.push_back("aside");
    aside.push_back(std::move(work));
  }

  // Does what was to be done aside.
  void DoAside() {
    for (const auto& work : std::exchange(aside, {})) work();
  }

  // Since the last time.
  std::vector<std::string> TakeLog() { return std::exchange(log, {}); }

  std::vector<std::string> log;
  std::vector<std::function<void()>> aside;

 private:
  static std::string Id(const grpc::ByteBuffer& message) {
    grpc::ByteBuffer copy(message);
    pb::Cancel cancel;
    return ParseMessage(copy, cancel).ok() ? cancel.request_id() : "?";
  }
};

class RpcOutboxTest : public ::testing::Test {
 protected:
  RpcOutbox::SendResult Send(const std::string& id) {
    auto message = std::make_unique<pb::Cancel>();
    message->set_request_id(id);
    return outbox_.Send(std::move(message));
  }

  FakeTransport transport_;
  RpcOutbox outbox_{RpcOutbox::Limits{3, 100, 1000}, &transport_};
};

TEST_F(RpcOutboxTest, OneWriteIsInFlightAndTheOrderIsKept) {
  Send("a");
  Send("b");
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write b"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), IsEmpty());
}

TEST_F(RpcOutboxTest, HeadersGoFirstAndAlone) {
  outbox_.SendHeaders();
  Send("a");
  outbox_.Finish(absl::OkStatus());
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("headers"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a finish 0"));
}

TEST_F(RpcOutboxTest, FinishComesOnceAndAfterWhatWasQueued) {
  Send("a");
  Send("b");
  outbox_.Finish(absl::AbortedError("first"));
  outbox_.Finish(absl::OkStatus());
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write b finish 10"));
  outbox_.OnCancelled();
  EXPECT_THAT(transport_.TakeLog(), IsEmpty());
}

TEST_F(RpcOutboxTest, NothingIsSentAfterFinish) {
  outbox_.Finish(absl::OkStatus());
  EXPECT_EQ(Send("late"), RpcOutbox::SendResult::kClosed);
  outbox_.RequestRead();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 0"));
}

TEST_F(RpcOutboxTest, ACancelWaitsForTheWriteInFlightThenFinishes) {
  Send("a");
  Send("b");
  outbox_.OnCancelled();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a"));
  outbox_.OnWriteDone(false);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 1"));
}

TEST_F(RpcOutboxTest, AFailedWriteEndsTheRpc) {
  Send("a");
  Send("b");
  outbox_.OnWriteDone(false);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a", "finish 1"));
  EXPECT_TRUE(outbox_.closed());
}

TEST_F(RpcOutboxTest, MessagesBeyondTheBoundAreRefused) {
  Send("in flight");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send("x"), RpcOutbox::SendResult::kQueued);
  EXPECT_EQ(Send("x"), RpcOutbox::SendResult::kFull);
  outbox_.OnWriteDone(true);
  EXPECT_EQ(Send("x"), RpcOutbox::SendResult::kQueued);
}

TEST_F(RpcOutboxTest, BytesBeyondTheBoundAreRefusedUnlessTheyWaitAlone) {
  Send("in flight");
  EXPECT_EQ(Send(std::string(200, 'x')), RpcOutbox::SendResult::kQueued);
  EXPECT_EQ(Send("x"), RpcOutbox::SendResult::kFull);
}

TEST_F(RpcOutboxTest, AnAbortDropsWhatWaitsAndCutsOffWhatIsBeingWritten) {
  Send("a");
  Send("b");
  outbox_.Abort(absl::ResourceExhaustedError("slow"));
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write a", "abort 8"));
  outbox_.OnWriteDone(false);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 8"));
}

TEST_F(RpcOutboxTest, AnAbortOfAnIdleRpcIsAnOrderlyEnd) {
  outbox_.Abort(absl::ResourceExhaustedError("slow"));
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 8"));
}

TEST_F(RpcOutboxTest, AnAbortCutsOffAnEndThatThePluginDoesNotRead) {
  outbox_.Finish(absl::UnavailableError("down"));
  outbox_.Abort(absl::UnavailableError("down"));
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 14", "abort 14"));
}

TEST_F(RpcOutboxTest, ATooLargeMessageEndsTheRpcUnlessSomebodyMinds) {
  Send(std::string(2000, 'x'));
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 8"));
}

// As a unary RPC does: its one response, and then success.
TEST_F(RpcOutboxTest, ASuccessBehindAMessageThatCannotBeSentBecomesTheReason) {
  auto response = std::make_unique<pb::CallHubResponse>();
  response->mutable_data()->set_json("1e400");
  outbox_.Send(std::move(response), pb::PAYLOAD_ENCODING_STRUCT);
  outbox_.Finish(absl::OkStatus());
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("wake"));
  outbox_.OnQueueThread();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 3"));
  EXPECT_THAT(outbox_.WhyClosed(), HasSubstr("beyond what a double can hold"));
}

TEST_F(RpcOutboxTest, AnErrorBehindAMessageThatCannotBeSentStays) {
  Send("in flight");
  Send(std::string(2000, 'x'));
  outbox_.Finish(absl::UnavailableError("down"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write in flight", "finish 14"));
}

TEST_F(RpcOutboxTest, ATooLargeMessageIsReportedAndTheRestGoesOn) {
  std::string reported;
  outbox_.SetOnUnsendable([&](const google::protobuf::Message&, const absl::Status& why) {
    reported = std::string(why.message());
  });
  Send(std::string(2000, 'x'));
  Send("b");
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write b"));
  EXPECT_THAT(reported, HasSubstr("the limit is 1000 (--max-message-bytes)"));
}

TEST_F(RpcOutboxTest, WhatThePluginTakesIsAnotherLimit) {
  std::string reported;
  outbox_.SetOnUnsendable([&](const google::protobuf::Message&, const absl::Status& why) {
    reported = std::string(why.message());
  });
  pb::Cancel message;
  message.set_request_id(std::string(200, 'x'));
  const std::size_t size = message.ByteSizeLong();
  outbox_.SetMaxReceiveBytes(size);
  Send(std::string(200, 'x'));
  EXPECT_THAT(reported, IsEmpty());
  outbox_.OnWriteDone(true);
  outbox_.SetMaxReceiveBytes(size - 1);
  Send(std::string(200, 'x'));
  EXPECT_THAT(reported, HasSubstr(absl::StrCat("has ", size, " bytes")));
  EXPECT_THAT(reported, HasSubstr(absl::StrCat("takes ", size - 1, " (OpenSessionRequest.max_")));
}

TEST_F(RpcOutboxTest, WhyItIsClosedIsKnown) {
  EXPECT_EQ(outbox_.WhyClosed(), "");
  Send("a");
  outbox_.OnWriteDone(false);
  EXPECT_EQ(outbox_.WhyClosed(), "the plugin cancelled it, or its connection was lost");
}

TEST_F(RpcOutboxTest, ACancelBehindALargeMessageIsSuspicious) {
  RpcOutbox outbox({3, 10 << 20, 10 << 20}, &transport_);
  auto message = std::make_unique<pb::Cancel>();
  message->set_request_id(std::string(2'000'000, 'x'));
  outbox.Send(std::move(message));
  transport_.DoAside();
  outbox.OnWriteDone(true);
  outbox.OnCancelled();
  EXPECT_THAT(outbox.WhyClosed(), HasSubstr("right after a message of 2000004 bytes"));
  EXPECT_THAT(outbox.WhyClosed(), HasSubstr("max_receive_bytes"));
}

TEST_F(RpcOutboxTest, JsonIsConvertedOnTheQueuesThreadInOrder) {
  auto info = std::make_unique<pb::CallInfo>();
  info->set_request_id("converted");
  *info->mutable_context() = payload::JsonObjectOf("{}");
  outbox_.Send(std::move(info), pb::PAYLOAD_ENCODING_STRUCT);
  Send("b");
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("wake"));
  outbox_.OnQueueThread();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write converted"));
  outbox_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write b"));
}

class LargeMessageTest : public RpcOutboxTest {
 protected:
  void SendLarge() {
    auto info = std::make_unique<pb::CallInfo>();
    info->set_request_id("large");
    *info->mutable_context() =
        payload::JsonObjectOf("{\"t\":\"" + std::string(base::kLargeMessage, 'x') + "\"}");
    large_.Send(std::move(info), pb::PAYLOAD_ENCODING_STRUCT);
  }
  void SendSmall() {
    auto message = std::make_unique<pb::Cancel>();
    message->set_request_id("small");
    large_.Send(std::move(message));
  }

  RpcOutbox large_{RpcOutbox::Limits{3, 10 << 20, 10 << 20}, &transport_};
};

TEST_F(LargeMessageTest, IsEncodedAsideAndTheOrderIsKept) {
  SendSmall();
  SendLarge();
  SendSmall();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write small"));
  large_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("aside"));
  large_.OnQueueThread();
  EXPECT_THAT(transport_.TakeLog(), IsEmpty());
  transport_.DoAside();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write large"));
  large_.OnWriteDone(true);
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write small"));
}

TEST_F(LargeMessageTest, ThatThePluginDoesNotTakeHoldsUpNoOther) {
  large_.SetMaxReceiveBytes(1000);
  large_.SetOnUnsendable([](const google::protobuf::Message&, const absl::Status&) {});
  SendLarge();
  SendSmall();
  transport_.TakeLog();
  transport_.DoAside();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("write small"));
}

TEST_F(LargeMessageTest, TheEndOfTheRpcWaitsForIt) {
  SendLarge();
  large_.OnCancelled();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("aside"));
  transport_.DoAside();
  EXPECT_THAT(transport_.TakeLog(), ElementsAre("finish 1"));
}

TEST_F(RpcOutboxTest, AfterDetachingNothingReachesTheTransport) {
  outbox_.Detach();
  EXPECT_EQ(Send("a"), RpcOutbox::SendResult::kClosed);
  outbox_.Finish(absl::OkStatus());
  outbox_.RequestRead();
  EXPECT_THAT(transport_.log, IsEmpty());
}

TEST_F(RpcOutboxTest, AWaiterIsWokenByRoomAndByTheEnd) {
  Send("in flight");
  Send("b");
  EXPECT_EQ(outbox_.WaitForRoom(0, absl::Milliseconds(1)).code(),
            absl::StatusCode::kDeadlineExceeded);
  std::thread writer([this] { outbox_.OnWriteDone(true); });
  EXPECT_TRUE(outbox_.WaitForRoom(0, absl::Seconds(20)).ok());
  writer.join();
  Send("c");
  std::thread canceller([this] { outbox_.OnCancelled(); });
  EXPECT_EQ(outbox_.WaitForRoom(0, absl::Seconds(20)).code(), absl::StatusCode::kCancelled);
  canceller.join();
}

}  // namespace
}  // namespace atomemo::plugin_service
