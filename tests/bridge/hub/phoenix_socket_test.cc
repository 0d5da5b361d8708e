#include "bridge/hub/phoenix_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fakes/fake_websocket.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::hub {
namespace {

using router::pb::HubState;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RecordingHandler : public PhoenixSocket::TopicHandler {
 public:
  void OnSocketOpen() override { ++opens; }
  void OnSocketDown(const HubState& state, const router::HubLoss& loss) override {
    downs.push_back(state);
    losses.push_back(loss);
  }
  void OnFrame(ReceivedFrame frame) override { frames.push_back(std::move(frame)); }

  int opens = 0;
  std::vector<HubState> downs;
  std::vector<router::HubLoss> losses;
  std::vector<PhoenixFrame> frames;
};

class PhoenixSocketTest : public ::testing::Test {
 protected:
  PhoenixSocketTest() { Make(true); }

  void Make(bool uses_api_key) {
    auto transport = std::make_unique<fakes::FakeWebSocket>();
    wire_ = transport.get();
    PhoenixSocket::Options options;
    options.max_frame_bytes = 1000;
    options.uses_api_key = uses_api_key;
    socket_ = std::make_unique<PhoenixSocket>(
        PhoenixSocket::Environment{
            scheduler_, std::move(transport), [this](const auto& done) { FetchUrl(done); },
            "ws://hub", [this] { return ++connections_; },
            [this](router::HubPosition upto) { proven_.push_back(upto); }, 1},
        options);
    socket_->Attach("t", handler_);
    socket_->Start();
    scheduler_.Advance(absl::ZeroDuration());
  }

  void FetchUrl(const PhoenixSocket::UrlCallback& done) {
    if (url_is_slow_) {
      waiting_for_url_.push_back(done);
    } else {
      done(url_);
    }
  }

  PhoenixFrame Frame(std::string payload = "{}") {
    return {"1", socket_->NextRef(), "t", "e", std::move(payload)};
  }
  // Sends a frame and returns its place.
  std::uint64_t SendFrame() { return socket_->Send(Frame())->sequence; }

  fakes::ManualScheduler scheduler_;
  absl::StatusOr<std::string> url_ = std::string("ws://hub/debug?api_key=k1");
  // Nothing comes of a question for the URL but an entry here.
  bool url_is_slow_ = false;
  std::vector<PhoenixSocket::UrlCallback> waiting_for_url_;
  std::uint64_t connections_ = 0;
  std::vector<router::HubPosition> proven_;
  RecordingHandler handler_;
  fakes::FakeWebSocket* wire_ = nullptr;
  std::unique_ptr<PhoenixSocket> socket_;
};

TEST_F(PhoenixSocketTest, TellsHandlersOfTheConnection) {
  EXPECT_EQ(handler_.opens, 0);
  wire_->Accept();
  EXPECT_EQ(handler_.opens, 1);
  wire_->Lose(1012, "restart");
  ASSERT_EQ(handler_.downs.size(), 1u);
  EXPECT_EQ(handler_.downs[0].state(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(handler_.downs[0].reason(), AllOf(HasSubstr("restart"), HasSubstr("1012")));
}

TEST_F(PhoenixSocketTest, RoutesFramesByTopic) {
  wire_->Accept();
  wire_->Say(R"(["1",null,"t","invoke_tool",{"a":1}])");
  wire_->Say(R"([null,null,"other","invoke_tool",{}])");
  ASSERT_EQ(handler_.frames.size(), 1u);
  EXPECT_EQ(handler_.frames[0].payload, R"({"a":1})");
}

TEST_F(PhoenixSocketTest, MalformedFramesAreIgnored) {
  wire_->Accept();
  for (const char* text : {"", "{}", "[1]", "not json"}) wire_->Say(text);
  EXPECT_TRUE(handler_.frames.empty());
  EXPECT_TRUE(socket_->is_open());
}

TEST_F(PhoenixSocketTest, BeatsEveryThirtySeconds) {
  wire_->Accept();
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_TRUE(wire_->sent.empty());
  for (int i = 0; i < 3; ++i) {
    scheduler_.Advance(absl::Seconds(i == 0 ? 1 : 30));
    const PhoenixFrame beat = wire_->TakeOne("heartbeat");
    EXPECT_EQ(beat.topic, "phoenix");
    EXPECT_EQ(beat.join_ref, std::nullopt);
    EXPECT_EQ(beat.payload, "{}");
    wire_->Reply(beat);
  }
}

TEST_F(PhoenixSocketTest, AnUnansweredHeartbeatMeansADeadConnection) {
  wire_->Accept();
  scheduler_.Advance(absl::Seconds(59));
  EXPECT_TRUE(socket_->is_open());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_FALSE(socket_->is_open());
  EXPECT_EQ(wire_->drops, 1);
  EXPECT_THAT(handler_.downs[0].reason(), HasSubstr("heartbeat"));
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, HeartbeatReplyProvesWhatWasSentBeforeTheHeartbeat) {
  wire_->Accept();
  SendFrame();
  const std::uint64_t before = SendFrame();
  socket_->RequestProof(before);
  const PhoenixFrame beat = wire_->TakeOne("heartbeat");
  const std::uint64_t after = SendFrame();
  EXPECT_TRUE(proven_.empty());
  wire_->Reply(beat);
  ASSERT_EQ(proven_.size(), 1u);
  EXPECT_EQ(proven_[0].socket, 1u);
  EXPECT_GE(proven_[0].sequence, before);
  EXPECT_LT(proven_[0].sequence, after);
}

TEST_F(PhoenixSocketTest, AHeartbeatUnderWayServesAsProofOfWhatWasSentBeforeIt) {
  wire_->Accept();
  const std::uint64_t first = SendFrame();
  socket_->RequestProof(first);
  socket_->RequestProof(first);
  EXPECT_EQ(wire_->Take("heartbeat").size(), 1u);
  socket_->RequestProof(SendFrame());
  EXPECT_EQ(wire_->Take("heartbeat").size(), 1u);
}

TEST_F(PhoenixSocketTest, NothingIsProvenByAnotherRefOrAnEarlierConnection) {
  wire_->Accept();
  socket_->RequestProof(SendFrame());
  PhoenixFrame beat = wire_->TakeOne("heartbeat");
  PhoenixFrame other = beat;
  other.ref = "999";
  wire_->Reply(other);
  wire_->Lose();
  scheduler_.Advance(absl::Seconds(1));
  wire_->Accept();
  wire_->Reply(beat);
  EXPECT_TRUE(proven_.empty());
  EXPECT_EQ(socket_->Send(Frame())->socket, 2u);
}

TEST_F(PhoenixSocketTest, AReplyAlsoCountsForTheHeartbeatsBeforeIt) {
  wire_->Accept();
  socket_->RequestProof(SendFrame());
  wire_->TakeOne("heartbeat");
  scheduler_.Advance(absl::Seconds(1));
  socket_->RequestProof(SendFrame());
  wire_->Reply(wire_->TakeOne("heartbeat"));
  EXPECT_EQ(proven_.size(), 1u);
  scheduler_.Advance(absl::Seconds(30));
  wire_->Reply(wire_->TakeOne("heartbeat"));
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_TRUE(socket_->is_open());
}

TEST_F(PhoenixSocketTest, AReplyDoesNotCountForTheHeartbeatsAfterIt) {
  wire_->Accept();
  socket_->RequestProof(SendFrame());
  const PhoenixFrame first = wire_->TakeOne("heartbeat");
  scheduler_.Advance(absl::Seconds(10));
  socket_->RequestProof(SendFrame());
  wire_->Reply(first);
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_TRUE(socket_->is_open());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_FALSE(socket_->is_open()) << "the second is unanswered for 30 seconds";
}

TEST_F(PhoenixSocketTest, ARepeatedReplyProvesNothing) {
  wire_->Accept();
  socket_->RequestProof(SendFrame());
  const PhoenixFrame first = wire_->TakeOne("heartbeat");
  socket_->RequestProof(SendFrame());
  const PhoenixFrame second = wire_->TakeOne("heartbeat");
  wire_->Reply(second);
  wire_->Reply(first);
  wire_->Reply(second);
  EXPECT_EQ(proven_.size(), 1u);
}

TEST_F(PhoenixSocketTest, ProofsAlsoKeepTheConnectionAlive) {
  wire_->Accept();
  scheduler_.Advance(absl::Seconds(20));
  socket_->RequestProof(SendFrame());
  wire_->Reply(wire_->TakeOne("heartbeat"));
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_TRUE(wire_->Take("heartbeat").empty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(wire_->Take("heartbeat").size(), 1u);
}

TEST_F(PhoenixSocketTest, ReconnectsAfterEveryKindOfLoss) {
  for (const std::uint16_t code : {1000, 1002, 1006, 1009, 1011, 1012}) {
    wire_->Accept();
    wire_->Lose(code);
    scheduler_.Advance(absl::Seconds(5));
    EXPECT_TRUE(wire_->is_connecting()) << code;
  }
}

TEST_F(PhoenixSocketTest, BacksOffWhileTheHubIsAway) {
  const auto next_attempt_within = [this](absl::Duration limit) {
    const std::size_t before = wire_->urls.size();
    wire_->Lose();
    scheduler_.Advance(limit);
    return wire_->urls.size() > before;
  };
  EXPECT_TRUE(next_attempt_within(absl::Milliseconds(10)));
  for (int i = 0; i < 9; ++i) {
    wire_->Lose();
    scheduler_.Advance(absl::Seconds(5));
  }
  EXPECT_FALSE(next_attempt_within(absl::Seconds(3)));
  scheduler_.Advance(absl::Seconds(2));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, AHastenedReconnectStartsTheBackoffAnew) {
  for (int i = 0; i < 10; ++i) {
    wire_->Accept();
    wire_->Lose();
    socket_->ReconnectSoon();
    scheduler_.Advance(absl::Seconds(1));
    ASSERT_TRUE(wire_->is_connecting());
  }
  wire_->Accept();
  wire_->Lose();
  scheduler_.Advance(absl::Milliseconds(10));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, AStableConnectionStartsTheBackoffAnew) {
  for (int i = 0; i < 10; ++i) {
    wire_->Lose();
    scheduler_.Advance(absl::Seconds(5));
  }
  wire_->Accept();
  scheduler_.Advance(absl::Seconds(5));
  wire_->Lose();
  scheduler_.Advance(absl::Milliseconds(10));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, AConnectionThatIsClosedAtOnceDoesNotResetTheBackoff) {
  for (int i = 0; i < 10; ++i) {
    wire_->Accept();
    wire_->Lose(1011);
    scheduler_.Advance(absl::Seconds(5));
  }
  wire_->Accept();
  wire_->Lose(1011);
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_FALSE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, AddressIsReadAgainForEveryAttempt) {
  url_ = std::string("ws://hub/debug?api_key=k2");
  wire_->Lose();
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(wire_->urls, ElementsAre("ws://hub/debug?api_key=k1", "ws://hub/debug?api_key=k2"));
}

TEST_F(PhoenixSocketTest, AnAddressMayTakeItsTime) {
  url_is_slow_ = true;
  wire_->Lose();
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_FALSE(wire_->is_connecting());
  ASSERT_EQ(waiting_for_url_.size(), 1u);
  waiting_for_url_[0](url_);
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, AnAddressThatComesTooLateIsNotUsed) {
  url_is_slow_ = true;
  wire_->Lose();
  scheduler_.Advance(absl::Minutes(1));
  socket_->Shutdown([] {});
  waiting_for_url_.at(0)(url_);
  EXPECT_FALSE(wire_->is_connecting());
  socket_.reset();
  waiting_for_url_.at(0)(url_);
}

TEST_F(PhoenixSocketTest, ABusyHubIsLeftAloneForAsLongAsItAsks) {
  wire_->Refuse(503, absl::Seconds(60));
  EXPECT_EQ(handler_.downs.back().state(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(handler_.downs.back().reason(), HasSubstr("1m"));
  scheduler_.Advance(absl::Seconds(59));
  EXPECT_FALSE(wire_->is_connecting());
  scheduler_.Advance(absl::Seconds(6));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, TheReasonNamesTheAddress) {
  wire_->peer_address = "10.0.0.1:443";
  wire_->Accept();
  wire_->Lose();
  EXPECT_THAT(handler_.downs.back().reason(), HasSubstr("10.0.0.1:443"));
}

TEST_F(PhoenixSocketTest, ARefusedKeyIsExplainedAndTriedAgainSlowly) {
  wire_->Refuse(403);
  ASSERT_EQ(handler_.downs.size(), 1u);
  EXPECT_EQ(handler_.downs[0].state(), HubState::STATE_UNAUTHORIZED);
  EXPECT_THAT(handler_.downs[0].reason(),
              AllOf(HasSubstr("API key"), HasSubstr("24 hours"),
                    HasSubstr("atomemo plugin refresh-key"), Not(HasSubstr("k1"))));
  scheduler_.Advance(absl::Seconds(4));
  EXPECT_FALSE(wire_->is_connecting());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, ARefreshedKeyIsUsedAtOnce) {
  wire_->Refuse(401);
  url_ = std::string("ws://hub/debug?api_key=k2");
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_TRUE(wire_->is_connecting());
  EXPECT_THAT(wire_->urls.back(), HasSubstr("k2"));
}

TEST_F(PhoenixSocketTest, AMissingKeyIsReportedAndWaitedFor) {
  url_ = absl::NotFoundError("no debug API key: set HUB_DEBUG_API_KEY");
  wire_->Lose();
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(handler_.downs.back().state(), HubState::STATE_UNAUTHORIZED);
  EXPECT_THAT(handler_.downs.back().reason(), HasSubstr("HUB_DEBUG_API_KEY"));
  EXPECT_FALSE(wire_->is_connecting());
  url_ = std::string("ws://hub/debug?api_key=k3");
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_TRUE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, WithoutAKeyARefusalIsNotBlamedOnOne) {
  Make(false);
  wire_->Refuse(403);
  EXPECT_EQ(handler_.downs.back().state(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(handler_.downs.back().reason(), Not(HasSubstr("key")));
}

TEST_F(PhoenixSocketTest, NotFoundPointsAtTheAddress) {
  wire_->Refuse(404);
  EXPECT_EQ(handler_.downs.back().state(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(handler_.downs.back().reason(), HasSubstr("HUB_WS_URL"));
}

TEST_F(PhoenixSocketTest, AnOversizedFrameIsRefusedAndNotSent) {
  wire_->Accept();
  const auto sent = socket_->Send(Frame("\"" + std::string(1000, 'x') + "\""));
  EXPECT_EQ(sent.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(sent.status().message()), HasSubstr("1000"));
  EXPECT_TRUE(wire_->sent.empty());
  EXPECT_TRUE(socket_->is_open());
}

TEST_F(PhoenixSocketTest, AFrameIsAsLargeAsThatOfPhoenixsWebServerWithItsHeader) {
  wire_->Accept();
  const PhoenixFrame empty{"1", "2", "t", "e", R"("")"};
  const std::size_t envelope = EncodePhoenixFrame(empty).size();
  const auto of_size = [&](std::size_t text) {
    return PhoenixFrame{"1", "2", "t", "e",
                        absl::StrCat("\"", std::string(text - envelope, 'x'), "\"")};
  };
  EXPECT_TRUE(socket_->Send(of_size(1000 - 14)).ok());
  EXPECT_EQ(socket_->Send(of_size(1000 - 13)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(PhoenixSocketTest, NothingIsReadWhileTooMuchWaitsToBeSent) {
  wire_->Accept();
  wire_->buffered = (16u << 20) + 1;
  wire_->Say({std::nullopt, std::nullopt, "t", "invoke_tool", "{}"});
  EXPECT_FALSE(wire_->reading);
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_FALSE(wire_->reading);
  wire_->buffered = 1u << 20;
  scheduler_.Advance(absl::Milliseconds(20));
  EXPECT_TRUE(wire_->reading);
}

TEST_F(PhoenixSocketTest, TellsHowTheConnectionWasLost) {
  wire_->Accept();
  wire_->Lose(kCloseTooBig);
  ASSERT_THAT(handler_.losses, ::testing::SizeIs(1));
  EXPECT_EQ(handler_.losses[0].cause, router::HubLoss::Cause::kRefused);
  EXPECT_EQ(handler_.losses[0].close_code, kCloseTooBig);
  EXPECT_FALSE(handler_.losses[0].shared);
  EXPECT_THAT(handler_.losses[0].reason,
              ::testing::HasSubstr("the hub refused a message of the bridge as too large"));
}

TEST_F(PhoenixSocketTest, ASlowLineThatTakesSomethingIsAlive) {
  wire_->Accept();
  wire_->buffered = std::size_t{20} << 20;
  socket_->RequestProof(SendFrame());
  for (int i = 0; i < 4; ++i) {
    wire_->buffered -= std::size_t{4} << 20;  // 30 s at about a megabit a second
    scheduler_.Advance(absl::Seconds(30));
    EXPECT_TRUE(socket_->is_open()) << i;
  }
  wire_->buffered += 1000;  // what was sent since
  scheduler_.Advance(absl::Seconds(61));
  EXPECT_FALSE(socket_->is_open());
}

TEST_F(PhoenixSocketTest, ALineThatTakesNothingIsDeadHoweverMuchWaits) {
  wire_->Accept();
  wire_->buffered = std::size_t{20} << 20;
  socket_->RequestProof(SendFrame());
  wire_->buffered += 1000;  // what is sent until then
  scheduler_.Advance(absl::Seconds(31));
  EXPECT_FALSE(socket_->is_open());
}

TEST_F(PhoenixSocketTest, OnlyAFarewellSpeaksForWhatWasSent) {
  using Cause = router::HubLoss::Cause;
  const std::vector<std::pair<std::uint16_t, Cause>> codes = {
      {1000, Cause::kMute},    {1001, Cause::kOther},   {1002, Cause::kMute},
      {1003, Cause::kRefused}, {1006, Cause::kMute},    {1007, Cause::kRefused},
      {1008, Cause::kMute},    {1009, Cause::kRefused}, {1011, Cause::kRefused},
      {1012, Cause::kOther},   {1013, Cause::kMute},    {4000, Cause::kMute}};
  for (const auto& [code, cause] : codes) {
    wire_->Accept();
    wire_->Lose(code);
    EXPECT_EQ(handler_.losses.back().cause, cause) << code;
    scheduler_.Advance(absl::Seconds(5));
  }
}

TEST_F(PhoenixSocketTest, AMessageOfTheHubThatIsTooLargeSpeaksAgainstNothingThatWasSent) {
  wire_->Accept();
  wire_->Lose(kCloseTooBig, "the hub sent too much", /*by_bridge=*/true);
  ASSERT_THAT(handler_.losses, ::testing::SizeIs(1));
  EXPECT_EQ(handler_.losses[0].cause, router::HubLoss::Cause::kOther);
  EXPECT_EQ(handler_.losses[0].reason, "connection lost: the hub sent too much (1009)");
}

TEST_F(PhoenixSocketTest, SendingNeedsAConnection) {
  EXPECT_EQ(socket_->Send(Frame()).status().code(), absl::StatusCode::kUnavailable);
  socket_->RequestProof(0);
  EXPECT_TRUE(wire_->sent.empty());
}

TEST_F(PhoenixSocketTest, ShutdownClosesNormallyAndForGood) {
  wire_->Accept();
  bool done = false;
  socket_->Shutdown([&] { done = true; });
  EXPECT_THAT(wire_->close_codes, ElementsAre(1000));
  EXPECT_FALSE(done);
  wire_->Lose(1000);
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_TRUE(done);
  EXPECT_FALSE(wire_->is_connecting());
}

TEST_F(PhoenixSocketTest, ShutdownGivesUpAnAttempt) {
  bool done = false;
  socket_->Shutdown([&] { done = true; });
  EXPECT_FALSE(done);
  scheduler_.RunPosted();
  EXPECT_TRUE(done);
  EXPECT_EQ(wire_->drops, 1);
}

TEST_F(PhoenixSocketTest, LeavesNoTimerBehind) {
  wire_->Accept();
  socket_->RequestProof(SendFrame());
  socket_.reset();
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

// Detaches itself and its neighbour when the connection opens.
class LeavingHandler : public RecordingHandler {
 public:
  explicit LeavingHandler(PhoenixSocket& socket) : socket_(socket) {}
  void OnSocketOpen() override {
    RecordingHandler::OnSocketOpen();
    socket_.Detach("a");
    socket_.Detach("t");
  }

 private:
  PhoenixSocket& socket_;
};

TEST_F(PhoenixSocketTest, HandlersMayLeaveWhileTheyAreCalled) {
  LeavingHandler leaving(*socket_);
  socket_->Attach("a", leaving);
  wire_->Accept();
  EXPECT_EQ(leaving.opens, 1);
  EXPECT_EQ(handler_.opens, 0);
}

}  // namespace
}  // namespace atomemo::hub
