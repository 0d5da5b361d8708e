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
  const pb::InvokeReply reply = bridge_.WaitForReply("r1");
  EXPECT_EQ(Json::parse(reply.result().data().json()),
            Json::parse(R"({"text":"hi","big":9007199254740993})"));
  EXPECT_EQ(bridge_.invoke_max_in_flight(), options_.max_concurrent_invocations);
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
  const pb::OpenSessionRequest request = bridge_.open_requests().front();
  EXPECT_EQ(Json::parse(request.definition_json()).at("name"), "test-plugin");
  EXPECT_EQ(request.token(), "plugin-token");
  EXPECT_EQ(request.mode(), pb::HUB_MODE_RELEASE);
  EXPECT_EQ(request.payload_encoding(), pb::PAYLOAD_ENCODING_JSON);
  EXPECT_EQ(request.max_receive_bytes(), 64 << 20);
  const pb::RegisterToolRequest slow = bridge_.tools().back();
  EXPECT_EQ(slow.policy().timeout().seconds(), 120);
  EXPECT_TRUE(slow.policy().retry_safe());
  EXPECT_FALSE(bridge_.tools().front().has_policy() &&
               bridge_.tools().front().policy().has_timeout());
  EXPECT_THAT(log(), Not(HasSubstr("plugin-token")));
}

TEST_F(SessionEngineTest, WaitsForABridgeThatIsNotThereYet) {
  StartPlugin();
  while (log().find("no session") == std::string::npos) std::this_thread::yield();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", "{}");
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_result());
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
  EXPECT_TRUE(bridge_.WaitForReply("r1").has_result());
}

TEST_F(SessionEngineTest, TellsTheNextBridgeWhichCallsItHas) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("answered", "echo", "{}");
  ASSERT_TRUE(bridge_.WaitForReply("answered").has_result());
  bridge_.Invoke("runs", "wait", "{}");
  started_.WaitForNotification();
  bridge_.Stop();
  bridge_.Start();
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  go_on_.Notify();
  const std::vector<pb::OpenSessionRequest> requests = bridge_.open_requests();
  EXPECT_THAT(requests.front().open_request_ids(), IsEmpty());
  EXPECT_THAT(requests.back().open_request_ids(), UnorderedElementsAre("answered", "runs"));
  EXPECT_FALSE(requests.front().instance_id().empty());
  EXPECT_EQ(requests.back().instance_id(), requests.front().instance_id());
}

TEST_F(SessionEngineTest, OffersAnAnswerAgainUntilItIsDelivered) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "echo", "{}");
  bridge_.Invoke("r2", "echo", "{}");
  ASSERT_TRUE(bridge_.WaitForReply("r1").has_result());
  ASSERT_TRUE(bridge_.WaitForReply("r2").has_result());
  bridge_.Deliver("r1");
  // Events come in order: once the next one has been handled, so has `delivered`.
  pb::SessionEvent event;
  event.mutable_hub_state()->set_reason("mark-one");
  bridge_.SendEvent(event);
  while (log().find("mark-one") == std::string::npos) std::this_thread::yield();
  bridge_.Stop();
  bridge_.Start();
  EXPECT_TRUE(bridge_.WaitForReply("r2", 2).has_result());
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
  ASSERT_TRUE(bridge_.WaitForReply("r1").has_result());
  bridge_.Invoke("r1", "wait", "{}");  // It has run.
  EXPECT_TRUE(bridge_.WaitForReply("r1", 2).has_result());
  EXPECT_EQ(waits_, 1);
}

TEST_F(SessionEngineTest, TellsAHandlerThatItsCallIsCancelled) {
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "wait", "{}");
  started_.WaitForNotification();
  bridge_.CancelInvoke("r1");
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
  EXPECT_TRUE(bridge_.WaitForReply("r2").has_result());
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
  pb::DefinitionViolations violations;
  for (const char* path : {"parameters[0].ui.component", "parameters[1].name"}) {
    violations.add_violations()->set_path(path);
    violations.mutable_violations()->rbegin()->set_message("expected another");
  }
  bridge_.FailRegisterTool(testing::StatusWithDetail(grpc::StatusCode::INVALID_ARGUMENT,
                                                     "the tool is not valid", violations));
  bridge_.Start();
  StartPlugin();
  const absl::Status status = Finished();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  // Both tools are reported, each with both violations.
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("tool `echo`"), HasSubstr("tool `wait`"),
                    HasSubstr("parameters[0].ui.component: expected another"),
                    HasSubstr("parameters[1].name: expected another")));
}

TEST_F(SessionEngineTest, ARefusedNameOrDefinitionStopsIt) {
  bridge_.FailOpen({grpc::StatusCode::PERMISSION_DENIED, "the name is taken by uid 12"});
  bridge_.Start();
  StartPlugin();
  EXPECT_EQ(Finished(), absl::PermissionDeniedError("the name is taken by uid 12"));
}

TEST_F(SessionEngineTest, ARefusedPublishStopsIt) {
  bridge_.FailPublish({grpc::StatusCode::FAILED_PRECONDITION, "the hub says no"});
  bridge_.Start();
  StartPlugin();
  EXPECT_EQ(Finished(), absl::FailedPreconditionError("the hub says no"));
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
  bridge_.AnswerHubCalls(grpc::Status::OK, R"({"url":"https://files.example/a"})");
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "files", "{}", absl::Seconds(100));
  const Json answer = Json::parse(bridge_.WaitForReply("r1").result().data().json());
  EXPECT_EQ(answer, Json::parse(R"({"size":200000,"url":{"url":"https://files.example/a"}})"));
  const pb::CallHubRequest hub_call = bridge_.hub_calls().front();
  EXPECT_EQ(hub_call.session_id(), "session-1");
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
  pb::HubError error;
  error.set_code("hub:no_such_file");
  error.set_message("there is no such file");
  bridge_.AnswerHubCalls(testing::StatusWithDetail(grpc::StatusCode::ABORTED, "hub error", error),
                         "");
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "ask-hub", "{}");
  const pb::PluginError answer = bridge_.WaitForReply("r1").failure().error();
  EXPECT_EQ(answer.code(), "hub:no_such_file");
  EXPECT_EQ(answer.message(), "there is no such file");
}

TEST_F(SessionEngineTest, ACancelledCallEndsItsHubCall) {
  plugin_.AddTool(Tool("ask-hub").Invoke(
      [](const Call& call) { return call.CallHub("invoke_llm", Json::object()); }));
  bridge_.HoldHubCalls();
  bridge_.Start();
  StartPlugin();
  ASSERT_TRUE(bridge_.WaitForSessions(1));
  bridge_.Invoke("r1", "ask-hub", "{}");
  ASSERT_TRUE(bridge_.WaitForHubCall());
  bridge_.CancelInvoke("r1");
  EXPECT_EQ(bridge_.WaitForReply("r1").failure().error().code(), "sdk:cancelled");
}

}  // namespace
}  // namespace atomemo
