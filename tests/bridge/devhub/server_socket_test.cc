#include "bridge/devhub/server_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/devhub/fake_transport.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::devhub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Answers events by their name and records who came and went.
class FakeChannels : public ChannelHandler {
 public:
  void OnJoined(ServerSocket&, const std::string& topic, const base::PluginTopic&) override {
    log.push_back("joined " + topic);
  }
  void OnLeft(ServerSocket&, const std::string& topic) override { log.push_back("left " + topic); }
  ChannelOutcome OnEvent(ServerSocket&, const hub::PhoenixFrame& frame) override {
    if (frame.event == "good") return ChannelOutcome::Ok(R"({"success":true})");
    if (frame.event == "bad") return ChannelOutcome::Error(R"({"code":"c"})");
    if (frame.event == "quiet") return ChannelOutcome::NoReply();
    return ChannelOutcome::Crash();
  }

  std::vector<std::string> log;
};

class ServerSocketTest : public ::testing::Test {
 protected:
  void Open(SocketOptions options = {}) {
    socket_ = std::make_unique<ServerSocket>(std::move(options), scheduler_, channels_, transport_);
  }

  // What the hub sends in return for `frame`.
  std::vector<std::string> Exchange(const std::string& frame) {
    if (socket_ == nullptr) Open();
    socket_->OnText(frame);
    return transport_.TakeSent();
  }

  void JoinAs(const std::string& ref) {
    Exchange(absl::StrCat("[\"", ref, "\",\"", ref, R"(","debug_plugin:p","phx_join",{}])"));
    channels_.log.clear();
  }

  fakes::ManualScheduler scheduler_;
  FakeChannels channels_;
  FakeTransport transport_;
  std::unique_ptr<ServerSocket> socket_;
};

TEST_F(ServerSocketTest, JoinIsAnsweredWithOk) {
  EXPECT_THAT(
      Exchange(R"(["1","1","debug_plugin:p","phx_join",{}])"),
      ElementsAre(R"(["1","1","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])"));
  EXPECT_THAT(channels_.log, ElementsAre("joined debug_plugin:p"));
}

TEST_F(ServerSocketTest, HeartbeatIsAnsweredWithoutAJoin) {
  EXPECT_THAT(Exchange(R"([null,"5","phoenix","heartbeat",{}])"),
              ElementsAre(R"([null,"5","phoenix","phx_reply",{"response":{},"status":"ok"}])"));
}

TEST_F(ServerSocketTest, ChannelRepliesCarryTheChannelsJoinRef) {
  JoinAs("1");
  EXPECT_THAT(
      Exchange(R"(["1","2","debug_plugin:p","good",{}])"),
      ElementsAre(
          R"(["1","2","debug_plugin:p","phx_reply",{"response":{"success":true},"status":"ok"}])"));
  EXPECT_THAT(
      Exchange(R"([null,"3","debug_plugin:p","bad",{}])"),
      ElementsAre(
          R"(["1","3","debug_plugin:p","phx_reply",{"response":{"code":"c"},"status":"error"}])"));
  EXPECT_THAT(Exchange(R"(["1","4","debug_plugin:p","quiet",{}])"), IsEmpty());
}

TEST_F(ServerSocketTest, ASecondJoinIsAnsweredBeforeTheOldChannelCloses) {
  JoinAs("1");
  EXPECT_THAT(Exchange(R"(["2","2","debug_plugin:p","phx_join",{}])"),
              ElementsAre(R"(["2","2","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])",
                          R"(["1","1","debug_plugin:p","phx_close",{}])"));
  EXPECT_THAT(channels_.log, ElementsAre("left debug_plugin:p", "joined debug_plugin:p"));
}

TEST_F(ServerSocketTest, LeaveIsAnsweredAndThenTheChannelCloses) {
  JoinAs("1");
  EXPECT_THAT(Exchange(R"(["1","2","debug_plugin:p","phx_leave",{}])"),
              ElementsAre(R"(["1","2","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])",
                          R"(["1","1","debug_plugin:p","phx_close",{}])"));
  EXPECT_THAT(channels_.log, ElementsAre("left debug_plugin:p"));
}

TEST_F(ServerSocketTest, LeaveWithAStaleOrNullJoinRefGetsNoReply) {
  JoinAs("2");
  EXPECT_THAT(Exchange(R"(["1","3","debug_plugin:p","phx_leave",{}])"), IsEmpty());
  EXPECT_THAT(Exchange(R"([null,"4","debug_plugin:p","phx_leave",{}])"), IsEmpty());
  EXPECT_EQ(socket_->channel_count(), 1u);
}

TEST_F(ServerSocketTest, AChannelThatWasJoinedWithoutJoinRefUsesTheJoinsRefForIt) {
  Exchange(R"([null,"1","debug_plugin:p","phx_join",{}])");
  EXPECT_THAT(
      Exchange(R"([null,"3","debug_plugin:p","bad",{}])"),
      ElementsAre(
          R"(["1","3","debug_plugin:p","phx_reply",{"response":{"code":"c"},"status":"error"}])"));
  EXPECT_THAT(Exchange(R"([null,"4","debug_plugin:p","no_such_event",{}])"),
              ElementsAre(R"([null,null,"debug_plugin:p","phx_error",{}])"));
}

TEST_F(ServerSocketTest, NumbersOfAnyLengthReachTheChannel) {
  JoinAs("1");
  EXPECT_THAT(Exchange(R"(["1","4","debug_plugin:p","quiet",{"n":100000000000000000000}])"),
              IsEmpty());
  EXPECT_EQ(transport_.close_code, 0);
}

TEST_F(ServerSocketTest, APushToATopicThatIsNotJoinedIsUnmatched) {
  EXPECT_THAT(
      Exchange(R"(["1","2","debug_plugin:p","good",{}])"),
      ElementsAre(
          R"([null,"2","debug_plugin:p","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}])"));
}

TEST_F(ServerSocketTest, ATopicOfTheOtherSocketIsUnmatched) {
  EXPECT_THAT(
      Exchange(R"(["1","1","release_plugin:p__release__1.0.0","phx_join",{}])"),
      ElementsAre(
          R"([null,"1","release_plugin:p__release__1.0.0","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}])"));
}

TEST_F(ServerSocketTest, AnUnknownEventCrashesTheChannelAlone) {
  JoinAs("22");
  EXPECT_THAT(Exchange(R"(["22","23","debug_plugin:p","no_such_event",{}])"),
              ElementsAre(R"(["22","22","debug_plugin:p","phx_error",{}])"));
  EXPECT_THAT(channels_.log, ElementsAre("left debug_plugin:p"));
  EXPECT_EQ(transport_.close_code, 0);
}

TEST_F(ServerSocketTest, TheChannelPastTheLimitIsRefused) {
  SocketOptions options;
  options.max_channels = 1;
  Open(options);
  JoinAs("1");
  EXPECT_THAT(
      Exchange(R"(["2","2","debug_plugin:q","phx_join",{}])"),
      ElementsAre(
          R"(["2","2","debug_plugin:q","phx_reply",{"response":{"reason":"too many channels joined"},"status":"error"}])"));
}

TEST_F(ServerSocketTest, AFrameThatIsNoFiveElementArrayClosesTheSocketWith1011) {
  for (const char* frame : {"{}", "[]", R"(["1","1","t","e"])", "nonsense", "",
                            R"(["1","1","debug_plugin:p","good",{"n":1e400}])",
                            R"(["1","1","debug_plugin:p","good",{"s":"\ud800"}])"}) {
    transport_.close_code = 0;
    Open();
    EXPECT_THAT(Exchange(frame), IsEmpty());
    EXPECT_EQ(transport_.close_code, 1011) << frame;
  }
}

TEST_F(ServerSocketTest, ABinaryMessageClosesTheSocketWith1011) {
  Open();
  socket_->OnBinary();
  EXPECT_EQ(transport_.close_code, 1011);
}

TEST_F(ServerSocketTest, ClosingLeavesEveryChannelOnceAndIgnoresLaterFrames) {
  JoinAs("1");
  socket_->Close(1012, "");
  EXPECT_EQ(transport_.close_code, 1012);
  EXPECT_THAT(Exchange(R"(["2","2","debug_plugin:q","phx_join",{}])"), IsEmpty());
  socket_.reset();
  EXPECT_THAT(channels_.log, ElementsAre("left debug_plugin:p"));
}

TEST_F(ServerSocketTest, PushesCarryTheJoinRef) {
  JoinAs("7");
  EXPECT_TRUE(socket_->Push("debug_plugin:p", "invoke_tool", R"({"a":1})"));
  EXPECT_FALSE(socket_->Push("debug_plugin:q", "invoke_tool", "{}"));
  EXPECT_THAT(transport_.TakeSent(),
              ElementsAre(R"(["7",null,"debug_plugin:p","invoke_tool",{"a":1}])"));
}

TEST_F(ServerSocketTest, TheHubEndsChannelsWithErrorOrClose) {
  JoinAs("1");
  EXPECT_TRUE(socket_->CrashChannel("debug_plugin:p"));
  EXPECT_FALSE(socket_->CrashChannel("debug_plugin:p"));
  EXPECT_THAT(transport_.TakeSent(), ElementsAre(R"(["1","1","debug_plugin:p","phx_error",{}])"));
  JoinAs("2");
  EXPECT_TRUE(socket_->CloseChannel("debug_plugin:p"));
  EXPECT_THAT(transport_.TakeSent(), ElementsAre(R"(["2","2","debug_plugin:p","phx_close",{}])"));
}

TEST_F(ServerSocketTest, ASilentClientIsClosedWith1002AfterTheIdleTimeout) {
  Open();
  scheduler_.Advance(absl::Seconds(59));
  EXPECT_EQ(transport_.close_code, 0);
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(transport_.close_code, 1002);
}

TEST_F(ServerSocketTest, AMessageThatComesSlowlyPutsTheIdleTimeoutOff) {
  Open();
  for (int i = 0; i < 10; ++i) {
    transport_.received_bytes += 1000;
    scheduler_.Advance(absl::Seconds(30));
  }
  EXPECT_EQ(transport_.close_code, 0);
  scheduler_.Advance(absl::Seconds(75));
  EXPECT_EQ(transport_.close_code, 1002);
}

TEST_F(ServerSocketTest, WhatTheClientSendsPutsTheIdleTimeoutOff) {
  Open();
  for (int i = 0; i < 4; ++i) {
    scheduler_.Advance(absl::Seconds(30));
    Exchange(R"([null,"5","phoenix","heartbeat",{}])");
  }
  EXPECT_EQ(transport_.close_code, 0);
}

TEST_F(ServerSocketTest, WhatTheHubSendsDoesNotPutTheIdleTimeoutOff) {
  JoinAs("1");
  for (int i = 0; i < 4; ++i) {
    socket_->Push("debug_plugin:p", "invoke_tool", "{}");
    scheduler_.Advance(absl::Seconds(15));
  }
  EXPECT_EQ(transport_.close_code, 1002);
}

TEST_F(ServerSocketTest, AClientThatStopsReadingIsDropped) {
  JoinAs("1");
  transport_.peer_reads = false;
  socket_->Push("debug_plugin:p", "invoke_tool", "{}");
  for (int i = 0; i < 6 && !transport_.aborted; ++i) {
    scheduler_.Advance(absl::Seconds(15));
    Exchange(R"([null,"5","phoenix","heartbeat",{}])");
  }
  EXPECT_TRUE(transport_.aborted);
}

TEST_F(ServerSocketTest, AClientThatReadsSlowlyIsKept) {
  JoinAs("1");
  for (int i = 0; i < 20; ++i) {
    // Something always waits, but every round the peer takes a little.
    socket_->Push("debug_plugin:p", "invoke_tool", "{}");
    transport_.unsent_bytes = 10;
    scheduler_.Advance(absl::Seconds(15));
    Exchange(R"([null,"5","phoenix","heartbeat",{}])");
  }
  EXPECT_FALSE(transport_.aborted);
}

TEST_F(ServerSocketTest, AClientWithTooMuchQueuedIsDropped) {
  SocketOptions options;
  options.max_unsent_bytes = 100;
  Open(options);
  JoinAs("1");
  transport_.unsent_bytes = 101;
  socket_->Push("debug_plugin:p", "invoke_tool", "{}");
  EXPECT_TRUE(transport_.aborted);
  EXPECT_THAT(transport_.TakeSent(), IsEmpty());
}

}  // namespace
}  // namespace atomemo::devhub
