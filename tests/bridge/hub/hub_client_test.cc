#include "bridge/hub/hub_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fakes/fake_websocket.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::hub {
namespace {

using fakes::FakeWebSocket;
using router::HubMode;
using router::pb::HubState;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecordingListener : public router::HubListener {
 public:
  void OnTopicState(absl::string_view topic, HubState state) override {
    states.push_back(absl::StrCat(topic, " ", HubState::State_Name(state.state())));
    last_state = std::move(state);
    if (on_state) on_state();
  }
  void OnTopicLost(absl::string_view topic, const router::HubLoss& loss) override {
    losses.push_back(absl::StrCat(topic, " ", loss.close_code, loss.shared ? " shared" : ""));
  }
  void OnTopicLeft(absl::string_view topic, bool) override { left.emplace_back(topic); }
  void OnWritable() override { ++writable; }
  void OnProven(router::HubPosition upto) override { proven.push_back(upto); }
  void OnHubCall(absl::string_view topic, router::HubCall call) override {
    calls.push_back(absl::StrCat(topic, " ", call.event->name, " ", call.request_id));
  }
  void OnBadHubCall(absl::string_view, absl::string_view event, absl::string_view request_id,
                    const absl::Status& error) override {
    bad_calls.push_back(absl::StrCat(event, " ", request_id, " ", error.ToString()));
  }
  void OnHubReply(absl::string_view, absl::string_view request_id,
                  absl::StatusOr<std::string> outcome) override {
    replies.push_back(
        absl::StrCat(request_id, " ", outcome.ok() ? *outcome : outcome.status().ToString()));
    last_reply = outcome.status();
  }

  std::vector<std::string> states, calls, bad_calls, replies, losses, left;
  HubState last_state;
  absl::Status last_reply;
  std::vector<router::HubPosition> proven;
  int writable = 0;
  std::function<void()> on_state;
};

class HubClientTest : public ::testing::Test {
 protected:
  explicit HubClientTest(std::size_t max_frame_bytes = 1000) {
    HubClientOptions options;
    options.url = *ParseHubUrl("ws://hub.example:4000");
    options.api_key.key = "k1";
    options.socket.max_frame_bytes = max_frame_bytes;
    options.pool.max_channels_per_socket = 3;
    options.pool.spread = 1;
    options.send_buffer_bytes = 100;
    client_ = std::make_unique<HubClient>(scheduler_, wires_.AsFunction(), options);
    client_->set_listener(listener_);
  }

  static std::string Topic(HubMode mode, absl::string_view name) {
    return router::TopicOf(mode, name, "1.0.0");
  }
  void Announce(absl::string_view name, HubMode mode = HubMode::kDebug,
                std::string definition = R"({"v":1})") {
    client_->Announce(
        {Topic(mode, name), mode, std::make_shared<const std::string>(std::move(definition))});
    scheduler_.Advance(absl::ZeroDuration());
  }
  // Plays a hub that accepts whatever is asked, on every connection.
  void ServeAll() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t i = 0; i < wires_.size(); ++i) busy |= Serve(wires_[i]);
      scheduler_.Advance(absl::ZeroDuration());
    }
  }
  static bool Serve(FakeWebSocket& wire) {
    if (wire.is_connecting()) wire.Accept();
    std::vector<PhoenixFrame> asked = wire.Take("phx_join");
    for (PhoenixFrame& frame : wire.Take("register_plugin")) asked.push_back(std::move(frame));
    for (const PhoenixFrame& frame : asked) wire.Reply(frame);
    return !asked.empty();
  }
  // A plugin "p" in debug mode, announced and registered.
  void MakeReady() {
    Announce("p");
    ServeAll();
    listener_.states.clear();
  }
  void Say(absl::string_view event, absl::string_view payload) {
    wires_[0].Say({std::nullopt, std::nullopt, kTopic, std::string(event), std::string(payload)});
  }
  static router::HubAnswer Answer(std::string data = "1") {
    return {"invoke_tool", "r1", std::move(data)};
  }

  const std::string kTopic = Topic(HubMode::kDebug, "p");
  fakes::ManualScheduler scheduler_;
  FakeWebSocket::Factory wires_;
  RecordingListener listener_;
  std::unique_ptr<HubClient> client_;
};

TEST_F(HubClientTest, ConnectsBeforeThereIsATopicAndTellsWhatIsWrong) {
  EXPECT_FALSE(client_->Connection().connected());
  client_->Connect(HubMode::kDebug);
  scheduler_.Advance(absl::ZeroDuration());
  ASSERT_EQ(wires_.size(), 1u);
  EXPECT_EQ(client_->Connection().url(), "ws://hub.example:4000");
  EXPECT_EQ(client_->Connection().reason(), "connecting");
  wires_[0].Refuse(403);
  EXPECT_THAT(client_->Connection().reason(), HasSubstr("refused the debug API key"));
  scheduler_.Advance(absl::Seconds(5));
  wires_[0].Accept();
  EXPECT_TRUE(client_->Connection().connected());
  EXPECT_EQ(client_->Connection().open_sockets(), 1);
  MakeReady();
  EXPECT_EQ(wires_.size(), 1u);
}

TEST_F(HubClientTest, AnnouncingConnectsJoinsAndRegisters) {
  Announce("p");
  EXPECT_THAT(wires_[0].urls,
              ElementsAre("ws://hub.example:4000/debug_socket/websocket?api_key=k1&vsn=2.0.0"));
  EXPECT_THAT(listener_.states, ElementsAre("debug_plugin:p STATE_CONNECTING"));
  ServeAll();
  EXPECT_EQ(listener_.states.back(), "debug_plugin:p STATE_REGISTERED");
}

TEST_F(HubClientTest, ReleasePluginsHaveASocketOfTheirOwnAndRegisterNothing) {
  Announce("p");
  Announce("p", HubMode::kRelease);
  ASSERT_EQ(wires_.size(), 2u);
  EXPECT_THAT(wires_[1].urls,
              ElementsAre("ws://hub.example:4000/release_socket/websocket?vsn=2.0.0"));
  wires_[1].Accept();
  const PhoenixFrame join = wires_[1].TakeOne("phx_join");
  EXPECT_EQ(join.topic, "release_plugin:p__release__1.0.0");
  wires_[1].Reply(join);
  EXPECT_EQ(listener_.states.back(), "release_plugin:p__release__1.0.0 STATE_REGISTERED");
  EXPECT_THAT(wires_[1].sent, IsEmpty());
}

TEST_F(HubClientTest, TheListenerIsNotCalledInsideACall) {
  Announce("p");
  ServeAll();
  listener_.states.clear();
  client_->Announce(
      {Topic(HubMode::kDebug, "q"), HubMode::kDebug, std::make_shared<const std::string>("{}")});
  EXPECT_THAT(listener_.states, IsEmpty());
  scheduler_.RunPosted();
  EXPECT_THAT(listener_.states, ElementsAre("debug_plugin:q STATE_CONNECTING"));
}

TEST_F(HubClientTest, TopicsShareASocketUntilItIsFull) {
  for (const char* name : {"a", "b", "c", "d"}) Announce(name);
  ServeAll();
  EXPECT_EQ(wires_.size(), 2u);
  EXPECT_THAT(listener_.states, testing::Contains("debug_plugin:d STATE_REGISTERED"));
}

TEST_F(HubClientTest, ATopicMovesWhenTheHubSaysTheSocketIsFull) {
  Announce("a");
  ServeAll();
  Announce("b");
  wires_[0].Reply(wires_[0].TakeOne("phx_join"), "error",
                  R"({"reason":"too many channels joined"})");
  scheduler_.Advance(absl::ZeroDuration());
  ASSERT_EQ(wires_.size(), 2u);
  ServeAll();
  EXPECT_EQ(listener_.states.back(), "debug_plugin:b STATE_REGISTERED");
  Announce("c");
  EXPECT_EQ(wires_.size(), 2u);
  EXPECT_THAT(wires_[0].Take("phx_join"), IsEmpty());
  EXPECT_THAT(wires_[1].Take("phx_join"), SizeIs(1));
}

TEST_F(HubClientTest, ALonelyTopicDoesNotOpenSocketAfterSocket) {
  Announce("a");
  wires_[0].Accept();
  for (int i = 0; i < 5; ++i) {
    wires_[0].Reply(wires_[0].TakeOne("phx_join"), "error",
                    R"({"reason":"too many channels joined"})");
    scheduler_.Advance(absl::Seconds(10));
  }
  EXPECT_EQ(wires_.size(), 1u);
}

TEST_F(HubClientTest, EmptySocketsAreClosedAfterAWhile) {
  for (const char* name : {"a", "b", "c", "d"}) Announce(name);
  ServeAll();
  client_->Withdraw(Topic(HubMode::kDebug, "d"));
  EXPECT_THAT(wires_[1].Take("phx_leave"), SizeIs(1));
  scheduler_.Advance(absl::Seconds(29));
  EXPECT_THAT(wires_[1].close_codes, IsEmpty());
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_THAT(wires_[1].close_codes, ElementsAre(1000));
  wires_[1].Lose(1000);
  scheduler_.RunPosted();
  EXPECT_EQ(wires_.size(), 1u);
}

TEST_F(HubClientTest, AnEmptySocketIsUsedAgain) {
  MakeReady();
  client_->Withdraw(kTopic);
  Announce("q");
  scheduler_.Advance(absl::Seconds(29));
  wires_[0].Reply(wires_[0].TakeOne("heartbeat"));
  EXPECT_EQ(wires_.size(), 1u);
  EXPECT_THAT(wires_[0].close_codes, IsEmpty());
}

TEST_F(HubClientTest, ATopicMayBeWithdrawnWhileItsStateIsReported) {
  Announce("p");
  listener_.on_state = [this] { client_->Withdraw(kTopic); };
  ServeAll();
  EXPECT_FALSE(client_->Push(kTopic, Answer()).has_value());
}

TEST_F(HubClientTest, ACallIsDecodedAndPassedOn) {
  MakeReady();
  Say("invoke_tool", R"({"request_id":"r1","tool_name":"t","parameters":{}})");
  EXPECT_THAT(listener_.calls, ElementsAre("debug_plugin:p invoke_tool r1"));
}

TEST_F(HubClientTest, UnusableCallsAreReportedIfTheyCanBeAnswered) {
  MakeReady();
  Say("invoke_tool", R"({"request_id":"r1","parameters":{}})");
  Say("dance", R"({"request_id":"r2"})");
  Say("dance", "{}");
  Say("invoke_tool", "[]");
  EXPECT_THAT(listener_.bad_calls, ElementsAre(AllOf(HasSubstr("invoke_tool r1 INVALID_ARGUMENT"),
                                                     HasSubstr("tool_name")),
                                               HasSubstr("dance r2 UNIMPLEMENTED")));
}

TEST_F(HubClientTest, ARequestIdThatIsNoStringIsAnsweredAsItCame) {
  MakeReady();
  Say("invoke_tool", R"({"request_id":7.0,"tool_name":"t","parameters":{}})");
  EXPECT_EQ(wires_[0].TakeOne("invoke_tool_error").payload,
            R"({"request_id":7.0,"error":{"code":"sdk:invalid_request_id",)"
            R"("name":"InvalidRequestId","message":"the request_id must be a string that is )"
            R"(not empty, found a number"}})");
  Say("dance", R"({"request_id":[1]})");
  EXPECT_THAT(wires_[0].TakeOne("unsupported_event").payload, HasSubstr(R"({"request_id":[1],)"));
  EXPECT_THAT(listener_.bad_calls, IsEmpty());
}

TEST_F(HubClientTest, AnAnswerIsPushedOnItsTopic) {
  MakeReady();
  const auto position = client_->Push(kTopic, Answer(R"({"x":1.0})"));
  ASSERT_TRUE(position.has_value());
  const PhoenixFrame pushed = wires_[0].TakeOne("invoke_tool_response");
  EXPECT_EQ(pushed.topic, kTopic);
  EXPECT_EQ(pushed.payload, R"({"request_id":"r1","data":{"x":1.0}})");
  EXPECT_GT(client_->Push(kTopic, Answer())->sequence, position->sequence);
}

TEST_F(HubClientTest, NothingIsPushedUnlessRegistered) {
  EXPECT_FALSE(client_->Push(kTopic, Answer()).has_value());
  Announce("p");
  EXPECT_FALSE(client_->Push(kTopic, Answer()).has_value());
  wires_[0].Accept();
  wires_[0].Reply(wires_[0].TakeOne("phx_join"));
  EXPECT_FALSE(client_->Push(kTopic, Answer()).has_value());
  EXPECT_FALSE(client_->PushRequest(kTopic, {"q1", "get_file_url", "{}"}));
}

TEST_F(HubClientTest, AProofCoversWhatWasPushedBeforeItWasAskedFor) {
  MakeReady();
  const router::HubPosition first = *client_->Push(kTopic, Answer());
  client_->RequestProof(kTopic);
  const PhoenixFrame beat = wires_[0].TakeOne("heartbeat");
  const router::HubPosition second = *client_->Push(kTopic, Answer());
  wires_[0].Reply(beat);
  ASSERT_EQ(listener_.proven.size(), 1u);
  EXPECT_EQ(listener_.proven[0].socket, first.socket);
  EXPECT_GE(listener_.proven[0].sequence, first.sequence);
  EXPECT_LT(listener_.proven[0].sequence, second.sequence);
}

TEST_F(HubClientTest, ConnectionsAreNumberedOverAllSockets) {
  MakeReady();
  Announce("r", HubMode::kRelease);
  ServeAll();
  const std::string release = Topic(HubMode::kRelease, "r");
  EXPECT_NE(client_->Push(kTopic, Answer())->socket, client_->Push(release, Answer())->socket);
}

TEST_F(HubClientTest, AFullSendBufferRefusesPushesUntilItHasRoom) {
  MakeReady();
  wires_[0].buffered = 101;
  EXPECT_FALSE(client_->Push(kTopic, Answer()).has_value());
  EXPECT_FALSE(client_->PushRequest(kTopic, {"q1", "get_file_url", "{}"}));
  wires_[0].buffered = 60;
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(listener_.writable, 0);
  wires_[0].buffered = 50;
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_EQ(listener_.writable, 1);
  EXPECT_TRUE(client_->Push(kTopic, Answer()).has_value());
}

TEST_F(HubClientTest, AnAnswerTooLargeForTheHubBecomesAnErrorThatNamesTheLimit) {
  MakeReady();
  EXPECT_TRUE(client_->Push(kTopic, Answer("\"" + std::string(1000, 'x') + "\"")).has_value());
  const PhoenixFrame pushed = wires_[0].TakeOne("invoke_tool_error");
  EXPECT_THAT(pushed.payload, AllOf(HasSubstr("\"r1\""), HasSubstr("sdk:invalid_return"),
                                    HasSubstr("at most 1000")));
  EXPECT_EQ(client_->max_frame_bytes(), 1000u);
}

TEST_F(HubClientTest, AnAnswerThatTheHubClosedTheConnectionForShowsItsLimit) {
  MakeReady();
  router::HubLoss loss;
  loss.close_code = kCloseTooBig;
  client_->LearnFrom(Answer(absl::StrCat("\"", std::string(500, 'x'), "\"")), loss);
  EXPECT_LT(client_->max_frame_bytes(), 700u);
  EXPECT_GT(client_->max_frame_bytes(), 500u);
  ASSERT_TRUE(client_->Push(kTopic, Answer(absl::StrCat("\"", std::string(520, 'x'), "\""))));
  EXPECT_THAT(wires_[0].sent.back().payload, HasSubstr("AnswerTooLarge"));
  ASSERT_TRUE(client_->Push(kTopic, Answer(absl::StrCat("\"", std::string(300, 'x'), "\""))));
  EXPECT_THAT(wires_[0].sent.back().payload, HasSubstr("xxxx"));
}

class LargeFrameTest : public HubClientTest {
 protected:
  LargeFrameTest() : HubClientTest(/*max_frame_bytes=*/1'000'000) {}
};

TEST_F(LargeFrameTest, AnAnswerThatTheHubCannotReadShowsNoLimitHoweverLargeItIs) {
  MakeReady();
  router::HubLoss loss;
  loss.cause = router::HubLoss::Cause::kRefused;
  loss.close_code = kCloseInternalError;
  const auto answer = Answer(absl::StrCat("\"", std::string(300'000, 'x'), "\""));
  client_->LearnFrom(answer, loss);
  EXPECT_EQ(client_->max_frame_bytes(), 1'000'000u);
  loss.cause = router::HubLoss::Cause::kMute;
  loss.close_code = kCloseAbnormal;
  client_->LearnFrom(Answer(), loss);
  EXPECT_EQ(client_->max_frame_bytes(), 1'000'000u);
  client_->LearnFrom(answer, loss);
  EXPECT_LT(client_->max_frame_bytes(), 310'000u);
}

TEST_F(HubClientTest, APluginsCallThatIsLargerThanTheLimitThatTheHubHasShownFailsAlone) {
  MakeReady();
  router::HubLoss loss;
  loss.close_code = kCloseTooBig;
  client_->LearnFrom(Answer(absl::StrCat("\"", std::string(500, 'x'), "\"")), loss);
  const std::string data = absl::StrCat("{\"a\":\"", std::string(600, 'x'), "\"}");
  EXPECT_TRUE(client_->PushRequest(kTopic, {"h1", "invoke_llm", data}));
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(wires_[0].Count("hub_call:invoke_llm"), 0u);
  ASSERT_EQ(listener_.replies.size(), 1u);
  EXPECT_THAT(listener_.replies[0], HasSubstr("RESOURCE_EXHAUSTED"));
}

TEST_F(HubClientTest, ALossIsToldBeforeTheState) {
  Announce("p");
  Announce("q");
  ServeAll();
  listener_.states.clear();
  wires_[0].Lose(kCloseTooBig);
  EXPECT_THAT(listener_.losses,
              ElementsAre("debug_plugin:p 1009 shared", "debug_plugin:q 1009 shared"));
  EXPECT_THAT(listener_.states, SizeIs(2));
}

TEST_F(HubClientTest, ATopicInQuarantineHasAConnectionOfItsOwn) {
  Announce("p");
  Announce("q");
  ServeAll();
  ASSERT_EQ(wires_.size(), 1u);
  client_->Quarantine(kTopic);
  ServeAll();
  ASSERT_EQ(wires_.size(), 2u);
  wires_[1].Lose(kCloseTooBig);
  EXPECT_THAT(listener_.losses, ElementsAre("debug_plugin:p 1009"));
  Announce("r");
  ServeAll();
  EXPECT_EQ(wires_.size(), 2u);
  wires_[0].Lose(kCloseTooBig);
  EXPECT_THAT(listener_.losses, SizeIs(3));  // q and r were on the shared one
}

TEST_F(HubClientTest, RefusalsAreSentWhateverTheSendBufferHolds) {
  MakeReady();
  wires_[0].buffered = 101;
  EXPECT_FALSE(client_->Push(kTopic, Answer()));
  EXPECT_TRUE(client_->PushRefusal(kTopic, Answer()));
  EXPECT_FALSE(client_->PushRefusal("debug_plugin:unknown", Answer()));
}

TEST_F(HubClientTest, ATopicThatWasLeftIsJoinedAgainWhenItIsAnnounced) {
  MakeReady();
  client_->Leave(kTopic);
  const PhoenixFrame leave = wires_[0].TakeOne("phx_leave");
  Say("invoke_tool", R"({"request_id":"r1","tool_name":"t","parameters":{}})");
  EXPECT_THAT(listener_.calls, SizeIs(1));
  wires_[0].Reply(leave);
  EXPECT_THAT(listener_.left, ElementsAre(kTopic));
  EXPECT_FALSE(client_->Push(kTopic, Answer()));
  Announce("p");
  ServeAll();
  EXPECT_TRUE(client_->Push(kTopic, Answer()));
}

TEST_F(HubClientTest, AnAnswerThatNoFrameCanHoldCountsAsSentSoThatItBlocksNobody) {
  MakeReady();
  // Not even an error with this request_id fits. It comes first on the connection.
  const auto unsent =
      client_->Push(kTopic, {"invoke_tool", std::string(2000, 'r'), std::string("1")});
  ASSERT_TRUE(unsent.has_value());
  EXPECT_THAT(wires_[0].sent, IsEmpty());
  const auto sent = client_->Push(kTopic, Answer());
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(unsent->socket, sent->socket);
  EXPECT_LE(unsent->sequence, sent->sequence);
  EXPECT_THAT(wires_[0].Take("invoke_tool_response"), SizeIs(1));
}

TEST_F(HubClientTest, ARequestTooLargeForTheHubFails) {
  MakeReady();
  EXPECT_TRUE(
      client_->PushRequest(kTopic, {"q1", "invoke_llm", "\"" + std::string(1000, 'x') + "\""}));
  EXPECT_THAT(listener_.replies, IsEmpty());
  scheduler_.RunPosted();
  EXPECT_THAT(listener_.replies, ElementsAre(HasSubstr("q1 RESOURCE_EXHAUSTED")));
}

TEST_F(HubClientTest, ARequestIsAnsweredByTheHubsResponse) {
  MakeReady();
  ASSERT_TRUE(client_->PushRequest(kTopic, {"q1", "get_file_url", R"({"res_key":"k"})"}));
  const PhoenixFrame pushed = wires_[0].TakeOne("hub_call:get_file_url");
  EXPECT_EQ(pushed.payload, R"({"request_id":"q1","data":{"res_key":"k"}})");
  wires_[0].Reply(pushed);
  EXPECT_THAT(listener_.replies, IsEmpty());
  Say("hub_call_response", R"({"request_id":"q1","data":{"url":"u","n":1.0}})");
  Say("hub_call_response", R"({"request_id":"q1","data":{}})");
  EXPECT_THAT(listener_.replies, ElementsAre(R"(q1 {"url":"u","n":1.0})"));
}

TEST_F(HubClientTest, ARequestFailsByTheHubsError) {
  MakeReady();
  client_->PushRequest(kTopic, {"q1", "get_file_url", "{}"});
  Say("hub_call_error", R"({"request_id":"q1","error":{"code":"not_found","message":"no"}})");
  EXPECT_THAT(listener_.replies, SizeIs(1));
  EXPECT_EQ(listener_.last_reply.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(router::GetHubError(listener_.last_reply)->code(), "not_found");
}

TEST_F(HubClientTest, ARequestFailsByAnErrorReplyToItsPush) {
  MakeReady();
  client_->PushRequest(kTopic, {"q1", "a", "{}"});
  client_->PushRequest(kTopic, {"q2", "b", "{}"});
  wires_[0].Reply(wires_[0].TakeOne("hub_call:b"), "error", R"({"code":"x","message":"no"})");
  EXPECT_THAT(listener_.replies, ElementsAre(HasSubstr("q2 ABORTED")));
}

TEST_F(HubClientTest, RequestsAreLostWithTheChannel) {
  MakeReady();
  client_->PushRequest(kTopic, {"q1", "a", "{}"});
  wires_[0].Lose();
  scheduler_.RunPosted();
  EXPECT_THAT(listener_.replies, ElementsAre(HasSubstr("q1 UNAVAILABLE")));
  ServeAll();
  Say("hub_call_response", R"({"request_id":"q1","data":1})");
  EXPECT_THAT(listener_.replies, SizeIs(1));
}

TEST_F(HubClientTest, RequestsFailWhenTheirTopicIsWithdrawn) {
  MakeReady();
  client_->PushRequest(kTopic, {"q1", "a", "{}"});
  client_->Withdraw(kTopic);
  scheduler_.RunPosted();
  EXPECT_THAT(listener_.replies, ElementsAre(HasSubstr("q1 UNAVAILABLE")));
}

TEST_F(HubClientTest, AllTopicsReturnAfterALostConnection) {
  Announce("a");
  Announce("b");
  ServeAll();
  listener_.states.clear();
  wires_[0].Lose(1012);
  scheduler_.Advance(absl::Seconds(1));
  ServeAll();
  EXPECT_THAT(listener_.states,
              ElementsAre("debug_plugin:a STATE_DISCONNECTED", "debug_plugin:b STATE_DISCONNECTED",
                          "debug_plugin:a STATE_CONNECTING", "debug_plugin:b STATE_CONNECTING",
                          "debug_plugin:a STATE_REGISTERED", "debug_plugin:b STATE_REGISTERED"));
}

TEST_F(HubClientTest, AStateIsReportedOnceHoweverOftenItRecurs) {
  MakeReady();
  for (int i = 0; i < 5; ++i) {
    wires_[0].Refuse(403);
    scheduler_.Advance(absl::Seconds(6));
  }
  EXPECT_THAT(listener_.states, ElementsAre("debug_plugin:p STATE_UNAUTHORIZED"));
}

TEST_F(HubClientTest, ATopicAnnouncedToARefusedSocketIsToldWhy) {
  MakeReady();
  wires_[0].Refuse(403);
  Announce("q");
  EXPECT_EQ(listener_.states.back(), "debug_plugin:q STATE_UNAUTHORIZED");
  EXPECT_THAT(listener_.last_state.reason(), HasSubstr("refresh-key"));
}

TEST_F(HubClientTest, AnAcceptedChangeOfTheDefinitionIsReported) {
  MakeReady();
  Announce("p", HubMode::kDebug, R"({"v":2})");
  EXPECT_THAT(listener_.states, IsEmpty());
  const PhoenixFrame registration = wires_[0].TakeOne("register_plugin");
  EXPECT_EQ(registration.payload, R"({"v":2})");
  wires_[0].Reply(registration);
  EXPECT_THAT(listener_.states, ElementsAre("debug_plugin:p STATE_REGISTERED"));
}

// The author changed something, and the hub says the same as before: it is news all the same.
TEST_F(HubClientTest, EveryVerdictOnADefinitionIsReported) {
  MakeReady();
  const std::string rejected = kTopic + " STATE_REJECTED";
  for (const char* definition : {R"({"v":2})", R"({"v":3})", R"({"v":3})"}) {
    listener_.states.clear();
    Announce("p", HubMode::kDebug, definition);
    wires_[0].Reply(wires_[0].TakeOne("register_plugin"), "error", R"({"message":"no"})");
    scheduler_.Advance(absl::ZeroDuration());
    ASSERT_FALSE(listener_.states.empty()) << definition;
    EXPECT_EQ(listener_.states.back(), rejected) << definition;
    EXPECT_TRUE(client_->IsUp(kTopic));
  }
}

TEST_F(HubClientTest, RequestsSurviveARefusedChangeOfTheDefinition) {
  MakeReady();
  ASSERT_TRUE(client_->PushRequest(kTopic, {"q1", "get_file_url", "{}"}));
  Announce("p", HubMode::kDebug, R"({"v":2})");
  wires_[0].Reply(wires_[0].TakeOne("register_plugin"), "error", R"({"message":"no"})");
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_THAT(listener_.replies, IsEmpty());
  Say("hub_call_response", R"({"request_id":"q1","data":{"url":"u"}})");
  EXPECT_THAT(listener_.replies, ElementsAre(R"(q1 {"url":"u"})"));
}

TEST_F(HubClientTest, AnnouncingTheSameAgainDoesNothing) {
  MakeReady();
  Announce("p");
  EXPECT_THAT(listener_.states, IsEmpty());
  EXPECT_THAT(wires_[0].sent, IsEmpty());
}

TEST_F(HubClientTest, ShutdownLeavesTheTopicsAndClosesTheConnections) {
  MakeReady();
  int done = 0;
  client_->Shutdown([&] { ++done; });
  EXPECT_THAT(wires_[0].Take("phx_leave"), SizeIs(1));
  EXPECT_THAT(wires_[0].close_codes, ElementsAre(1000));
  EXPECT_EQ(done, 0);
  wires_[0].Lose(1000);
  scheduler_.Advance(absl::Minutes(1));
  EXPECT_EQ(done, 1);
  EXPECT_THAT(listener_.states, IsEmpty());
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

TEST_F(HubClientTest, ShutdownDoesNotWaitForASilentHub) {
  MakeReady();
  int done = 0;
  client_->Shutdown([&] { ++done; });
  scheduler_.Advance(absl::Seconds(3));
  EXPECT_EQ(done, 1);
}

TEST_F(HubClientTest, ShutdownWithNothingAnnouncedIsDoneAtOnce) {
  int done = 0;
  client_->Shutdown([&] { ++done; });
  EXPECT_EQ(done, 0);
  scheduler_.RunPosted();
  EXPECT_EQ(done, 1);
}

TEST_F(HubClientTest, NothingRunsAfterDestruction) {
  MakeReady();
  client_->PushRequest(kTopic, {"q1", "a", "{}"});
  client_->Withdraw(kTopic);
  client_->Shutdown([] {});
  client_.reset();
  scheduler_.Advance(absl::Minutes(5));
  EXPECT_THAT(listener_.replies, IsEmpty());
  EXPECT_EQ(scheduler_.pending_timers(), 0u);
}

TEST_F(HubClientTest, ACallThatCannotBeReadIsReportedWithItsIdAndTheReason) {
  MakeReady();
  wires_[0].Say(
      R"([null,null,"debug_plugin:p","invoke_tool",{"request_id":"r1","parameters":{"k":NaN}}])");
  EXPECT_THAT(listener_.bad_calls, ElementsAre(AllOf(HasSubstr("invoke_tool r1 INVALID_ARGUMENT"),
                                                     HasSubstr("the call cannot be read: "),
                                                     HasSubstr("NaN is no JSON: use null"))));
  EXPECT_THAT(listener_.calls, IsEmpty());
}

TEST_F(HubClientTest, AnUnknownEventThatCannotBeReadIsStillUnknown) {
  MakeReady();
  wires_[0].Say(R"([null,null,"debug_plugin:p","dance",{"request_id":"r1","k":NaN}])");
  EXPECT_THAT(listener_.bad_calls, ElementsAre(HasSubstr("dance r1 UNIMPLEMENTED")));
}

TEST_F(HubClientTest, AnAnswerOfTheHubThatCannotBeReadFailsTheCallAtOnce) {
  MakeReady();
  ASSERT_TRUE(client_->PushRequest(kTopic, {"h1", "invoke_llm", "{}"}));
  wires_[0].Say(
      R"([null,null,"debug_plugin:p","hub_call_response",{"request_id":"h1","data":[1,]}])");
  EXPECT_THAT(listener_.replies, ElementsAre(AllOf(HasSubstr("h1 INTERNAL"),
                                                   HasSubstr("the hub's answer cannot be read"))));
}

TEST_F(HubClientTest, AnErrorReplyThatCannotBeReadFailsTheCallAtOnce) {
  MakeReady();
  ASSERT_TRUE(client_->PushRequest(kTopic, {"h1", "invoke_llm", "{}"}));
  const PhoenixFrame pushed = wires_[0].TakeOne("hub_call:invoke_llm");
  wires_[0].Say(absl::StrCat(R"(["1",")", *pushed.ref, R"(","debug_plugin:p","phx_reply",)",
                             R"({"status":"error","response":{"why":NaN}}])"));
  EXPECT_THAT(listener_.replies, ElementsAre(AllOf(HasSubstr("h1 ABORTED"),
                                                   HasSubstr("the hub's reply cannot be read"))));
}

TEST_F(HubClientTest, TheHubsAnswerKeepsTheDigitsOfItsNumbers) {
  MakeReady();
  ASSERT_TRUE(client_->PushRequest(kTopic, {"h1", "get_file_url", "{}"}));
  Say("hub_call_response", R"({"request_id":"h1","data":{"n":100000000000000000000,"m":1e400}})");
  EXPECT_THAT(listener_.replies, ElementsAre(R"(h1 {"n":100000000000000000000,"m":1e400})"));
}

}  // namespace
}  // namespace atomemo::hub
