#include "bridge/hub/phoenix_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
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
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTopic[] = "debug_plugin:p";

std::shared_ptr<const std::string> Definition(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class PhoenixChannelTest : public ::testing::Test, public PhoenixChannel::Owner {
 protected:
  PhoenixChannelTest() {
    auto transport = std::make_unique<fakes::FakeWebSocket>();
    wire_ = transport.get();
    PhoenixSocket::Options options;
    options.max_frame_bytes = 1000;
    socket_ = std::make_unique<PhoenixSocket>(
        PhoenixSocket::Environment{
            scheduler_, std::move(transport),
            [](const PhoenixSocket::UrlCallback& done) { done(std::string("ws://hub")); },
            "ws://hub", [this] { return ++connections_; },
            [this](router::HubPosition upto) { proven_.push_back(upto); }, 1},
        options);
    socket_->Start();
    scheduler_.Advance(absl::ZeroDuration());
  }

  void OnChannelState(PhoenixChannel&, const HubState& state) override {
    states_.push_back(state.state());
    last_ = state;
  }
  void OnChannelEvent(PhoenixChannel&, ReceivedFrame frame) override {
    events_.push_back(frame.event);
  }
  void OnPushRefused(PhoenixChannel&, absl::string_view ref, absl::string_view response) override {
    refused_.push_back(absl::StrCat(ref, " ", response));
  }
  void OnChannelLeft(PhoenixChannel&, bool handled) override {
    ++left_;
    leave_handled_ = handled;
  }
  void RegisterInTurn(PhoenixChannel&) override { ++asked_for_turn_; }
  absl::Status CheckDefinitionFits(std::size_t bytes) override {
    if (bytes <= max_definition_bytes_) return absl::OkStatus();
    return absl::ResourceExhaustedError("larger than what the hub has shown to take");
  }
  void OnDefinitionSuspected(PhoenixChannel&) override { ++suspected_; }
  bool OnSocketFull(PhoenixChannel&) override {
    ++full_;
    return false;
  }

  void MakeChannel(std::shared_ptr<const std::string> definition = Definition(R"({"name":"p"})")) {
    channel_ = std::make_unique<PhoenixChannel>(scheduler_, *this, kTopic, std::move(definition),
                                                PhoenixChannel::Options());
    channel_->Attach(*socket_);
  }
  // Makes a channel and plays the hub until it is ready.
  void MakeReady() {
    MakeChannel();
    wire_->Accept();
    AcceptJoinAndRegistration();
  }
  void AcceptJoinAndRegistration() {
    join_ = wire_->TakeOne("phx_join");
    wire_->Reply(join_);
    wire_->Reply(wire_->TakeOne("register_plugin"), "ok", R"({"success":true})");
    states_.clear();
  }
  // The hub's end of the current join.
  void EndChannel(absl::string_view event) {
    wire_->Say({join_.join_ref, join_.join_ref, kTopic, std::string(event), "{}"});
  }

  fakes::ManualScheduler scheduler_;
  std::uint64_t connections_ = 0;
  std::vector<router::HubPosition> proven_;
  fakes::FakeWebSocket* wire_ = nullptr;
  std::unique_ptr<PhoenixSocket> socket_;
  std::vector<HubState::State> states_;
  HubState last_;
  std::vector<std::string> events_;
  std::vector<std::string> refused_;
  int asked_for_turn_ = 0;
  int full_ = 0;
  std::size_t max_definition_bytes_ = 1'000'000;
  int suspected_ = 0;
  int left_ = 0;
  bool leave_handled_ = false;  // the last one
  PhoenixFrame join_;
  std::unique_ptr<PhoenixChannel> channel_;
};

TEST_F(PhoenixChannelTest, JoinsThenRegistersItsDefinition) {
  MakeChannel();
  wire_->Accept();
  const PhoenixFrame join = wire_->TakeOne("phx_join");
  EXPECT_EQ(join.topic, kTopic);
  EXPECT_EQ(join.payload, "{}");
  ASSERT_TRUE(join.join_ref.has_value());
  EXPECT_EQ(join.join_ref, join.ref);

  wire_->Reply(join);
  EXPECT_FALSE(channel_->ready());
  const PhoenixFrame registration = wire_->TakeOne("register_plugin");
  EXPECT_EQ(registration.join_ref, join.join_ref);
  EXPECT_EQ(registration.payload, R"({"name":"p"})");

  wire_->Reply(registration);
  EXPECT_TRUE(channel_->ready());
  EXPECT_THAT(states_, ElementsAre(HubState::STATE_CONNECTING, HubState::STATE_REGISTERED));
}

TEST_F(PhoenixChannelTest, WithoutADefinitionTheJoinIsTheClaim) {
  MakeChannel(nullptr);
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  EXPECT_TRUE(channel_->ready());
  EXPECT_THAT(wire_->sent, IsEmpty());
}

TEST_F(PhoenixChannelTest, PassesEventsOnWhateverTheirJoinRef) {
  MakeReady();
  wire_->Say({std::nullopt, std::nullopt, kTopic, "invoke_tool", "{}"});
  wire_->Say({join_.join_ref, std::nullopt, kTopic, "locator_list", "{}"});
  EXPECT_THAT(events_, ElementsAre("invoke_tool", "locator_list"));
}

TEST_F(PhoenixChannelTest, RejoinsAfterACrashAndAfterAClose) {
  MakeReady();
  for (const char* event : {"phx_error", "phx_close"}) {
    EndChannel(event);
    EXPECT_THAT(states_, ElementsAre(HubState::STATE_DISCONNECTED)) << event;
    EXPECT_FALSE(channel_->ready());
    scheduler_.Advance(absl::Seconds(2));
    AcceptJoinAndRegistration();
    EXPECT_TRUE(channel_->ready()) << event;
  }
}

TEST_F(PhoenixChannelTest, TheEndOfAnEarlierJoinIsIgnored) {
  MakeReady();
  const PhoenixFrame first = join_;
  EndChannel("phx_error");
  scheduler_.Advance(absl::Seconds(1));
  AcceptJoinAndRegistration();
  wire_->Say({first.join_ref, first.join_ref, kTopic, "phx_close", "{}"});
  wire_->Say({std::nullopt, std::nullopt, kTopic, "phx_error", "{}"});
  EXPECT_TRUE(channel_->ready());
  EXPECT_THAT(states_, IsEmpty());
}

TEST_F(PhoenixChannelTest, RejoiningBacksOff) {
  MakeReady();
  EndChannel("phx_error");
  for (const int seconds : {1, 2, 5, 10, 10}) {
    scheduler_.Advance(absl::Seconds(seconds) * 0.69);
    EXPECT_THAT(wire_->Take("phx_join"), IsEmpty()) << seconds;
    scheduler_.Advance(absl::Seconds(seconds) * 0.31);
    join_ = wire_->TakeOne("phx_join");
    ASSERT_TRUE(join_.ref.has_value()) << seconds;
    EndChannel("phx_error");
  }
}

TEST_F(PhoenixChannelTest, ATopicThatIsLostSoonAfterEachJoinIsJoinedEverMoreSlowly) {
  MakeReady();
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 4; ++i) {
    EndChannel("phx_error");
    const absl::Time lost = scheduler_.Now();
    while (wire_->Count("phx_join") == 0) scheduler_.Advance(absl::Milliseconds(100));
    waits.push_back(scheduler_.Now() - lost);
    AcceptJoinAndRegistration();
  }
  EXPECT_LT(waits[0], absl::Seconds(2));
  EXPECT_GT(waits[3], absl::Seconds(5));
  // Once it has lasted, the next loss is as the first one was.
  scheduler_.Advance(absl::Seconds(1));
  EndChannel("phx_error");
  scheduler_.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(wire_->Count("phx_join"), 1u);
}

TEST_F(PhoenixChannelTest, JoiningMayBeHastened) {
  MakeReady();
  EndChannel("phx_error");
  channel_->JoinSoon();
  scheduler_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(wire_->Count("phx_join"), 1u);
}

// While an answer that the hub cannot take is found: the next one must not wait for its.
TEST_F(PhoenixChannelTest, LossesOfHastenedJoinsDoNotSlowDownTheNextOnes) {
  MakeReady();
  for (int i = 0; i < 4; ++i) {
    EndChannel("phx_error");
    channel_->JoinSoon();
    scheduler_.Advance(absl::Milliseconds(200));
    AcceptJoinAndRegistration();
  }
  EndChannel("phx_error");
  scheduler_.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(wire_->Count("phx_join"), 1u);
}

// Else it would be sent for ever, and take along all that share the connection.
TEST_F(PhoenixChannelTest, ADefinitionThatEndsTheConnectionEachTimeIsTriedSeldom) {
  MakeChannel();
  wire_->Accept();
  for (int i = 0; i < 2; ++i) {
    join_ = wire_->TakeOne("phx_join");
    wire_->Reply(join_);
    ASSERT_EQ(wire_->Take("register_plugin").size(), 1u);
    wire_->Lose(1011);
    if (i == 0) {
      scheduler_.Advance(absl::Seconds(1));
      wire_->Accept();
    }
  }
  EXPECT_EQ(states_.back(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(last_.reason(),
              AllOf(HasSubstr("each registration of the definition"), HasSubstr("bytes")));
  scheduler_.Advance(absl::Seconds(1));
  wire_->Accept();
  EXPECT_EQ(wire_->Count("phx_join"), 0u);
  scheduler_.Advance(absl::Seconds(30));
  EXPECT_EQ(wire_->Count("phx_join"), 1u);  // the hub may have been mended
}

TEST_F(PhoenixChannelTest, ADefinitionThatCrashesTheChannelEachTimeIsTriedSeldom) {
  MakeChannel();
  wire_->Accept();
  for (int i = 0; i < 2; ++i) {
    join_ = wire_->TakeOne("phx_join");
    wire_->Reply(join_);
    EndChannel("phx_error");
    scheduler_.Advance(absl::Seconds(1.5));
  }
  EXPECT_EQ(states_.back(), HubState::STATE_DISCONNECTED);
  EXPECT_EQ(wire_->Count("phx_join"), 0u);
}

TEST_F(PhoenixChannelTest, ConnectionsThatBreakOffDuringARegistrationAreNoVerdictForLong) {
  MakeChannel();
  wire_->Accept();
  for (int i = 0; i < 7; ++i) {
    join_ = wire_->TakeOne("phx_join");
    wire_->Reply(join_);
    ASSERT_EQ(wire_->Take("register_plugin").size(), 1u);
    wire_->Lose(1006);
    scheduler_.Advance(absl::Seconds(5));
    wire_->Accept();
    ASSERT_EQ(wire_->Count("phx_join"), 1u) << i;
  }
  AcceptJoinAndRegistration();
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ADefinitionLargerThanWhatTheHubHasShownToTakeIsNotSent) {
  max_definition_bytes_ = 1;
  MakeChannel();
  wire_->Accept();
  join_ = wire_->TakeOne("phx_join");
  wire_->Reply(join_);
  EXPECT_TRUE(wire_->Take("register_plugin").empty());
  EXPECT_EQ(states_.back(), HubState::STATE_REJECTED);
}

TEST_F(PhoenixChannelTest, TellsHowItWasLost) {
  MakeReady();
  EndChannel("phx_error");
  EXPECT_EQ(channel_->loss().cause, router::HubLoss::Cause::kRefused);
  EXPECT_EQ(channel_->loss().close_code, 0);
  scheduler_.Advance(absl::Seconds(2));
  AcceptJoinAndRegistration();
  EndChannel("phx_close");
  EXPECT_EQ(channel_->loss().cause, router::HubLoss::Cause::kRefused);
}

TEST_F(PhoenixChannelTest, WhatTheHubSentBeforeItHandledTheLeaveIsStillReported) {
  MakeReady();
  channel_->LeaveAndReport();
  EXPECT_FALSE(channel_->ready());
  const PhoenixFrame leave = wire_->TakeOne("phx_leave");
  EXPECT_EQ(leave.join_ref, join_.join_ref);
  wire_->Say({join_.join_ref, std::nullopt, kTopic, "invoke_tool", "{}"});
  EXPECT_THAT(events_, ElementsAre("invoke_tool"));
  EXPECT_EQ(left_, 0);
  wire_->Reply(leave);
  EXPECT_EQ(left_, 1);
  EXPECT_TRUE(leave_handled_);
  EndChannel("phx_close");
  EXPECT_EQ(left_, 1);
  scheduler_.Advance(absl::Seconds(20));
  EXPECT_EQ(wire_->Count("phx_join"), 0u);

  channel_->JoinAgain();
  AcceptJoinAndRegistration();
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ALeaveEndsWithTheConnectionToo) {
  MakeReady();
  channel_->LeaveAndReport();
  wire_->Lose();
  EXPECT_EQ(left_, 1);
  EXPECT_FALSE(leave_handled_);
  scheduler_.Advance(absl::Seconds(5));
  wire_->Accept();
  EXPECT_EQ(wire_->Count("phx_join"), 0u);
}

TEST_F(PhoenixChannelTest, ALeaveThatNobodyRepliesToEndsAfterAWhile) {
  MakeReady();
  channel_->LeaveAndReport();
  scheduler_.Advance(absl::Seconds(11));
  EXPECT_EQ(left_, 1);
  EXPECT_FALSE(leave_handled_);
}

TEST_F(PhoenixChannelTest, LeavingWhatIsNotJoinedIsDoneAtOnceButLater) {
  MakeChannel();
  channel_->LeaveAndReport();
  EXPECT_EQ(left_, 0);
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(left_, 1);
}

TEST_F(PhoenixChannelTest, UnmatchedTopicMeansRejoin) {
  MakeReady();
  const auto pushed = channel_->Push("invoke_tool_response", {"{}"});
  wire_->Say({std::nullopt, pushed->ref, kTopic, "phx_reply",
              R"({"status":"error","response":{"reason":"unmatched topic"}})"});
  EXPECT_FALSE(channel_->ready());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(wire_->Take("phx_join"), SizeIs(1));
  EXPECT_THAT(refused_, IsEmpty());
}

TEST_F(PhoenixChannelTest, OtherErrorRepliesToPushesAreReported) {
  MakeReady();
  const auto pushed = channel_->Push("hub_call:x", {"{}"});
  wire_->Reply(wire_->TakeOne("hub_call:x"), "error", R"({"code":"c"})");
  EXPECT_THAT(refused_, ElementsAre(absl::StrCat(pushed->ref, R"( {"code":"c"})")));
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, JoinAndRegistrationAreAwaitedForTenSeconds) {
  MakeChannel();
  wire_->Accept();
  wire_->Take("phx_join");
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(last_.reason(), HasSubstr("join"));
  scheduler_.Advance(absl::Seconds(1));
  wire_->Reply(wire_->TakeOne("phx_join"));
  const PhoenixFrame registration = wire_->TakeOne("register_plugin");
  scheduler_.Advance(absl::Seconds(10));
  EXPECT_THAT(last_.reason(), HasSubstr("registration"));

  wire_->Reply(registration);  // too late: that join is given up
  EXPECT_FALSE(channel_->ready());
  scheduler_.Advance(absl::Seconds(2));
  AcceptJoinAndRegistration();
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ARefusedDefinitionIsReportedWithItsFieldErrors) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error",
               R"({"code":"invalid","message":"bad definition",)"
               R"("suberrors":[{"path":["tools",0,"name"],"message":"is required"}]})");
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  EXPECT_THAT(last_.reason(), HasSubstr("bad definition"));
  ASSERT_EQ(last_.violations_size(), 1);
  EXPECT_EQ(last_.violations(0).path(), "tools[0].name");
  EXPECT_EQ(last_.violations(0).message(), "is required");
}

TEST_F(PhoenixChannelTest, ARefusedDefinitionIsTriedAgainSlowly) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", "{}");
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_THAT(wire_->sent, IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  wire_->Reply(wire_->TakeOne("register_plugin"));
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, AChangedDefinitionIsRegisteredWithoutLeaving) {
  MakeReady();
  channel_->SetDefinition(Definition(R"({"name":"p","v":2})"));
  EXPECT_TRUE(channel_->ready());
  const PhoenixFrame registration = wire_->TakeOne("register_plugin");
  EXPECT_EQ(registration.payload, R"({"name":"p","v":2})");
  EXPECT_EQ(registration.join_ref, join_.join_ref);
  wire_->Reply(registration);
  EXPECT_THAT(states_, ElementsAre(HubState::STATE_REGISTERED));
  EXPECT_THAT(wire_->sent, IsEmpty());
}

TEST_F(PhoenixChannelTest, ALargeDefinitionIsRegisteredWhenItIsItsTurn) {
  MakeChannel(Definition(std::string(20'000, ' ')));
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  EXPECT_EQ(asked_for_turn_, 1);
  EXPECT_NE(last_.state(), HubState::STATE_REJECTED);
  channel_->OnRegisterTurn();
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);  // too large for this socket
}

TEST_F(PhoenixChannelTest, ATurnThatComesAfterTheLossOfTheJoinIsOfNoUse) {
  MakeChannel(Definition(std::string(20'000, ' ')));
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  wire_->Lose();
  channel_->OnRegisterTurn();
  EXPECT_EQ(last_.state(), HubState::STATE_DISCONNECTED);
}

TEST_F(PhoenixChannelTest, TheSameDefinitionIsNotRegisteredTwice) {
  MakeReady();
  channel_->SetDefinition(Definition(R"({"name":"p"})"));
  EXPECT_THAT(wire_->sent, IsEmpty());
}

TEST_F(PhoenixChannelTest, ACorrectedDefinitionIsRegisteredAtOnce) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", "{}");
  channel_->SetDefinition(Definition(R"({"fixed":true})"));
  wire_->Reply(wire_->TakeOne("register_plugin"));
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ARefusedDefinitionThatIsAnnouncedAgainIsTriedAgainAtOnce) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", R"({"message":"no"})");
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  channel_->SetDefinition(Definition(R"({"name":"p"})"));
  scheduler_.Advance(absl::ZeroDuration());
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", R"({"message":"no"})");
  EXPECT_THAT(states_, ElementsAre(HubState::STATE_CONNECTING, HubState::STATE_REJECTED,
                                   HubState::STATE_CONNECTING, HubState::STATE_REJECTED));
}

// Workers of the definition before may still have calls from before the connection was lost.
TEST_F(PhoenixChannelTest, AfterARefusalAnswersGoOutOnALaterJoinToo) {
  MakeReady();
  channel_->SetDefinition(Definition(R"({"name":"p","changed":true})"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", R"({"message":"no"})");
  EndChannel("phx_error");
  EXPECT_FALSE(channel_->ready());
  scheduler_.Advance(absl::Seconds(1));
  join_ = wire_->TakeOne("phx_join");
  wire_->Reply(join_);
  EXPECT_FALSE(channel_->ready());
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", R"({"message":"no"})");
  EXPECT_TRUE(channel_->Push("invoke_tool_response", {"{}"}).ok());
}

TEST_F(PhoenixChannelTest, ARefusedJoinTakesNoAnswers) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"), "error", R"({"reason":"unauthorized"})");
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  EXPECT_FALSE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ARefusedChangeLeavesTheChannelReadyForAnswers) {
  MakeReady();
  channel_->SetDefinition(Definition(R"({"name":"p","changed":true})"));
  wire_->Reply(wire_->TakeOne("register_plugin"), "error", R"({"message":"no"})");
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  EXPECT_TRUE(channel_->ready());
  EXPECT_TRUE(channel_->Push("invoke_tool_response", {"{}"}).ok());
}

TEST_F(PhoenixChannelTest, OnlyTheReplyToTheLatestRegistrationCounts) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  const PhoenixFrame old = wire_->TakeOne("register_plugin");
  channel_->SetDefinition(Definition(R"({"v":2})"));
  wire_->Reply(old);
  EXPECT_FALSE(channel_->ready());
  wire_->Reply(wire_->TakeOne("register_plugin"));
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, ADefinitionTooLargeForTheHubIsRejectedHere) {
  MakeChannel(Definition("\"" + std::string(2000, 'x') + "\""));
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"));
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  EXPECT_THAT(last_.reason(), HasSubstr("1000"));
}

TEST_F(PhoenixChannelTest, ARefusedJoinIsReportedAndTriedAgain) {
  MakeChannel(nullptr);
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"), "error", R"({"reason":"no such plugin"})");
  EXPECT_EQ(last_.state(), HubState::STATE_REJECTED);
  EXPECT_THAT(last_.reason(), HasSubstr("no such plugin"));
  scheduler_.Advance(absl::Seconds(1));
  wire_->Reply(wire_->TakeOne("phx_join"));
  EXPECT_TRUE(channel_->ready());
}

TEST_F(PhoenixChannelTest, AFullSocketIsReportedAndWithoutABetterOneTriedAgain) {
  MakeChannel();
  wire_->Accept();
  wire_->Reply(wire_->TakeOne("phx_join"), "error", R"({"reason":"too many channels joined"})");
  EXPECT_EQ(full_, 1);
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(wire_->Take("phx_join"), SizeIs(1));
}

TEST_F(PhoenixChannelTest, JoinsAgainOnANewConnection) {
  MakeReady();
  wire_->Lose();
  EXPECT_THAT(states_, ElementsAre(HubState::STATE_DISCONNECTED));
  EXPECT_EQ(channel_->Push("e", {"{}"}).status().code(), absl::StatusCode::kUnavailable);
  scheduler_.Advance(absl::Seconds(1));
  wire_->sent.clear();
  wire_->Accept();
  AcceptJoinAndRegistration();
  EXPECT_TRUE(channel_->ready());
  EXPECT_EQ(channel_->Push("e", {"{}"})->position.socket, 2u);
}

TEST_F(PhoenixChannelTest, ProofOnANewConnectionDoesNotMistakeOldPositions) {
  MakeReady();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(channel_->Push("e", {"{}"}).ok());
  wire_->Lose();
  scheduler_.Advance(absl::Seconds(1));
  wire_->Accept();
  wire_->sent.clear();
  channel_->RequestProof();
  channel_->RequestProof();
  EXPECT_THAT(wire_->Take("heartbeat"), SizeIs(1));
}

TEST_F(PhoenixChannelTest, LeavingIsToldToTheHubAndSilentHere) {
  MakeReady();
  channel_->Leave();
  const PhoenixFrame leave = wire_->TakeOne("phx_leave");
  EXPECT_EQ(leave.join_ref, join_.join_ref);
  wire_->Reply(leave);
  EndChannel("phx_close");
  wire_->Lose();
  EXPECT_THAT(states_, IsEmpty());
}

TEST_F(PhoenixChannelTest, StrangeRepliesAreIgnored) {
  MakeReady();
  for (const char* payload : {"null", "[]", "{}", "\"ok\"", R"({"status":1,"response":7})",
                              R"({"status":"error","response":"text"})"}) {
    wire_->Say({join_.join_ref, "77", kTopic, "phx_reply", payload});
    wire_->Say({join_.join_ref, std::nullopt, kTopic, "phx_reply", payload});
  }
  EXPECT_TRUE(channel_->ready());
}

}  // namespace
}  // namespace atomemo::hub
