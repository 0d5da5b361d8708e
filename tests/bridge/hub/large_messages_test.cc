// A large message from the hub is read while others have their turn on the io thread, and
// everything is handled in the order in which it came all the same.

#include <gmock/gmock.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/hub/hub_client.h"
#include "bridge/hub/phoenix_socket.h"
#include "tests/fakes/fake_websocket.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Call(const std::string& id, std::size_t bytes) {
  return absl::StrCat(R"(["1",null,"t","invoke_tool",{"request_id":")", id,
                      R"(","tool_name":"x","parameters":{"t":")", std::string(bytes, 'x'),
                      R"("}}])");
}
std::string LargeCall(const std::string& id) { return Call(id, base::kLargeMessage); }

class LargeMessagesTest : public ::testing::Test, private PhoenixSocket::TopicHandler {
 protected:
  LargeMessagesTest() {
    auto transport = std::make_unique<fakes::FakeWebSocket>();
    wire_ = transport.get();
    socket_ = std::make_unique<PhoenixSocket>(
        PhoenixSocket::Environment{
            scheduler_, std::move(transport),
            [](const PhoenixSocket::UrlCallback& done) { done(std::string("ws://hub")); },
            "ws://hub", [] { return 1; }, [](router::HubPosition) {}, 1},
        PhoenixSocket::Options());
    socket_->Attach("t", *this);
    socket_->Start();
    scheduler_.Advance(absl::ZeroDuration());
    wire_->Accept();
  }
  ~LargeMessagesTest() override {
    if (socket_ != nullptr) socket_->Detach("t");
  }

  void OnSocketOpen() override {}
  void OnSocketDown(const router::pb::HubState&, const router::HubLoss&) override {
    log_.emplace_back("down");
  }
  void OnFrame(ReceivedFrame frame) override {
    const EventContent event = frame.read != nullptr ? std::move(*frame.read) : ReadEvent(frame);
    if (const auto* call = std::get_if<router::HubCall>(&event)) {
      log_.push_back(call->request_id);
    } else if (const auto* bad = std::get_if<BadCall>(&event)) {
      log_.push_back(absl::StrCat(bad->request_id, ": ", bad->error.message()));
    }
  }

  fakes::ManualScheduler scheduler_;
  fakes::FakeWebSocket* wire_ = nullptr;
  std::unique_ptr<PhoenixSocket> socket_;
  std::vector<std::string> log_;
};

TEST_F(LargeMessagesTest, OthersHaveTheirTurnWhileItIsRead) {
  wire_->Say(LargeCall("large"));
  scheduler_.Post([this] { log_.emplace_back("another task"); });
  scheduler_.RunPosted();
  EXPECT_THAT(log_, ElementsAre("another task", "large"));
}

TEST_F(LargeMessagesTest, ASmallMessageIsHandledAtOnce) {
  wire_->Say(Call("small", 10));
  EXPECT_THAT(log_, ElementsAre("small"));
}

TEST_F(LargeMessagesTest, WhatComesBehindItWaits) {
  wire_->Say(LargeCall("r1"));
  wire_->Say(Call("r2", 10));
  wire_->Say(LargeCall("r3"));
  wire_->Say(Call("r4", 10));
  EXPECT_THAT(log_, IsEmpty());
  scheduler_.RunPosted();
  EXPECT_THAT(log_, ElementsAre("r1", "r2", "r3", "r4"));
  wire_->Say(Call("r5", 10));
  EXPECT_THAT(log_, ElementsAre("r1", "r2", "r3", "r4", "r5"));
}

TEST_F(LargeMessagesTest, NothingMoreIsReadFromTheConnectionMeanwhile) {
  wire_->Say(LargeCall("r1"));
  EXPECT_FALSE(wire_->reading);
  scheduler_.RunPosted();
  EXPECT_TRUE(wire_->reading);
}

TEST_F(LargeMessagesTest, AConnectionThatIsPausedForWhatItHasToSendStaysSo) {
  wire_->buffered = PhoenixSocket::Options().pause_reading_above + 1;
  wire_->Say(LargeCall("r1"));
  scheduler_.RunPosted();
  EXPECT_FALSE(wire_->reading);
  wire_->buffered = 0;
  scheduler_.Advance(absl::Seconds(1));
  EXPECT_TRUE(wire_->reading);
}

TEST_F(LargeMessagesTest, ItCountsThoughTheConnectionIsLostMeanwhile) {
  wire_->Say(LargeCall("r1"));
  wire_->Lose();
  EXPECT_THAT(log_, IsEmpty());
  scheduler_.RunPosted();
  EXPECT_THAT(log_, ElementsAre("r1", "down"));
}

TEST_F(LargeMessagesTest, OneThatCannotBeReadIsTellingWhomItConcerns) {
  std::string call = LargeCall("r1");
  call.replace(call.find("xx"), 2, "\x01x");
  wire_->Say(call);
  scheduler_.RunPosted();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("r1: the call cannot be read")));
}

TEST_F(LargeMessagesTest, NothingComesOfItOnceTheSocketIsGone) {
  wire_->Say(LargeCall("r1"));
  socket_->Detach("t");
  socket_.reset();
  scheduler_.RunPosted();
  EXPECT_THAT(log_, IsEmpty());
}

class CallListener : public router::HubListener {
 public:
  void OnTopicState(absl::string_view, router::pb::HubState) override {}
  void OnTopicLost(absl::string_view, const router::HubLoss&) override {}
  void OnTopicLeft(absl::string_view, bool) override {}
  void OnWritable() override {}
  void OnProven(router::HubPosition) override {}
  void OnHubCall(absl::string_view, router::HubCall) override { ++calls; }
  void OnBadHubCall(absl::string_view, absl::string_view event, absl::string_view,
                    const absl::Status&) override {
    bad_events.emplace_back(event);
  }
  void OnHubReply(absl::string_view, absl::string_view, absl::StatusOr<std::string>) override {}

  int calls = 0;
  std::vector<std::string> bad_events;
};

class LargeHubMessagesTest : public ::testing::Test {
 protected:
  LargeHubMessagesTest() {
    HubClientOptions options;
    options.url = *ParseHubUrl("ws://hub.example:4000");
    options.api_key.key = "k1";
    options.pool.spread = 1;
    client_ = std::make_unique<HubClient>(scheduler_, wires_.AsFunction(), options);
    client_->set_listener(listener_);
  }

  // Announces these plugins; the hub takes their joins.
  void Join(const std::vector<std::string>& topics, std::string definition) {
    const auto shared = std::make_shared<const std::string>(std::move(definition));
    for (const std::string& topic : topics) {
      client_->Announce({topic, router::HubMode::kDebug, shared});
    }
    scheduler_.Advance(absl::ZeroDuration());
    wire().Accept();
    for (const PhoenixFrame& join : wire().Take("phx_join")) wire().Reply(join);
  }
  // A plugin "debug_plugin:a" that is registered.
  void MakeReady() {
    Join({"debug_plugin:a"}, "{}");
    wire().Reply(wire().TakeOne("register_plugin"));
  }
  void Say(const std::string& event, const std::string& request_id) {
    wire().Say(
        {std::nullopt, std::nullopt, "debug_plugin:a", event,
         absl::StrCat(R"({"request_id":")", request_id, R"(","tool_name":"t","parameters":{}})")});
    scheduler_.RunPosted();
  }
  fakes::FakeWebSocket& wire() { return wires_[0]; }

  fakes::ManualScheduler scheduler_;
  fakes::FakeWebSocket::Factory wires_;
  CallListener listener_;
  std::unique_ptr<HubClient> client_;
};

TEST_F(LargeHubMessagesTest, OthersHaveTheirTurnWhileTopicsRegister) {
  Join({"debug_plugin:a", "debug_plugin:b", "debug_plugin:c"},
       absl::StrCat("\"", std::string(100'000, 'x'), "\""));
  std::size_t registered = 0;
  scheduler_.After(absl::ZeroDuration(), [&] { registered = wire().Count("register_plugin"); });
  scheduler_.Advance(absl::ZeroDuration());
  EXPECT_EQ(registered, 1u);
  EXPECT_EQ(wire().Count("register_plugin"), 3u);
}

TEST_F(LargeHubMessagesTest, ARequestIdThatIsTooLongIsAnsweredAndForgotten) {
  MakeReady();
  const std::string id(kMaxRequestIdBytes + 1, 'r');
  Say("invoke_tool", id);
  const PhoenixFrame answer = wire().TakeOne("invoke_tool_error");
  EXPECT_THAT(answer.payload, HasSubstr(id));
  EXPECT_THAT(answer.payload, HasSubstr("the request_id has 65537 bytes, and may have 65536"));
  Say("dance", id);
  EXPECT_EQ(wire().Count("dance_error"), 1u);
  EXPECT_EQ(listener_.calls, 0);
  EXPECT_THAT(listener_.bad_events, IsEmpty());
}

TEST_F(LargeHubMessagesTest, ALongEventIsCutWhereItIsToldOf) {
  MakeReady();
  Say(std::string(kMaxNameBytes + 1, 'e'), "r1");
  EXPECT_THAT(listener_.bad_events, ElementsAre(std::string(kMaxNameBytes, 'e')));
}

TEST(ReadInFullTest, OfAReplyThatNobodyCouldUseOnlyTheStatusIsLeft) {
  const auto frame =
      ReadInFull(absl::StrCat(R"(["1","1","t","phx_reply",{"response":{"reason":")",
                              std::string(2 << 20, 'x'), R"("},"status":"error"}])"));
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_THAT(frame->payload, HasSubstr(R"("status":"error")"));
  EXPECT_THAT(frame->payload, HasSubstr("is not read"));
  EXPECT_LT(frame->payload.size(), 200u);
}

TEST(ReadInFullTest, AHubsAnswerToAPluginsCallIsCutOut) {
  const auto frame =
      ReadInFull(R"(["1",null,"t","hub_call_response",{"request_id":"r","data":[1.0]}])");
  ASSERT_TRUE(frame.ok()) << frame.status();
  ASSERT_NE(frame->read, nullptr);
  const auto& reply = std::get<HubReply>(*frame->read);
  EXPECT_EQ(reply.request_id, "r");
  ASSERT_TRUE(reply.outcome.ok()) << reply.outcome.status();
  EXPECT_EQ(*reply.outcome, "[1.0]");
}

}  // namespace
}  // namespace atomemo::hub
