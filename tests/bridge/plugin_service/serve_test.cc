// Serve: a plugin's whole session on one stream.

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/router/ports.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ServeTest : public ServiceTest {
 protected:
  static pb::PluginMessage HelloMessage(pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_JSON) {
    pb::PluginMessage message;
    *message.mutable_hello()->mutable_session() = OpenRequest(encoding);
    return message;
  }

  void Open(const pb::PluginMessage& first = HelloMessage()) {
    if (server_ == nullptr) StartServer();
    context_ = std::make_unique<TestContext>();
    stream_ = stub_->Serve(context_.get());
    stream_->Write(first);
  }

  // A session that is published.
  void Start(const pb::PluginMessage& first = HelloMessage()) {
    Open(first);
    ASSERT_TRUE(Read().has_opened());
    ASSERT_TRUE(Read().has_published());
    sink_ = port_.WaitForStream(router::CallKind::kInvoke);
    ASSERT_NE(sink_, nullptr);
  }

  pb::BridgeMessage Read() {
    pb::BridgeMessage message;
    EXPECT_TRUE(stream_->Read(&message));
    return message;
  }

  // What comes until the end of the stream.
  std::vector<pb::BridgeMessage> ReadAll() {
    std::vector<pb::BridgeMessage> messages;
    for (pb::BridgeMessage message; stream_->Read(&message);) messages.push_back(message);
    return messages;
  }

  grpc::Status Finish() {
    ReadAll();
    return stream_->Finish();
  }

  // The plugin asks for no further calls; the router has heard it.
  void Drain() {
    pb::PluginMessage drain;
    drain.mutable_drain();
    stream_->Write(drain);
    ASSERT_TRUE(port_.WaitUntil(
        [](const fakes::FakePluginPort::Record& record) { return !record.drained.empty(); }));
  }
  void TellDrained() {
    for (std::size_t i = 0; i < router::kCallKindCount; ++i) {
      SinkOf(static_cast<router::CallKind>(i))->Drained();
    }
  }
  // That the stream has ended with OK, and with it the session, once.
  void ExpectEndOfSession() {
    EXPECT_THAT(ReadAll(), IsEmpty());
    EXPECT_TRUE(stream_->Finish().ok());
    ASSERT_TRUE(port_.WaitUntil(
        [](const fakes::FakePluginPort::Record& record) { return !record.closed.empty(); }));
    OnIo([] {});
    EXPECT_THAT(port_.Snapshot().closed, SizeIs(1));
  }

  template <typename Send>
  void OnIo(Send send) {
    io_.Run(std::move(send));
  }

  std::shared_ptr<router::CallSink> SinkOf(router::CallKind kind) {
    return port_.Snapshot().streams.at(kind).back().sink;
  }

  std::unique_ptr<TestContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::PluginMessage, pb::BridgeMessage>> stream_;
  std::shared_ptr<router::CallSink> sink_;
};

pb::PluginMessage FailureOf(const std::string& id, const std::string& event = "") {
  pb::PluginMessage message;
  message.mutable_failure()->set_request_id(id);
  message.mutable_failure()->mutable_error()->set_code("app:failed");
  message.mutable_failure()->set_event(event);
  return message;
}

pb::PluginMessage Invoked(const std::string& id, const std::string& json = "{}") {
  pb::PluginMessage message;
  message.mutable_invoked()->set_request_id(id);
  *message.mutable_invoked()->mutable_data() = payload::JsonValueOf(json);
  return message;
}

TEST_F(ServeTest, OneMessageOpensDefinesAndPublishes) {
  pb::PluginMessage first = HelloMessage();
  pb::Hello& hello = *first.mutable_hello();
  hello.mutable_session()->set_client("test/1");
  hello.add_tools()->set_definition_json(kToolJson);
  hello.mutable_tools(0)->mutable_policy()->set_retry_safe(true);
  hello.add_credentials()->set_definition_json(kCredentialJson);
  hello.add_models()->set_definition_json(kModelJson);
  hello.set_max_invocations(7);
  hello.set_max_queries(3);
  Open(first);
  const pb::BridgeMessage opened = Read();
  EXPECT_EQ(opened.opened().session_id(), "session-1");
  EXPECT_EQ(opened.opened().bridge_version(), "1.2.3");
  EXPECT_EQ(Read().published().topic(), "debug_plugin:fake");

  const auto record = port_.Snapshot();
  ASSERT_THAT(record.opened, SizeIs(1));
  EXPECT_EQ(record.opened[0].first.name, "weather");
  EXPECT_EQ(record.opened[0].first.client, "test/1");
  EXPECT_EQ(record.opened[0].first.max_queries, 3u);
  ASSERT_THAT(record.published, SizeIs(1));
  const router::Publication& published = record.published[0].publication;
  EXPECT_TRUE(published.definition->facts.tools.contains("forecast"));
  EXPECT_TRUE(published.tool_policies.at("forecast").retry_safe());
  EXPECT_THAT(published.definition->json, AllOf(HasSubstr("api-key"), HasSubstr("model-1")));
  ASSERT_THAT(record.streams, SizeIs(router::kCallKindCount));
  EXPECT_EQ(record.streams.at(router::CallKind::kInvoke)[0].max_in_flight, 7);
}

TEST_F(ServeTest, PoliciesMayStandBesideAWholeDefinition) {
  pb::PluginMessage first = HelloMessage();
  std::string json(kPluginJson);
  json.insert(json.size() - 1, absl::StrCat(",\"tools\":[", kToolJson, "]"));
  first.mutable_hello()->mutable_session()->set_definition_json(json);
  auto& policies = *first.mutable_hello()->mutable_tool_policies();
  policies["forecast"].set_retry_safe(true);
  policies["forcast"].set_retry_safe(true);
  Open(first);
  const pb::SessionOpened opened = Read().opened();
  ASSERT_THAT(opened.warnings(), SizeIs(1));
  EXPECT_EQ(opened.warnings(0).path(), "tool_policies.forcast");
  ASSERT_TRUE(Read().has_published());
  const auto published = port_.Snapshot().published.at(0).publication;
  EXPECT_TRUE(published.tool_policies.at("forecast").retry_safe());
}

TEST_F(ServeTest, CallsOfEveryKindComeAndTheirAnswersGoBack) {
  Start();
  pb::Authentication authentication;
  authentication.mutable_info()->set_request_id("a");
  pb::OAuth2Step step;
  step.mutable_info()->set_request_id("o");
  pb::ResourceQuery query;
  query.mutable_info()->set_request_id("l");
  pb::MappingQuery mapping;
  mapping.mutable_info()->set_request_id("m");
  const std::vector<router::HubCall> calls = {fakes::CallOf(authentication), fakes::CallOf(step),
                                              Invocation("i"), fakes::CallOf(query),
                                              fakes::CallOf(mapping)};
  for (const router::HubCall& call : calls) {
    OnIo([&] { SinkOf(call.event->kind)->Send(fakes::ForWorker(call)); });
  }
  std::vector<std::string> ids(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const pb::BridgeMessage call = Read();
    if (call.has_authenticate()) ids[0] = call.authenticate().info().request_id();
    if (call.has_authorize()) ids[1] = call.authorize().info().request_id();
    if (call.has_invoke()) ids[2] = call.invoke().info().request_id();
    if (call.has_list()) ids[3] = call.list().info().request_id();
    if (call.has_map()) ids[4] = call.map().info().request_id();
  }
  EXPECT_THAT(ids, ElementsAre("a", "o", "i", "l", "m"));

  pb::PluginMessage answers[5];
  answers[0].mutable_authenticated()->set_request_id("a");
  answers[1].mutable_authorized()->set_request_id("o");
  answers[2] = Invoked("i");
  answers[3].mutable_listed()->set_request_id("l");
  answers[4].mutable_mapped()->set_request_id("m");
  for (const pb::PluginMessage& answer : answers) stream_->Write(answer);
  stream_->Write(FailureOf("f"));
  const auto replies = port_.WaitForReplies(6);
  ASSERT_THAT(replies, SizeIs(6));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(replies[i].session_id, "session-1");
    const bool is_failure = i == 5;  // which does not tell what it was
    EXPECT_EQ(replies[i].reply.kind,
              is_failure ? std::nullopt : std::make_optional(static_cast<router::CallKind>(i)));
  }
}

TEST_F(ServeTest, ARefusalListsEverythingAndThenEndsTheStream) {
  pb::PluginMessage first = HelloMessage();
  std::string json(kPluginJson);
  json.insert(json.size() - 1, absl::StrCat(",\"tools\":[", kToolJson, "]"));
  pb::Hello& hello = *first.mutable_hello();
  hello.mutable_session()->set_definition_json(json);
  hello.add_credentials()->set_definition_json(R"({"name":"x"})");
  hello.add_tools()->set_definition_json(R"({"name":"x"})");
  hello.add_tools()->set_definition_json(kToolJson);  // is there already
  Open(first);
  const std::vector<pb::BridgeMessage> messages = ReadAll();
  ASSERT_THAT(messages, SizeIs(1));
  const pb::Refused& refused = messages[0].refused();
  EXPECT_THAT(refused.message(), StartsWith("credentials[0]: "));
  std::set<std::string> places;
  for (const auto& violation : refused.violations()) {
    places.insert(violation.path().substr(0, violation.path().find('.')));
  }
  EXPECT_THAT(places, ElementsAre("credentials[0]", "tools[1]", "tools[2]"));
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ASSERT_TRUE(port_.WaitUntil(
      [](const fakes::FakePluginPort::Record& record) { return !record.refused.empty(); }));
  EXPECT_EQ(port_.Snapshot().refused[0].plugin, "weather");
  EXPECT_THAT(port_.Snapshot().opened, IsEmpty());
}

TEST_F(ServeTest, ADefinitionThatIsTooLargeIsRefusedForGood) {
  options_.max_definition_bytes = 200;
  pb::PluginMessage first = HelloMessage();
  first.mutable_hello()->add_tools()->set_definition_json(kToolJson);
  Open(first);
  const std::vector<pb::BridgeMessage> messages = ReadAll();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_THAT(messages[0].refused().message(), HasSubstr("--max-definition-bytes"));
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServeTest, WhatTheHubRefusesIsToldInWhole) {
  port_.on_publish = [](auto done) {
    absl::Status status = absl::FailedPreconditionError("the hub refused the definition");
    pb::DefinitionViolations violations;
    violations.add_violations()->set_path("tools[0].name");
    router::SetViolations(status, violations);
    done(status);
  };
  Open();
  EXPECT_TRUE(Read().has_opened());
  const pb::BridgeMessage refused = Read();
  ASSERT_THAT(refused.refused().violations(), SizeIs(1));
  EXPECT_EQ(refused.refused().violations(0).path(), "tools[0].name");
  EXPECT_EQ(Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(port_.WaitUntil(
      [](const fakes::FakePluginPort::Record& record) { return record.closed.size() == 1; }));
}

TEST_F(ServeTest, WhateverEndsForGoodIsARefusal) {
  Open(Invoked("r1"));
  EXPECT_THAT(Read().refused().message(), HasSubstr("must be `hello`"));
  Finish();
  pb::PluginMessage first = HelloMessage();
  first.mutable_hello()->mutable_session()->set_max_receive_bytes(1);
  Open(first);
  EXPECT_THAT(Read().refused().message(), HasSubstr("max_receive_bytes"));
  Finish();
  Start();
  OnIo([session = port_.Snapshot().opened.back().second] {
    session->Finish(absl::AbortedError("replaced"));
  });
  EXPECT_EQ(Read().refused().message(), "replaced");
  Finish();
  port_.open_status = absl::PermissionDeniedError("another user's");
  Open();
  EXPECT_EQ(Read().refused().message(), "another user's");
  EXPECT_EQ(Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(ServeTest, AShutdownIsNoRefusal) {
  port_.on_publish = [](auto done) { done(absl::UnavailableError("the bridge is shutting down")); };
  Open();
  for (const pb::BridgeMessage& message : ReadAll()) EXPECT_FALSE(message.has_refused());
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServeTest, AnswersOfTheLastSessionMayFollowHelloAtOnce) {
  Open();
  for (int i = 0; i < 600; ++i) stream_->Write(Invoked(absl::StrCat("r", i)));
  const auto replies = port_.WaitForReplies(600);
  ASSERT_THAT(replies, SizeIs(600));
  EXPECT_EQ(replies[599].request_id(), "r599");
}

TEST_F(ServeTest, TheFirstMessageMustBeHelloAndNoOther) {
  Open(Invoked("r1"));
  EXPECT_THAT(Finish().error_message(), HasSubstr("the first message must be `hello`"));
  Start();
  stream_->Write(HelloMessage());
  stream_->Write(pb::PluginMessage());
  EXPECT_THAT(Read().rejected().violations(0).message(), HasSubstr("only be the first"));
  EXPECT_THAT(Read().rejected().violations(0).message(), HasSubstr("empty"));
  stream_->Write(Invoked("r1"));
  EXPECT_THAT(port_.WaitForReplies(1), SizeIs(1));
}

TEST_F(ServeTest, NumbersThatMakeNoSenseAreRefused) {
  pb::PluginMessage first = HelloMessage();
  first.mutable_hello()->set_max_queries(-1);
  Open(first);
  EXPECT_THAT(Finish().error_message(), HasSubstr("max_queries is -1"));
  first = HelloMessage();
  first.mutable_hello()->set_max_invocations(10'001);
  Open(first);
  EXPECT_THAT(Finish().error_message(), HasSubstr("max_invocations is 10001"));
}

TEST_F(ServeTest, EventsCancelsAndRejectionsArrive) {
  Start();
  OnIo([&] {
    sink_->Cancel("r1", "late");
    sink_->Reject("r2", {pb::DefinitionViolation()});
  });
  EXPECT_EQ(Read().cancel().request_id(), "r1");
  EXPECT_EQ(Read().rejected().request_id(), "r2");
  const auto session = port_.Snapshot().opened[0].second;
  OnIo([&] {
    pb::SessionEvent event;
    event.mutable_delivered()->add_request_ids("r3");
    session->Send(event);
    event.mutable_hub_state()->set_reason("away");
    session->Send(event);
    event.mutable_draining()->set_replaced(true);
    session->Send(event);
  });
  EXPECT_THAT(Read().delivered().request_ids(), ElementsAre("r3"));
  EXPECT_EQ(Read().hub_state().reason(), "away");
  EXPECT_TRUE(Read().draining().replaced());
  OnIo([&] { session->Finish(absl::AbortedError("replaced")); });
  EXPECT_EQ(Finish().error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(ServeTest, APluginThatStopsLosesNoCall) {
  Start();
  Drain();
  OnIo([&] {
    sink_->Send(fakes::ForWorker(Invocation("last")));
    TellDrained();
  });
  EXPECT_EQ(Read().invoke().info().request_id(), "last");
  EXPECT_TRUE(Read().has_drained());
  stream_->Write(Invoked("last"));
  ExpectEndOfSession();  // `drained` came once
  EXPECT_THAT(port_.Snapshot().replies, SizeIs(1));
}

TEST_F(ServeTest, APluginThatStopsMayHalfCloseItself) {
  Start();
  Drain();
  OnIo([&] { sink_->Send(fakes::ForWorker(Invocation("owed"))); });
  EXPECT_EQ(Read().invoke().info().request_id(), "owed");
  stream_->WritesDone();
  ExpectEndOfSession();
}

TEST_F(ServeTest, APluginThatStopsAndHasNothingToDoIsDoneAtOnce) {
  Start();
  Drain();
  OnIo([&] { TellDrained(); });
  EXPECT_TRUE(Read().has_drained());
  ExpectEndOfSession();
}

TEST_F(ServeTest, APluginThatWasDrainedWithoutAskingStays) {
  Start();
  OnIo([&] { TellDrained(); });
  EXPECT_TRUE(Read().has_drained());
  stream_->Write(Invoked("r1"));
  EXPECT_THAT(port_.WaitForReplies(1), SizeIs(1));
  Drain();
  ExpectEndOfSession();
}

TEST_F(ServeTest, CallsThatNobodyWaitsForDoNotHoldUpAPluginThatStops) {
  Start();
  Drain();
  OnIo([&] {
    sink_->Send(fakes::ForWorker(Invocation("cancelled")));
    sink_->Send(fakes::ForWorker(
        Invocation("too-large", absl::StrCat("{\"v\":\"", std::string(5 << 20, 'x'), "\"}"))));
    TellDrained();
    sink_->Cancel("cancelled", "late");
  });
  EXPECT_EQ(Read().invoke().info().request_id(), "cancelled");
  EXPECT_TRUE(Read().has_drained());
  EXPECT_EQ(Read().cancel().request_id(), "cancelled");
  ExpectEndOfSession();
}

TEST_F(ServeTest, APluginThatStopsIsWaitedForUntilItsEarlierCallsAndItsOwnAreAnswered) {
  pb::PluginMessage first = HelloMessage();
  first.mutable_hello()->mutable_session()->set_instance_id("i");
  first.mutable_hello()->mutable_session()->add_open_request_ids("earlier");
  std::function<void(absl::StatusOr<std::string>)> hub_answers;
  port_.on_call_hub_later = [&hub_answers](auto done) { hub_answers = std::move(done); };
  Start(first);
  pb::PluginMessage request;
  request.mutable_hub_request()->set_id("h1");
  request.mutable_hub_request()->mutable_call()->set_event("count");
  stream_->Write(request);
  Drain();
  OnIo([&] { TellDrained(); });
  EXPECT_TRUE(Read().has_drained());
  stream_->Write(Invoked("earlier"));
  EXPECT_THAT(port_.WaitForReplies(1), SizeIs(1));
  OnIo([&] {
    EXPECT_THAT(port_.Snapshot().closed, IsEmpty());
    hub_answers("1");
  });
  EXPECT_EQ(Read().hub_reply().data().json(), "1");
  ExpectEndOfSession();
}

TEST_F(ServeTest, AKilledPluginsSessionEndsOnce) {
  Start();
  port_.on_close = [](const fakes::FakePluginPort::Record& record, const std::string&) {
    EXPECT_THAT(record.replies, SizeIs(1));  // what it had answered counts
  };
  stream_->Write(Invoked("r1", "\"" + std::string(base::kLargeMessage, 'x') + "\""));
  port_.WaitForReplies(1);
  context_->TryCancel();
  ASSERT_TRUE(port_.WaitUntil(
      [](const fakes::FakePluginPort::Record& record) { return !record.closed.empty(); }));
  Finish();
  OnIo([] {});
  EXPECT_THAT(port_.Snapshot().closed, ElementsAre("session-1"));
  EXPECT_THAT(port_.Snapshot().unsubscribed, IsEmpty());
}

TEST_F(ServeTest, TheHubIsCalledAndAnswers) {
  port_.on_call_hub = [](absl::string_view event) -> absl::StatusOr<std::string> {
    if (event == "good") return std::string(R"({"n":1})");
    absl::Status status = absl::AbortedError("the hub answered with an error");
    pb::HubError error;
    error.set_code("no");
    router::SetHubError(status, error);
    return status;
  };
  Start();
  const auto call = [&](const std::string& id, const std::string& event) {
    pb::PluginMessage message;
    message.mutable_hub_request()->set_id(id);
    message.mutable_hub_request()->mutable_call()->set_event(event);
    *message.mutable_hub_request()->mutable_call()->mutable_data() =
        payload::JsonObjectOf(R"({"a":1})");
    stream_->Write(message);
    const pb::BridgeMessage reply = Read();
    EXPECT_EQ(reply.hub_reply().id(), id);
    return reply.hub_reply();
  };
  EXPECT_EQ(call("1", "good").data().json(), R"({"n":1})");
  EXPECT_EQ(port_.Snapshot().hub_calls.at(0).data_json, R"({"a":1})");
  const pb::HubReply failed = call("2", "bad");
  EXPECT_EQ(failed.failure().code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(failed.failure().error().code(), "no");
  EXPECT_EQ(call("3", "").failure().code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServeTest, AHubRequestThatIsTooLargeIsAnswered) {
  options_.max_message_bytes = std::size_t{1} << 20;
  Start();
  for (const std::size_t bytes : {std::size_t{2} << 20}) {
    pb::PluginMessage message;
    message.mutable_hub_request()->set_id("h1");
    message.mutable_hub_request()->mutable_call()->set_event(std::string(bytes, 'e'));
    stream_->Write(message);
    const pb::HubReply reply = Read().hub_reply();
    EXPECT_EQ(reply.id(), "h1");
    EXPECT_EQ(reply.failure().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
}

TEST_F(ServeTest, AnErrorOfTheHubThatNoStructTakesIsToldWithoutItsDetails) {
  port_.on_call_hub = [](absl::string_view) -> absl::StatusOr<std::string> {
    absl::Status status = absl::AbortedError("the hub answered with an error");
    pb::HubError error;
    error.set_code("no");
    *error.mutable_error() = payload::JsonObjectOf(R"({"n":1e400})");
    router::SetHubError(status, error);
    return status;
  };
  Start(HelloMessage(pb::PAYLOAD_ENCODING_STRUCT));
  pb::PluginMessage message;
  message.mutable_hub_request()->set_id("h1");
  message.mutable_hub_request()->mutable_call()->set_event("e");
  stream_->Write(message);
  EXPECT_EQ(Read().hub_reply().failure().error().code(), "no");
}

TEST_F(ServeTest, NothingIsReadBeforeTheRouterHasThePlugin) {
  Open();
  stream_->Write(Invoked("r1"));
  pb::PluginMessage drain;
  drain.mutable_drain();
  stream_->Write(drain);
  stream_->WritesDone();
  EXPECT_TRUE(Finish().ok());
  const auto record = port_.Snapshot();
  EXPECT_EQ(record.published_before_replies, true);
  EXPECT_THAT(record.replies, SizeIs(1));
}

TEST_F(ServeTest, AHubRequestWithALongIdIsRejected) {
  Start();
  pb::PluginMessage message;
  message.mutable_hub_request()->set_id(std::string(129, 'x'));
  stream_->Write(message);
  EXPECT_THAT(Read().rejected().violations(0).message(), HasSubstr("has 129 bytes"));
  EXPECT_THAT(port_.Snapshot().hub_calls, IsEmpty());
}

TEST_F(ServeTest, AnAnswerOfTheHubThatIsTooLargeFailsThatRequestAlone) {
  port_.on_call_hub = [](absl::string_view) {
    return "\"" + std::string(std::size_t{5} << 20, 'x') + "\"";
  };
  Start();
  pb::PluginMessage message;
  message.mutable_hub_request()->set_id("h");
  message.mutable_hub_request()->mutable_call()->set_event("big");
  stream_->Write(message);
  const pb::BridgeMessage reply = Read();
  EXPECT_EQ(reply.hub_reply().id(), "h");
  EXPECT_EQ(reply.hub_reply().failure().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(reply.hub_reply().failure().message(), HasSubstr("max_receive_bytes"));
}

TEST_F(ServeTest, ACallThatIsTooLargeFailsAloneAndSoDoesAnAnswer) {
  options_.max_message_bytes = std::size_t{6} << 20;
  Start();
  OnIo([&] {
    sink_->Send(
        fakes::ForWorker(Invocation("r1", "\"" + std::string(std::size_t{5} << 20, 'x') + "\"")));
  });
  const auto failed = port_.WaitForReplies(1);
  ASSERT_THAT(failed, SizeIs(1));
  EXPECT_EQ(failed[0].reply.kind, router::CallKind::kInvoke);
  EXPECT_THAT(failed[0].error().message(), HasSubstr("max_receive_bytes"));
  stream_->Write(Invoked("r2", "\"" + std::string(std::size_t{7} << 20, 'x') + "\""));
  EXPECT_EQ(Read().rejected().request_id(), "r2");
  EXPECT_THAT(port_.WaitForReplies(2), SizeIs(2));
  stream_->Write(Invoked("r3"));
  EXPECT_THAT(port_.WaitForReplies(3), SizeIs(3));
}

TEST_F(ServeTest, CredentialsGoAheadOfInvocationsThatWait) {
  Start();
  const std::string large = "\"" + std::string(std::size_t{2} << 20, 'x') + "\"";
  OnIo([&] {
    for (int i = 0; i < 8; ++i)
      sink_->Send(fakes::ForWorker(Invocation(absl::StrCat("i", i), large)));
    pb::Authentication call;
    call.mutable_info()->set_request_id("a");
    SinkOf(router::CallKind::kAuthenticate)->Send(fakes::ForWorker(fakes::CallOf(call)));
  });
  int before = 0;
  while (!Read().has_authenticate()) ++before;
  EXPECT_LE(before, 4);  // what was under way, and in gRPC's buffers
}

TEST_F(ServeTest, CallsThatASlowPluginDoesNotReadFailAndTheSessionLives) {
  options_.max_stream_messages = 10;
  Start();
  const std::string large = "\"" + std::string(std::size_t{1} << 20, 'x') + "\"";
  OnIo([&] {
    for (int i = 0; i < 40; ++i)
      sink_->Send(fakes::ForWorker(Invocation(absl::StrCat("i", i), large)));
  });
  const auto failed = port_.WaitForReplies(20);
  EXPECT_THAT(failed.at(0).error().message(), HasSubstr("reads its Serve stream too slowly"));
  const auto session = port_.Snapshot().opened[0].second;
  OnIo([&] {
    pb::SessionEvent event;
    event.mutable_delivered()->add_request_ids("r");
    session->Send(event);
  });
  while (!Read().has_delivered()) {
  }
}

TEST_F(ServeTest, StructSessionsGetStructs) {
  Start(HelloMessage(pb::PAYLOAD_ENCODING_STRUCT));
  OnIo([&] { sink_->Send(fakes::ForWorker(Invocation("r1", R"({"city":"Rome"})"))); });
  EXPECT_EQ(Read().invoke().parameters().fields().fields().at("city").string_value(), "Rome");
}

}  // namespace
}  // namespace atomemo::plugin_service
