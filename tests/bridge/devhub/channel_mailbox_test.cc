// The channels of a ServerSocket that are behind their socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/devhub/server_socket.h"
#include "tests/bridge/devhub/fake_transport.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::devhub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kTopic[] = "debug_plugin:p";
constexpr absl::Duration kLag = absl::Milliseconds(30);
constexpr char kHeartbeat[] = R"([null,"h","phoenix","heartbeat",{}])";
constexpr char kHeartbeatReply[] =
    R"([null,"h","phoenix","phx_reply",{"response":{},"status":"ok"}])";

// Takes answers, and crashes on those with the payload "poison".
class FakeChannels : public ChannelHandler {
 public:
  void OnJoined(ServerSocket&, const std::string&, const base::PluginTopic&) override {
    log.emplace_back("joined");
  }
  void OnLeft(ServerSocket&, const std::string&) override { log.emplace_back("left"); }
  bool CanRead(const hub::PhoenixFrame& frame) override { return frame.payload != R"("garbled")"; }
  ChannelOutcome OnEvent(ServerSocket&, const hub::PhoenixFrame& frame) override {
    log.push_back("took " + frame.payload);
    if (frame.payload == R"("poison")") return ChannelOutcome::Crash();
    return frame.event == "ask" ? ChannelOutcome::Ok("{}") : ChannelOutcome::NoReply();
  }
  void OnLost(ServerSocket&, const hub::PhoenixFrame& frame) override {
    log.push_back("lost " + frame.payload);
  }

  std::vector<std::string> log;
};

class ChannelMailboxTest : public ::testing::Test {
 protected:
  ChannelMailboxTest() {
    SocketOptions options;
    options.channel_lag = kLag;
    socket_ = std::make_unique<ServerSocket>(options, scheduler_, channels_, transport_);
    Send("1", "phx_join", "{}");
    transport_.TakeSent();
    channels_.log.clear();
  }

  // A frame of the channel that joined with "1".
  void Send(const std::string& ref, const std::string& event, const std::string& payload) {
    socket_->OnText(
        absl::StrCat(R"(["1",")", ref, R"(",")", kTopic, R"(",")", event, R"(",)", payload, "]"));
  }
  void Answer(const std::string& payload) { Send("2", "invoke_tool_response", payload); }

  std::vector<std::string> TakeLog() { return std::exchange(channels_.log, {}); }

  fakes::ManualScheduler scheduler_;
  FakeChannels channels_;
  FakeTransport transport_;
  std::unique_ptr<ServerSocket> socket_;
};

TEST_F(ChannelMailboxTest, TheSocketAnswersHeartbeatsWhileTheChannelIsBehind) {
  Answer("1");
  Send("3", "ask", "2");
  socket_->OnText(kHeartbeat);
  EXPECT_THAT(transport_.TakeSent(), ElementsAre(kHeartbeatReply));
  EXPECT_THAT(TakeLog(), IsEmpty());
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), ElementsAre("took 1", "took 2"));
  EXPECT_THAT(
      transport_.TakeSent(),
      ElementsAre(R"(["1","3","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])"));
}

TEST_F(ChannelMailboxTest, EveryFrameWaitsItsOwnTime) {
  Answer("1");
  scheduler_.Advance(kLag / 2);
  Answer("2");
  scheduler_.Advance(kLag / 2);
  EXPECT_THAT(TakeLog(), ElementsAre("took 1"));
  scheduler_.Advance(kLag / 2);
  EXPECT_THAT(TakeLog(), ElementsAre("took 2"));
}

TEST_F(ChannelMailboxTest, WhatWaitsForACrashingChannelIsLost) {
  Answer(R"("poison")");
  Answer("2");
  socket_->OnText(kHeartbeat);
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), ElementsAre(R"(took "poison")", "lost 2", "left"));
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(kHeartbeatReply, R"(["1","1","debug_plugin:p","phx_error",{}])"));
}

TEST_F(ChannelMailboxTest, ACrashByCommandDoesNotWait) {
  Answer("1");
  EXPECT_TRUE(socket_->CrashChannel(kTopic));
  EXPECT_THAT(TakeLog(), ElementsAre("lost 1", "left"));
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), IsEmpty());
}

TEST_F(ChannelMailboxTest, ACloseByCommandWaits) {
  Answer("1");
  EXPECT_TRUE(socket_->CloseChannel(kTopic));
  Answer("2");
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), ElementsAre("took 1", "lost 2", "left"));
  EXPECT_THAT(transport_.TakeSent(), ElementsAre(R"(["1","1","debug_plugin:p","phx_close",{}])"));
}

TEST_F(ChannelMailboxTest, ALeaveIsHandledInOrder) {
  socket_->Push(kTopic, "invoke_tool", "1");
  Answer("2");
  Send("3", "phx_leave", "{}");
  // Calls still come until the leave is handled: a push and, past the channel, a broadcast.
  socket_->SendEncoded(R"([null,null,"debug_plugin:p","invoke_tool",3])");
  Answer("4");
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(R"([null,null,"debug_plugin:p","invoke_tool",3])"));
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), ElementsAre("took 2", "lost 4", "left"));
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(R"(["1",null,"debug_plugin:p","invoke_tool",1])",
                          R"(["1","3","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])",
                          R"(["1","1","debug_plugin:p","phx_close",{}])"));
  Answer("5");
  EXPECT_THAT(
      transport_.TakeSent(),
      ElementsAre(
          R"([null,"2","debug_plugin:p","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}])"));
}

TEST_F(ChannelMailboxTest, ASecondJoinKillsTheOldChannelWithItsMail) {
  Answer("1");
  socket_->OnText(R"(["5","5","debug_plugin:p","phx_join",{}])");
  EXPECT_THAT(TakeLog(), ElementsAre("lost 1", "left", "joined"));
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(R"(["5","5","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])",
                          R"(["1","1","debug_plugin:p","phx_close",{}])"));
  Answer("2");
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), ElementsAre("took 2"));
}

TEST_F(ChannelMailboxTest, AFrameThatTheHubCannotReadDoesNotWait) {
  Answer(R"("garbled")");
  EXPECT_EQ(transport_.close_code, 1011);
}

TEST_F(ChannelMailboxTest, TheEndOfTheSocketLeavesTheChannelItsMail) {
  Answer("1");
  Answer("2");
  socket_->Close(1012, "");
  EXPECT_THAT(TakeLog(), ElementsAre("took 1", "took 2", "left"));
}

TEST_F(ChannelMailboxTest, ALostConnectionLeavesTheChannelItsMail) {
  Answer("1");
  socket_.reset();
  EXPECT_THAT(TakeLog(), ElementsAre("took 1", "left"));
  scheduler_.Advance(kLag);
  EXPECT_THAT(TakeLog(), IsEmpty());
}

TEST_F(ChannelMailboxTest, TheEndOfTheHubTakesTheMailAlong) {
  Answer("1");
  socket_->Die();
  EXPECT_THAT(TakeLog(), ElementsAre("lost 1", "left"));
  EXPECT_TRUE(transport_.aborted);
}

}  // namespace
}  // namespace atomemo::devhub
