// OpenSession, and the unary RPCs of a session, over a real Unix socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bridge/base/json.h"
#include "bridge/payload/payload.h"
#include "tests/bridge/plugin_service/rich_status.h"
#include "tests/bridge/plugin_service/service_fixture.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Record = fakes::FakePluginPort::Record;

class SessionTest : public ServiceTest {
 protected:
  explicit SessionTest(bool start = true) {
    if (start) StartServer();
  }

  grpc::Status OpenStatus(const pb::OpenSessionRequest& request) {
    return TestSession(*stub_, request).Finish();
  }

  std::shared_ptr<router::SessionSink> Sink() { return port_.Snapshot().opened.back().second; }

  grpc::Status RegisterTool(const std::string& session_id, const std::string& json,
                            pb::RegisterToolResponse* response) {
    TestContext context;
    pb::RegisterToolRequest request;
    request.set_session_id(session_id);
    request.set_definition_json(json);
    request.mutable_policy()->set_retry_safe(true);
    return stub_->RegisterTool(&context, request, response);
  }

  grpc::Status Publish(const std::string& session_id) {
    TestContext context;
    pb::PublishRequest request;
    request.set_session_id(session_id);
    pb::PublishResponse response;
    return stub_->Publish(&context, request, &response);
  }

  // What the router got at the last Publish.
  router::Publication Published() { return port_.Snapshot().published.back().publication; }

  grpc::Status CallHub(const pb::CallHubRequest& request, pb::CallHubResponse* response) {
    TestContext context;
    return stub_->CallHub(&context, request, response);
  }
};

TEST_F(SessionTest, TheFirstEventTellsTheSessionsId) {
  pb::OpenSessionRequest request = OpenRequest();
  request.set_mode(pb::HUB_MODE_RELEASE);
  request.set_token("t");
  request.set_client("test/1");
  request.set_instance_id("this very process");
  request.add_open_request_ids("r1");
  TestSession session(*stub_, request);
  EXPECT_EQ(session.id(), "session-1");
  EXPECT_EQ(session.opened().bridge_version(), "1.2.3");
  EXPECT_EQ(session.opened().max_message_bytes(), 32 * 1024 * 1024);

  const router::SessionSpec spec = port_.Snapshot().opened[0].first;
  EXPECT_EQ(spec.name, "weather");
  EXPECT_EQ(spec.version, "1.0.0");
  EXPECT_EQ(spec.mode, router::HubMode::kRelease);
  EXPECT_EQ(spec.token, "t");
  EXPECT_EQ(spec.client, "test/1");
  EXPECT_EQ(spec.instance_id, "this very process");
  EXPECT_THAT(spec.open_request_ids, ElementsAre("r1"));
  EXPECT_EQ(spec.peer_uid, getuid());
  EXPECT_EQ(spec.peer_pid, getpid());
}

TEST_F(SessionTest, ATypedDefinitionIsAsGoodAsJson) {
  pb::OpenSessionRequest request;
  pb::PluginDefinition& plugin = *request.mutable_plugin();
  plugin.set_name("typed");
  plugin.set_icon("T");
  (*plugin.mutable_display_name())["en_US"] = "Typed";
  (*plugin.mutable_description())["en_US"] = "Typed";
  plugin.add_locales("en_US");
  TestSession session(*stub_, request);
  ASSERT_EQ(session.id(), "session-1");
  EXPECT_EQ(port_.Snapshot().opened[0].first.name, "typed");
}

TEST_F(SessionTest, AnInvalidDefinitionIsRefusedWithEveryViolation) {
  pb::OpenSessionRequest request;
  request.set_definition_json(R"({"name":"x","display_name":7})");
  const grpc::Status status = OpenStatus(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("name"));
  EXPECT_GE(RichDetail<pb::DefinitionViolations>(status).violations_size(), 3);
  EXPECT_TRUE(port_.Snapshot().opened.empty());
}

TEST_F(SessionTest, ADefinitionIsNeeded) {
  EXPECT_EQ(OpenStatus({}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  pb::OpenSessionRequest not_json;
  not_json.set_definition_json("{");
  EXPECT_EQ(OpenStatus(not_json).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SessionTest, TheRoutersRefusalReachesThePlugin) {
  port_.open_status = absl::PermissionDeniedError("somebody else has this name");
  const grpc::Status status = OpenStatus(OpenRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(), "somebody else has this name");
  EXPECT_TRUE(port_.Snapshot().closed.empty());
}

TEST_F(SessionTest, EventsArriveInOrderUntilTheEnd) {
  const auto session = OpenSession();
  io_.Run([sink = Sink()] {
    for (int i = 0; i < 1000; ++i) {
      pb::SessionEvent event;
      event.mutable_delivered()->add_request_ids(std::to_string(i));
      sink->Send(event);
    }
    sink->Finish(absl::AbortedError("replaced"));
    sink->Send(pb::SessionEvent());
  });
  pb::SessionEvent event;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(session->Read(event));
    ASSERT_EQ(event.delivered().request_ids(0), std::to_string(i));
  }
  EXPECT_FALSE(session->Read(event));
  EXPECT_EQ(session->Finish().error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(SessionTest, TheRouterHearsOnceThatTheSessionHasEnded) {
  auto first = OpenSession();
  const auto second = OpenSession();
  first->End();
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return !record.closed.empty(); }));
  server_->Shutdown(absl::Seconds(5));
  io_.Run([] {});
  EXPECT_THAT(port_.Snapshot().closed, ElementsAre("session-1", "session-2"));
}

TEST_F(SessionTest, TheRouterGetsTheDefinitionOnceItIsWholeAndJudged) {
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  const grpc::Status status = RegisterTool(session->id(), kToolJson, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(Publish(session->id()).ok());
  EXPECT_EQ(port_.Snapshot().published.at(0).session_id, session->id());
  const router::Publication publication = Published();
  const base::Json whole = base::ParseJson(publication.definition->json).value();
  EXPECT_EQ(whole["name"], "weather");
  EXPECT_EQ(whole["tools"][0], base::ParseJson(kToolJson).value());
  EXPECT_TRUE(publication.definition->facts.tools.contains("forecast"));
  EXPECT_TRUE(publication.tool_policies.at("forecast").retry_safe());
}

TEST_F(SessionTest, WarningsAreHandedBack) {
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  std::string json(kToolJson);
  json.insert(1, R"("colour":"red",)");
  ASSERT_TRUE(RegisterTool(session->id(), json, &response).ok());
  ASSERT_EQ(response.warnings_size(), 1);
  EXPECT_EQ(response.warnings(0).path(), "colour");
}

TEST_F(SessionTest, AnInvalidToolIsRefusedWithItsPaths) {
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  const grpc::Status status = RegisterTool(session->id(), R"({"name":"forecast"})", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_GT(RichDetail<pb::DefinitionViolations>(status).violations_size(), 0);
  ASSERT_TRUE(Publish(session->id()).ok());
  EXPECT_TRUE(Published().definition->facts.tools.empty());
}

TEST_F(SessionTest, TheOperatorSeesWhatIsRefusedAndWhose) {
  pb::OpenSessionRequest request;
  request.set_definition_json(R"({"name":"broken","display_name":7})");
  OpenStatus(request);
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  RegisterTool(session->id(), R"({"name":"forecast"})", &response);
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return record.refused.size() == 2; }));
  const Record record = port_.Snapshot();
  EXPECT_EQ(record.refused[0].plugin, "broken");
  EXPECT_EQ(record.refused[1].plugin, "weather");
  for (const auto& refused : record.refused) {
    EXPECT_EQ(refused.pid, getpid());
    EXPECT_GT(router::GetViolations(refused.why)->violations_size(), 0);
  }
}

TEST_F(SessionTest, CredentialsAndModelsAreRegisteredToo) {
  const auto session = OpenSession();
  TestContext credential_context;
  pb::RegisterCredentialRequest credential;
  credential.set_session_id(session->id());
  credential.set_definition_json(kCredentialJson);
  pb::RegisterCredentialResponse credential_response;
  const grpc::Status first =
      stub_->RegisterCredential(&credential_context, credential, &credential_response);
  EXPECT_TRUE(first.ok()) << first.error_message();

  TestContext model_context;
  pb::RegisterModelRequest model;
  model.set_session_id(session->id());
  model.set_definition_json(kModelJson);
  pb::RegisterModelResponse model_response;
  const grpc::Status second = stub_->RegisterModel(&model_context, model, &model_response);
  EXPECT_TRUE(second.ok()) << second.error_message();

  ASSERT_TRUE(Publish(session->id()).ok());
  const base::Json whole = base::ParseJson(Published().definition->json).value();
  EXPECT_EQ(whole["credentials"][0]["name"], "api-key");
  EXPECT_EQ(whole["models"][0]["name"], "model-1");
}

TEST_F(SessionTest, AMethodThatNoHandlerServesDrawsAWarning) {
  const auto session = OpenSession();
  TestContext context;
  pb::RegisterToolRequest request;
  request.set_session_id(session->id());
  pb::ToolDefinition& tool = *request.mutable_tool();
  tool.set_name("forecast");
  tool.set_icon("F");
  (*tool.mutable_display_name())["en_US"] = "F";
  (*tool.mutable_description())["en_US"] = "F";
  pb::Parameter& parameter = *tool.add_parameters();
  parameter.set_name("table");
  parameter.mutable_resource_mapper()->set_mapping_method("list_fields");
  tool.add_mapping_methods("other");
  pb::RegisterToolResponse response;
  const grpc::Status status = stub_->RegisterTool(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.warnings_size(), 1);
  EXPECT_THAT(response.warnings(0).message(), HasSubstr("\"list_fields\""));
}

TEST_F(SessionTest, RegisteringTwiceIsRefused) {
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  ASSERT_TRUE(RegisterTool(session->id(), kToolJson, &response).ok());
  EXPECT_EQ(RegisterTool(session->id(), kToolJson, &response).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(SessionTest, WhatIsPublishedDoesNotChange) {
  const auto session = OpenSession();
  io_.Run([&] { port_.unpublished_status = absl::FailedPreconditionError("published already"); });
  pb::RegisterToolResponse response;
  EXPECT_EQ(RegisterTool(session->id(), kToolJson, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Publish(session->id()).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(port_.Snapshot().published.empty());
}

// One that the router refused for now may be published again as it is.
TEST_F(SessionTest, ASessionThatCouldNotPublishMayTryAgain) {
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  ASSERT_TRUE(RegisterTool(session->id(), kToolJson, &response).ok());
  port_.on_publish = [](auto done) { done(absl::FailedPreconditionError("another one runs")); };
  EXPECT_EQ(Publish(session->id()).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  port_.on_publish = nullptr;
  EXPECT_TRUE(Publish(session->id()).ok());
  EXPECT_TRUE(Published().definition->facts.tools.contains("forecast"));
}

TEST_F(SessionTest, UnknownSessionsAreRefusedEverywhere) {
  pb::RegisterToolResponse tool;
  EXPECT_EQ(RegisterTool("nobody", kToolJson, &tool).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  pb::PublishRequest publish;
  publish.set_session_id("nobody");
  pb::PublishResponse published;
  TestContext publish_context;
  EXPECT_EQ(stub_->Publish(&publish_context, publish, &published).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  pb::CallHubRequest call;
  call.set_session_id("nobody");
  call.set_event("e");
  pb::CallHubResponse called;
  EXPECT_EQ(CallHub(call, &called).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(port_.Snapshot().published.empty());
  EXPECT_TRUE(port_.Snapshot().hub_calls.empty());
}

TEST_F(SessionTest, PublishReturnsWhenTheHubHasAccepted) {
  const auto session = OpenSession();
  std::function<void(absl::StatusOr<router::Published>)> accept;
  port_.on_publish = [&](auto done) { accept = std::move(done); };
  grpc::Status status;
  pb::PublishResponse response;
  std::thread publisher([&] {
    TestContext context;
    pb::PublishRequest request;
    request.set_session_id(session->id());
    status = stub_->Publish(&context, request, &response);
  });
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return !record.published.empty(); }));
  pb::DefinitionViolation warning;
  warning.set_message("odd");
  io_.Run([&] { accept(router::Published{"debug_plugin:weather", {warning}}); });
  publisher.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.topic(), "debug_plugin:weather");
  EXPECT_EQ(response.warnings(0).message(), "odd");
}

TEST_F(SessionTest, AnAnswerAfterThePluginGaveUpDoesNoHarm) {
  const auto session = OpenSession();
  std::function<void(absl::StatusOr<router::Published>)> accept;
  port_.on_publish = [&](auto done) { accept = std::move(done); };
  grpc::ClientContext context;
  grpc::Status status;
  std::thread publisher([&] {
    pb::PublishRequest request;
    request.set_session_id(session->id());
    pb::PublishResponse response;
    status = stub_->Publish(&context, request, &response);
  });
  ASSERT_TRUE(port_.WaitUntil([](const Record& record) { return !record.published.empty(); }));
  context.TryCancel();
  publisher.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  io_.Run([&] { accept(router::Published{"debug_plugin:weather", {}}); });
}

TEST_F(SessionTest, DrainingIsPassedOn) {
  const auto session = OpenSession();
  TestContext context;
  pb::DrainSessionRequest request;
  request.set_session_id(session->id());
  pb::DrainSessionResponse response;
  EXPECT_TRUE(stub_->DrainSession(&context, request, &response).ok());
  EXPECT_THAT(port_.Snapshot().drained, ElementsAre(session->id()));
}

TEST_F(SessionTest, CallHubRefusesAnEventThatIsNoName) {
  StartServer();
  const auto session = OpenSession();
  pb::CallHubRequest request;
  request.set_session_id(session->id());
  request.set_event(std::string(1025, 'e'));
  request.mutable_data()->set_json("{}");
  pb::CallHubResponse response;
  const grpc::Status status = CallHub(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "`event` has 1025 bytes, and may have 1024");
}

TEST_F(SessionTest, ASessionWithMoreOpenCallsThanAnyBridgeHasIsRefused) {
  StartServer();
  pb::OpenSessionRequest request = OpenRequest();
  for (int i = 0; i <= 100'000; ++i) request.add_open_request_ids("r");
  TestSession session(*stub_, request);
  const grpc::Status status = session.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "open_request_ids has 100001 elements, and may have 100000");
}

TEST_F(SessionTest, CallHubAnswersInTheSessionsEncoding) {
  port_.on_call_hub = [](absl::string_view) { return R"({"n":9007199254740993})"; };
  const auto json_session = OpenSession(pb::PAYLOAD_ENCODING_JSON);
  const auto struct_session = OpenSession(pb::PAYLOAD_ENCODING_STRUCT);
  pb::CallHubRequest request;
  request.set_event("invoke_llm");
  (*request.mutable_data()->mutable_fields()->mutable_fields())["a"].set_number_value(1);
  request.mutable_timeout()->set_seconds(5);

  request.set_session_id(json_session->id());
  pb::CallHubResponse response;
  ASSERT_TRUE(CallHub(request, &response).ok());
  EXPECT_EQ(response.data().json(), R"({"n":9007199254740993})");
  request.set_session_id(struct_session->id());
  ASSERT_TRUE(CallHub(request, &response).ok());
  EXPECT_TRUE(response.data().value().struct_value().fields().contains("n"));

  const auto call = port_.Snapshot().hub_calls.at(0);
  EXPECT_EQ(call.event, "invoke_llm");
  EXPECT_EQ(call.data_json, R"({"a":1})");
  EXPECT_EQ(call.timeout, absl::Seconds(5));
}

TEST_F(SessionTest, TheHubsErrorStandsInTheDetails) {
  port_.on_call_hub = [](absl::string_view) {
    absl::Status status = absl::AbortedError("no such file");
    pb::HubError error;
    error.set_code("not_found");
    router::SetHubError(status, error);
    return status;
  };
  const auto session = OpenSession();
  pb::CallHubRequest request;
  request.set_session_id(session->id());
  request.set_event("get_file_url");
  pb::CallHubResponse response;
  const grpc::Status status = CallHub(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(RichDetail<pb::HubError>(status).code(), "not_found");
}

TEST_F(SessionTest, BadHubCallsAreRefusedBeforeTheRouterSeesThem) {
  const auto session = OpenSession();
  pb::CallHubRequest good;
  good.set_session_id(session->id());
  good.set_event("e");
  pb::CallHubRequest no_event = good;
  no_event.clear_event();
  pb::CallHubRequest bad_json = good;
  *bad_json.mutable_data() = payload::JsonObjectOf("[]");
  pb::CallHubRequest too_long = good;
  too_long.mutable_timeout()->set_seconds(3601);
  for (const pb::CallHubRequest& request : {no_event, bad_json, too_long}) {
    pb::CallHubResponse response;
    EXPECT_EQ(CallHub(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_TRUE(port_.Snapshot().hub_calls.empty());
}

class DefinitionLimitsTest : public SessionTest {
 protected:
  DefinitionLimitsTest() : SessionTest(/*start=*/false) {}

  // Of this many bytes and a few more.
  static std::string ToolOf(const std::string& name, std::size_t bytes) {
    return R"({"name":")" + name +
           R"(","display_name":{"en_US":"F"},"description":{"en_US":"F"},"icon":")" +
           std::string(bytes, 'i') + R"(","parameters":[]})";
  }
};

TEST_F(DefinitionLimitsTest, ADefinitionThatGrowsTooLargeIsRefusedPartByPart) {
  options_.max_definition_bytes = 10'000;
  StartServer();
  const auto session = OpenSession();
  pb::RegisterToolResponse response;
  ASSERT_TRUE(RegisterTool(session->id(), ToolOf("tool-1", 6'000), &response).ok());
  const grpc::Status status = RegisterTool(session->id(), ToolOf("tool-2", 6'000), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("10000 bytes, set by --max-definition-bytes"));
  EXPECT_TRUE(RegisterTool(session->id(), ToolOf("tool-3", 1'000), &response).ok());
}

TEST_F(DefinitionLimitsTest, APluginsOwnTextsCountToo) {
  options_.max_definition_bytes = 10'000;
  StartServer();
  pb::OpenSessionRequest request;
  std::string plugin(kPluginJson);
  plugin.insert(1, R"("repo":"https://example.com/)" + std::string(10'000, 'x') + R"(",)");
  request.set_definition_json(plugin);
  const grpc::Status status = OpenStatus(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("--max-definition-bytes"));
}

// What sessions have declared and not published holds memory as what waits to be checked does.
TEST_F(DefinitionLimitsTest, WhatUnpublishedSessionsDeclareIsBounded) {
  options_.max_waiting_definition_bytes = 10'000;
  StartServer();
  const auto first = OpenSession();
  const auto second = OpenSession();
  pb::RegisterToolResponse response;
  ASSERT_TRUE(RegisterTool(first->id(), ToolOf("tool-1", 6'000), &response).ok());
  const grpc::Status status = RegisterTool(second->id(), ToolOf("tool-1", 6'000), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("10000, set by --max-waiting-definition-bytes"));
  ASSERT_TRUE(Publish(first->id()).ok());
  EXPECT_TRUE(RegisterTool(second->id(), ToolOf("tool-1", 6'000), &response).ok());
}

}  // namespace
}  // namespace atomemo::plugin_service
