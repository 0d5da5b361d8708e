// Plugin::Run against a bridge's gRPC side over a real Unix socket.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace pb = ::atomemo::plugin::v1;

TEST_F(SessionEngineTest, RegistersPublishesAndAnswers) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", R"({"text":"hi","big":9007199254740993})");
  const pb::PluginMessage reply = bridge_.WaitForReply("r1");
  EXPECT_EQ(Json::parse(reply.invoked().data().json()),
            Json::parse(R"({"text":"hi","big":9007199254740993})"));
  EXPECT_TRUE(StopPlugin().ok());
}

TEST_F(SessionEngineTest, TellsTheBridgeWhoItIs) {
  options_.token = "plugin-token";
  options_.mode = HubMode::kRelease;
  plugin_.AddTool(Tool("slow-tool").Timeout(absl::Minutes(2)).RetrySafe().Invoke([](const Call&) {
    return absl::StatusOr<Json>("x");
  }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  const pb::Hello hello = bridge_.hellos().front();
  const pb::OpenSessionRequest& session = hello.session();
  const Json definition = Json::parse(session.definition_json());
  EXPECT_EQ(definition.at("name"), "test-plugin");
  EXPECT_EQ(definition.at("tools").size(), 3u);
  EXPECT_EQ(session.token(), "plugin-token");
  EXPECT_EQ(session.mode(), pb::HUB_MODE_RELEASE);
  EXPECT_EQ(session.payload_encoding(), pb::PAYLOAD_ENCODING_JSON);
  EXPECT_EQ(session.max_receive_bytes(), 64 << 20);
  EXPECT_EQ(hello.max_invocations(), options_.max_concurrent_invocations);
  EXPECT_EQ(hello.max_queries(), options_.max_concurrent_queries);
  ASSERT_EQ(hello.tool_policies_size(), 1);
  const pb::ToolPolicy& policy = hello.tool_policies().at("slow-tool");
  EXPECT_EQ(policy.timeout().seconds(), 120);
  EXPECT_TRUE(policy.retry_safe());
  EXPECT_THAT(log(), Not(HasSubstr("plugin-token")));
}

TEST_F(SessionEngineTest, WaitsForABridgeThatIsNotThereYet) {
  StartPlugin();
  while (log().find("no session") == std::string::npos) std::this_thread::yield();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", "{}");
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_invoked());
}

TEST_F(SessionEngineTest, AnswersOnTheNextSessionWhatItBeganOnTheLast) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  go_on_.Notify();
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_invoked());
}

TEST_F(SessionEngineTest, TellsTheNextBridgeWhichCallsItHas) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("answered", "echo", "{}");
  ASSERT_TRUE(bridge_.WaitForReply("answered").has_invoked());
  bridge_.Invoke("runs", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  go_on_.Notify();
  const pb::OpenSessionRequest first = bridge_.hellos().front().session();
  const pb::OpenSessionRequest next = bridge_.hellos().back().session();
  EXPECT_THAT(first.open_request_ids(), IsEmpty());
  EXPECT_THAT(next.open_request_ids(), UnorderedElementsAre("answered", "runs"));
  EXPECT_FALSE(first.instance_id().empty());
  EXPECT_EQ(next.instance_id(), first.instance_id());
}

TEST_F(SessionEngineTest, OffersAnAnswerAgainUntilItIsDelivered) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", "{}");
  bridge_.Invoke("r2", "echo", "{}");
  ASSERT_TRUE(bridge_.WaitForReply("r1").has_invoked());
  ASSERT_TRUE(bridge_.WaitForReply("r2").has_invoked());
  bridge_.Deliver("r1");
  // Events come in order: once the next one has been handled, so has `delivered`.
  pb::BridgeMessage message;
  message.mutable_hub_state()->set_reason("mark-one");
  bridge_.Send(message);
  while (log().find("mark-one") == std::string::npos) std::this_thread::yield();
  bridge_.Stop();
  bridge_.Start();
  EXPECT_TRUE(bridge_.WaitForReply("r2", 2).has_invoked());
  EXPECT_EQ(bridge_.reply_count("r1"), 1u);
}

TEST_F(SessionEngineTest, RunsACallOnceThoughItIsSentTwice) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  bridge_.Invoke("r1", "wait", "{}");  // It runs.
  go_on_.Notify();
  ASSERT_TRUE(bridge_.WaitForReply("r1").has_invoked());
  bridge_.Invoke("r1", "wait", "{}");  // It has run.
  EXPECT_TRUE(bridge_.WaitForReply("r1", 2).has_invoked());
  EXPECT_EQ(waits_, 1);
}

TEST_F(SessionEngineTest, TellsAHandlerThatItsCallIsCancelled) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Cancel("r1");
  EXPECT_EQ(bridge_.WaitForReply("r1").failure().error().code(), "sdk:cancelled");
}

TEST_F(SessionEngineTest, TurnsAnExceptionIntoAFailure) {
  plugin_.AddTool(Tool("throw").Invoke(
      [](const Call&) -> absl::StatusOr<Json> { throw std::runtime_error("out of \xff paper"); }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "throw", "{}");
  const pb::PluginError error = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(error.code(), "sdk:exception");
  EXPECT_EQ(error.name(), "std::runtime_error");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("out of"), HasSubstr("paper")));
}

TEST_F(SessionEngineTest, AnswersBrokenParametersWithAnErrorAndGoesOn) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", "{broken");
  EXPECT_EQ(bridge_.WaitForReply("r1").failure().error().code(), "sdk:invalid_parameter");
  bridge_.Invoke("r2", "echo", "{}");
  EXPECT_TRUE(bridge_.WaitForReply("r2").has_invoked());
}

TEST_F(SessionEngineTest, RefusesAnAnswerThatTheBridgeWouldNotTake) {
  bridge_.SetMaxMessageBytes(10'000);
  plugin_.AddTool(Tool("large").Invoke(
      [](const Call&) -> absl::StatusOr<Json> { return std::string(20'000, 'x'); }));
  plugin_.AddTool(Tool("garbled").Invoke(
      [](const Call&) -> absl::StatusOr<Json> { return std::string("\xff\xfe"); }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "large", "{}");
  EXPECT_THAT(bridge_.WaitForReply("r1").failure().error().message(), HasSubstr("10000"));
  bridge_.Invoke("r2", "garbled", "{}");
  EXPECT_EQ(bridge_.WaitForReply("r2").failure().error().code(), "sdk:invalid_return");
}

TEST_F(SessionEngineTest, AWrongDefinitionStopsItWithEveryViolation) {
  bridge_.HoldPublish();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(1));
  pb::BridgeMessage message;
  message.mutable_refused()->set_message("the definition is not valid");
  for (const char* path : {"tools[0].parameters[0].ui.component", "tools[1].name"}) {
    pb::DefinitionViolation& violation = *message.mutable_refused()->add_violations();
    violation.set_path(path);
    violation.set_message("expected another");
  }
  bridge_.Send(message);
  bridge_.EndSession({grpc::StatusCode::INVALID_ARGUMENT, "the definition is"});
  EXPECT_EQ(Finished(),
            absl::InvalidArgumentError("the definition is not valid\n"
                                       "  tools[0].parameters[0].ui.component: expected another\n"
                                       "  tools[1].name: expected another"));
}

class RefusedTest : public SessionEngineTest, public ::testing::WithParamInterface<grpc::Status> {};

TEST_P(RefusedTest, StopsIt) {
  bridge_.FailOpen(GetParam());
  bridge_.Start();
  StartPlugin();
  const absl::Status status = Finished();
  EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(GetParam().error_code()));
  EXPECT_EQ(status.message(), GetParam().error_message());
  EXPECT_EQ(bridge_.hellos().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Permanent, RefusedTest,
    ::testing::Values(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "max_queries is 10001"),
                      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "the hub says no"),
                      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "taken by uid 12"),
                      grpc::Status(grpc::StatusCode::ABORTED, "replaced")));

TEST_F(SessionEngineTest, ABridgeWithoutServeIsToBeUpdated) {
  bridge_.FailOpen({grpc::StatusCode::UNIMPLEMENTED, ""});
  bridge_.Start();
  StartPlugin();
  const absl::Status status = Finished();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(options_.bridge), HasSubstr("update the bridge")));
}

TEST_F(SessionEngineTest, AnUnavailableBridgeIsTriedAgain) {
  bridge_.FailOpen({grpc::StatusCode::UNAVAILABLE, "shutting down"});
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(3));
  bridge_.FailOpen(grpc::Status::OK);
  EXPECT_TRUE(bridge_.WaitForSessions(1));
  const std::string lines = log();
  EXPECT_EQ(lines.find("no session"), lines.rfind("no session")) << "one line for one outage";
}

TEST_F(SessionEngineTest, CallsTheHubAndMovesFiles) {
  plugin_.AddTool(Tool("files").Invoke([](const Call& call) -> absl::StatusOr<Json> {
    absl::StatusOr<FileRef> stored =
        call.UploadFile({"a.txt", "text/plain", std::string(200'000, 'a')});
    if (!stored.ok()) return stored.status();
    stored->res_key = "a.txt";
    absl::StatusOr<File> file = call.DownloadFile(*stored);
    if (!file.ok()) return file.status();
    absl::StatusOr<Json> url = call.CallHub("get_file_url", Json{{"res_key", "a.txt"}});
    if (!url.ok()) return url.status();
    return Json{{"size", file->content.size()}, {"url", *url}};
  }));
  pb::HubReply hub_reply;
  hub_reply.mutable_data()->set_json(R"({"url":"https://files.example/a"})");
  bridge_.AnswerHubCalls(hub_reply);
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "files", "{}", absl::Seconds(100));
  const Json answer = Json::parse(bridge_.WaitForReply("r1").invoked().data().json());
  EXPECT_EQ(answer, Json::parse(R"({"size":200000,"url":{"url":"https://files.example/a"}})"));
  const pb::CallHubRequest hub_call = bridge_.hub_calls().front();
  EXPECT_EQ(hub_call.event(), "get_file_url");
  EXPECT_EQ(hub_call.data().json(), R"({"res_key":"a.txt"})");
  EXPECT_EQ(hub_call.timeout().seconds(), 30);
}

TEST_F(SessionEngineTest, AFailedDownloadMaySucceedLater) {
  plugin_.AddTool(Tool("files").Invoke([](const Call& call) -> absl::StatusOr<Json> {
    FileRef file;
    file.res_key = "none";
    const absl::Status status = call.DownloadFile(file).status();
    EXPECT_TRUE(absl::IsUnavailable(status));
    return status;
  }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "files", "{}");
  const pb::PluginError answer = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(answer.code(), "transient:download_failed");
  EXPECT_EQ(answer.message(), "the storage is away");
}

TEST_F(SessionEngineTest, WhatLedToAnExceptionReachesTheBridge) {
  plugin_.AddTool(Tool("fails").Invoke([](const Call&) -> absl::StatusOr<Json> {
    try {
      throw std::out_of_range("too far");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no weather"));
    }
  }));
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "fails", "{}");
  const pb::PluginError answer = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(answer.name(), "std::runtime_error");
  EXPECT_EQ(answer.cause().name(), "std::out_of_range");
  EXPECT_EQ(answer.cause().message(), "too far");
  EXPECT_FALSE(answer.cause().has_cause());
}

TEST_F(SessionEngineTest, AHubErrorKeepsItsCode) {
  plugin_.AddTool(Tool("ask-hub").Invoke(
      [](const Call& call) { return call.CallHub("get_file_url", Json::object()); }));
  pb::HubReply hub_reply;
  hub_reply.mutable_failure()->set_code(grpc::StatusCode::ABORTED);
  pb::HubError& error = *hub_reply.mutable_failure()->mutable_error();
  error.set_code("hub:no_such_file");
  error.set_message("there is no such file");
  error.mutable_error()->set_json(R"({"code":"hub:no_such_file","tried":3})");
  bridge_.AnswerHubCalls(hub_reply);
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "ask-hub", "{}");
  const pb::PluginError answer = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(answer.code(), "hub:no_such_file");
  EXPECT_EQ(answer.message(), "there is no such file");
  EXPECT_EQ(Json::parse(answer.details().json()).at("tried"), 3);
}

TEST_F(SessionEngineTest, AnErrorOfTheBridgeInPlaceOfTheHubsAnswerIsOneOfTheCall) {
  plugin_.AddTool(Tool("ask-hub").Invoke(
      [](const Call& call) { return call.CallHub("get_file_url", Json::object()); }));
  pb::HubReply hub_reply;
  hub_reply.mutable_failure()->set_code(grpc::StatusCode::UNAVAILABLE);
  hub_reply.mutable_failure()->set_message("the hub is away");
  bridge_.AnswerHubCalls(hub_reply);
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "ask-hub", "{}");
  const pb::PluginError answer = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(answer.code(), "sdk:unavailable");
  EXPECT_EQ(answer.message(), "the hub is away");
}

class HeldHubCallTest : public SessionEngineTest {
 protected:
  // Runs a call whose hub call stays without an answer.
  void SetUp() override {
    plugin_.AddTool(Tool("ask-hub").Invoke(
        [](const Call& call) { return call.CallHub("invoke_llm", Json::object()); }));
    bridge_.HoldHubCalls();
    bridge_.Start();
    StartPlugin();
    ASSERT_TRUE(bridge_.WaitForSessions(1));
    bridge_.Invoke("r1", "ask-hub", "{}");
    ASSERT_TRUE(bridge_.WaitForHubCall());
  }
  std::string ErrorCode() { return bridge_.WaitForReply("r1").failure().error().code(); }
};

TEST_F(HeldHubCallTest, EndsWithACancelledCall) {
  bridge_.Cancel("r1");
  EXPECT_EQ(ErrorCode(), "sdk:cancelled");
}

TEST_F(HeldHubCallTest, EndsWithTheSession) {
  bridge_.Stop();
  bridge_.Start();
  EXPECT_EQ(ErrorCode(), "sdk:unavailable");
}

TEST_F(SessionEngineTest, AHubCallEndsWithItsCallsTime) {
  plugin_.AddTool(Tool("ask-hub").Invoke(
      [](const Call& call) { return call.CallHub("invoke_llm", Json::object()); }));
  bridge_.HoldHubCalls();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "ask-hub", "{}", absl::Seconds(1));
  EXPECT_EQ(bridge_.WaitForReply("r1").failure().error().code(), "sdk:timeout");
}

}  // namespace
}  // namespace atomemo
