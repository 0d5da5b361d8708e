// What goes wrong between hub, bridge and plugin, and what the hub still gets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/child_process.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

constexpr char kTopic[] = "debug_plugin:integration";
constexpr int kAccepted = 202;

class FailuresTest : public BridgeFixture {
 protected:
  // A call that was lost together with its connection is not the bridge's to answer, so several may
  // be needed.
  bool CallsWorkAgain() const {
    return WaitUntil([&] {
      HubCall call = ToolCall("repeat");
      call.timeout = absl::Seconds(1);
      return hub().Call(call).event == "invoke_tool_response";
    });
  }

  HubCall HeldCall(const std::string& request_id) const {
    HubCall call = ToolCall("hold-on");
    call.request_id = request_id;
    return call;
  }

  bool WaitState(const std::string& request_id, const std::string& state) const {
    return WaitUntil([&] { return hub().Find(request_id).value("state", "") == state; });
  }

  bool WaitHealth(const char* counter, int value) const {
    return WaitUntil([&] { return hub().Get("/healthz")["calls"].value(counter, 0) == value; });
  }

  absl::StatusOr<std::unique_ptr<ChildProcess>> StartBridgeProcess() const {
    return ChildProcess::Start({ATOMEMO_BRIDGE, "serve", "--hub-ws-url", hub_url(),
                                "--debug-api-key", "dev-key", "--socket", socket()});
  }

  void WriteKey(const std::string& key) const { std::ofstream(key_file()) << key; }
  std::string key_file() const { return folder_.path() + "/key"; }
};

// The hub's answer to one call is what ends the channel, or the connection, each time it comes.
class RefusedAnswersTest : public FailuresTest,
                           public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(All, RefusedAnswersTest, ::testing::Values("crash", "close"));

TEST_P(RefusedAnswersTest, BecomesAnErrorAndAllOthersAreAnswered) {
  StartAll();
  TestPlugin::Options neighbour = PluginOptions();
  neighbour.name = "neighbour";
  TestPlugin other(neighbour);
  ASSERT_TRUE(hub().WaitJoined(2));
  ASSERT_EQ(hub().Start(HeldCall("held-before")), kAccepted);
  HubCall poison = HeldCall("poison");
  poison.on_response = GetParam();
  ASSERT_EQ(hub().Start(poison), kAccepted);
  ASSERT_EQ(hub().Start(HeldCall("held-after")), kAccepted);
  ASSERT_TRUE(plugin_->WaitHolding(3));
  plugin_->Release();
  HubCall neighbours = ToolCall("repeat");
  neighbours.plugin = "neighbour";
  EXPECT_EQ(hub().Call(neighbours).event, "invoke_tool_response");
  for (const char* request_id : {"held-before", "held-after", "poison"}) {
    EXPECT_TRUE(WaitState(request_id, "answered")) << request_id;
  }
  const base::Json found = hub().Find("poison");
  EXPECT_EQ(found["answers"][0]["event"], "invoke_tool_error") << found;
  EXPECT_EQ(found["answers"][0]["payload"]["error"]["name"], "AnswerRefusedByHub") << found;
  EXPECT_TRUE(CallsWorkAgain());
}

TEST_F(FailuresTest, AnAnswerReachesTheHubThatWasRestartedMeanwhile) {
  StartAll();
  ASSERT_EQ(hub().Start(HeldCall("c1")), kAccepted);
  ASSERT_TRUE(plugin_->WaitHolding(1));
  StopHub();
  plugin_->Release();
  StartHub();
  // This hub does not remember the call, so it counts the answer as a stray one.
  EXPECT_TRUE(WaitHealth("stray_answers", 1));
}

TEST_F(FailuresTest, ACallThatTheRestartedHubRepeatsIsAnsweredAndDoesNotRunAgain) {
  StartAll();
  ASSERT_EQ(hub().Start(HeldCall("c1")), kAccepted);
  ASSERT_TRUE(plugin_->WaitHolding(1));
  StopHub();
  StartHub();
  ASSERT_TRUE(hub().WaitJoined());
  ASSERT_EQ(hub().Start(HeldCall("c1")), kAccepted);
  ASSERT_TRUE(CallsWorkAgain());  // the repetition has arrived too
  plugin_->Release();
  EXPECT_TRUE(WaitState("c1", "answered"));
  EXPECT_EQ(plugin_->holding(), 1);
}

TEST_F(FailuresTest, ATerminalThatGoesAwayEndsTheBridgeInOrder) {
  StartHub();
  auto bridge = StartBridgeProcess();
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  TestPlugin plugin(PluginOptions());
  ASSERT_TRUE(hub().WaitJoined());
  EXPECT_EQ((*bridge)->Terminate(SIGHUP), 0);
}

TEST_F(FailuresTest, AnAnswerThatWasReadyWhileTheHubWasAwayIsGivenToTheRepeatedCall) {
  StartAll();
  plugin_->Release();
  ASSERT_EQ(hub().Call(HeldCall("c1")).event, "invoke_tool_response");
  StopHub();
  StartHub();
  ASSERT_TRUE(hub().WaitJoined());
  EXPECT_EQ(hub().Call(HeldCall("c1")).event, "invoke_tool_response");
  EXPECT_EQ(plugin_->holding(), 1);
}

TEST_F(FailuresTest, CallsWorkAgainAfterTheChannelCrashed) {
  StartAll();
  ASSERT_EQ(hub().Post("/api/crash_channel", {{"topic", kTopic}})["channels"], 1);
  EXPECT_TRUE(CallsWorkAgain());
}

TEST_F(FailuresTest, CallsWorkAgainAfterTheHubClosedTheChannel) {
  StartAll();
  ASSERT_EQ(hub().Post("/api/close_channel", {{"topic", kTopic}})["channels"], 1);
  EXPECT_TRUE(CallsWorkAgain());
}

TEST_F(FailuresTest, CallsWorkAgainAfterEveryKindOfDisconnect) {
  StartAll();
  for (const base::Json& how :
       {base::Json{{"code", 1000}}, base::Json{{"code", 1012}}, base::Json{{"abrupt", true}}}) {
    ASSERT_EQ(hub().Post("/api/disconnect", how)["disconnected"], 1) << how;
    EXPECT_TRUE(CallsWorkAgain()) << how;
  }
}

TEST_F(FailuresTest, AnAnswerDuringADisconnectArrivesAfterTheRejoin) {
  StartAll();
  std::future<Outcome> answer = hub().CallLater(HeldCall("c1"));
  ASSERT_TRUE(plugin_->WaitHolding(1));
  ASSERT_EQ(hub().Post("/api/disconnect", {{"abrupt", true}})["disconnected"], 1);
  plugin_->Release();
  EXPECT_EQ(answer.get().event, "invoke_tool_response");
}

TEST_F(FailuresTest, ARefusedKeyIsExplainedToThePluginAndMayBeReplacedOnDisk) {
  WriteKey("expired-key");
  options_.hub.api_key = {};
  options_.hub.api_key.key_file = key_file();
  StartHub();
  StartBridge();
  plugin_ = std::make_unique<TestPlugin>(PluginOptions());
  EXPECT_TRUE(plugin_->WaitLog("refused"));
  EXPECT_FALSE(plugin_->HasLog("expired-key"));
  WriteKey("dev-key");
  EXPECT_TRUE(CallsWorkAgain());
}

TEST_F(FailuresTest, AKilledPluginsCallFailsAtOnceAndANewPluginServes) {
  StartHub();
  StartBridge();
  const std::string record = folder_.path() + "/runs";
  auto worker = ChildProcess::Start({ATOMEMO_TEST_WORKER, socket(), record});
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(hub().WaitJoined());
  HubCall call = ToolCall("work-on", {{"ms", 12000}});
  call.plugin = "worker";
  std::future<Outcome> answer = hub().CallLater(call);
  ASSERT_TRUE(WaitUntil([&] { return std::ifstream(record).peek() > 0; }));
  const absl::Time killed = absl::Now();
  (*worker)->Kill();
  EXPECT_EQ(answer.get().error()["code"], "sdk:crash");
  EXPECT_LT(absl::Now() - killed, absl::Seconds(2));

  worker = ChildProcess::Start({ATOMEMO_TEST_WORKER, socket(), record});
  ASSERT_TRUE(worker.ok()) << worker.status();
  call.payload["parameters"]["ms"] = 0;
  EXPECT_TRUE(WaitUntil([&] { return hub().Call(call).event == "invoke_tool_response"; }));
}

TEST_F(FailuresTest, AnAnswerThatWasWorkedOnWhileTheBridgeWasKilledIsForwardedByTheNextBridge) {
  StartHub();
  auto killed = StartBridgeProcess();
  ASSERT_TRUE(killed.ok()) << killed.status();
  plugin_ = std::make_unique<TestPlugin>(PluginOptions());
  ASSERT_TRUE(hub().WaitJoined());
  std::future<Outcome> answer = hub().CallLater(HeldCall("c1"));
  ASSERT_TRUE(plugin_->WaitHolding(1));
  (*killed)->Kill();
  ASSERT_TRUE(hub().WaitSockets(0));
  options_.journal_path = folder_.path() + "/bridge.journal";
  StartBridge();
  ASSERT_TRUE(hub().WaitJoined());
  plugin_->Release();
  EXPECT_EQ(answer.get().event, "invoke_tool_response");
  EXPECT_EQ(plugin_->holding(), 1);
}

TEST_F(FailuresTest, ACallThatAKilledBridgeHadHandedOutDoesNotRunAgainWhenTheHubRepeatsIt) {
  StartHub();
  auto bridge = StartBridgeProcess();
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  const std::string record = folder_.path() + "/runs";
  auto first = ChildProcess::Start({ATOMEMO_TEST_WORKER, socket(), record});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(hub().WaitJoined());
  HubCall call = ToolCall("work-on", {{"ms", 3000}});
  call.plugin = "worker";
  call.request_id = "c1";
  ASSERT_EQ(hub().Start(call), kAccepted);
  ASSERT_TRUE(WaitUntil([&] { return std::ifstream(record).peek() > 0; }));
  auto second =
      ChildProcess::Start({ATOMEMO_TEST_WORKER, socket(), record});  // it has nothing to do
  ASSERT_TRUE(second.ok()) << second.status();

  (*bridge)->Kill();
  StopHub();
  StartHub();  // it does not remember the call, and makes it again
  bridge = StartBridgeProcess();
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  ASSERT_TRUE(hub().WaitJoined());
  EXPECT_EQ(hub().Call(call).data()["pid"], (*first)->pid());
  std::ifstream runs(record);
  EXPECT_EQ(std::count(std::istreambuf_iterator<char>(runs), {}, '\n'), 1);
  EXPECT_EQ((*bridge)->Terminate(), 0);
}

TEST_F(FailuresTest, ABridgeThatIsStoppedLetsCallsInFlightFinish) {
  StartAll();
  std::future<Outcome> answer = hub().CallLater(HeldCall("c1"));
  ASSERT_TRUE(plugin_->WaitHolding(1));
  std::future<absl::Status> stopped =
      std::async(std::launch::async, [this] { return bridge_->Stop(); });
  ASSERT_TRUE(plugin_->WaitLog("asks to drain"));
  plugin_->Release();
  EXPECT_EQ(answer.get().event, "invoke_tool_response");
  EXPECT_TRUE(stopped.get().ok());
}

TEST_F(FailuresTest, TwoWorkersOfAPluginShareItsCalls) {
  StartAll();
  TestPlugin second(PluginOptions());
  ASSERT_TRUE(second.WaitLog("published"));
  std::vector<std::future<Outcome>> answers;
  // One by one, because a worker gets calls only once its streams stand.
  for (int i = 0; i < 100 && (plugin_->holding() == 0 || second.holding() == 0); ++i) {
    const int before = plugin_->holding() + second.holding();
    answers.push_back(hub().CallLater(ToolCall("hold-on")));
    ASSERT_TRUE(WaitUntil([&] { return plugin_->holding() + second.holding() > before; }));
  }
  EXPECT_GT(plugin_->holding(), 0);
  EXPECT_GT(second.holding(), 0);
  plugin_->Release();
  second.Release();
  for (auto& answer : answers) EXPECT_EQ(answer.get().event, "invoke_tool_response");
}

TEST_F(FailuresTest, MorePluginsThanChannelsOnASocketOpenASecondSocket) {
  constexpr int kPlugins = 120;
  options_.hub.pool.spread = 1;
  StartHub();
  StartBridge();
  std::vector<std::unique_ptr<TestPlugin>> plugins;
  for (int i = 0; i < kPlugins; ++i) {
    TestPlugin::Options options = PluginOptions();
    options.name = absl::StrCat("plugin-", i);
    options.threads = 1;
    plugins.push_back(std::make_unique<TestPlugin>(options));
  }
  ASSERT_TRUE(hub().WaitJoined(kPlugins));
  EXPECT_EQ(hub().Get("/healthz")["sockets"], 2);
  for (int i = 0; i < kPlugins; ++i) {
    HubCall call = ToolCall("repeat", {{"number", i}});
    call.plugin = absl::StrCat("plugin-", i);
    EXPECT_EQ(hub().Call(call).data()["number"], i);
  }
  for (auto& plugin : plugins) plugin->Stop();
}

}  // namespace
}  // namespace atomemo::integration
