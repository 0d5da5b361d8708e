// Each bound: what reaches it exactly passes, one more fails and is told the bound and its flag,
// and what ends makes room again.

#include <gmock/gmock.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOtherTopic[] = "debug_plugin:greeter";

// A call as it is counted, with parameters of a size of the test's choice.
pb::Invocation SizedCall(const std::string& request_id, std::size_t text_bytes = 0) {
  pb::Invocation call;
  call.mutable_info()->set_request_id(request_id);
  call.set_tool_name("forecast");
  call.mutable_parameters()->set_json("{\"text\":\"" + std::string(text_bytes, 'x') + "\"}");
  return call;
}

std::size_t BytesOf(const pb::Invocation& call) { return fakes::CallOf(call).body.size(); }

class LimitTest : public RouterTest {
 protected:
  explicit LimitTest(RouterLimits limits) : RouterTest(Options(limits)) {}

  static RouterOptions Options(RouterLimits limits) {
    RouterOptions options;
    options.limits = limits;
    return options;
  }

  void HubInvokesSized(const std::string& request_id, std::size_t text_bytes = 0) {
    router_.OnHubCall(kTopic, fakes::CallOf("invoke_tool", SizedCall(request_id, text_bytes)));
  }
  // A second plugin beside "weather".
  std::unique_ptr<Worker> StartGreeter() {
    SessionSpec spec = Spec();
    spec.name = "greeter";
    auto worker = Open(std::move(spec));
    Register(*worker, PartKind::kTool, kTool);
    EXPECT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 16, worker->calls).ok());
    Publish(*worker);
    SetTopic(pb::HubState::STATE_REGISTERED, kOtherTopic);
    return worker;
  }
  void HubInvokesGreeter(const std::string& request_id) {
    router_.OnHubCall(kOtherTopic, fakes::CallOf("invoke_tool", SizedCall(request_id)));
  }
  void ExpectOverloaded(const std::string& request_id, const std::string& flag, std::size_t limit) {
    EXPECT_EQ(ErrorOf(request_id).code(), "transient:overloaded") << request_id;
    EXPECT_THAT(ErrorOf(request_id).message(),
                AllOf(HasSubstr(flag + ")"), HasSubstr(absl::StrCat(limit))))
        << request_id;
  }
};

// ---- Calls in flight

class MaxCallsTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_calls = 2;
    return limits;
  }
  MaxCallsTest() : LimitTest(Limits()) {}
};

TEST_F(MaxCallsTest, CountsTheCallsOfAllPlugins) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  HubInvokes("a");
  HubInvokesGreeter("g");
  HubInvokes("over");
  ExpectOverloaded("over", "--max-calls", 2);
  Replies(*greeter, "g");
  HubInvokes("b");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b"));
}

TEST_F(MaxCallsTest, ACallThatFailsMakesRoomToo) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("a");
  HubInvokes("b");
  scheduler_.Advance(absl::Minutes(30));
  HubInvokes("c");
  HubInvokes("d");
  HubInvokes("over");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c", "d"));
  ExpectOverloaded("over", "--max-calls", 2);
}

class MaxCallBytesTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_call_bytes = BytesOf(SizedCall("a")) + BytesOf(SizedCall("b", 50));
    return limits;
  }
  MaxCallBytesTest() : LimitTest(Limits()) {}
};

TEST_F(MaxCallBytesTest, CountsThePayloadsOfAllCalls) {
  auto worker = StartWorker();
  HubUp();
  HubInvokesSized("a");
  HubInvokesSized("o", 51);
  ExpectOverloaded("o", "--max-call-bytes", Limits().max_call_bytes);
  HubInvokesSized("b", 50);
  HubInvokesSized("p");
  ExpectOverloaded("p", "--max-call-bytes", Limits().max_call_bytes);
  Replies(*worker, "b");
  HubInvokesSized("c", 50);
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c"));
}

class MaxPluginCallsTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_plugin_calls = 2;
    return limits;
  }
  MaxPluginCallsTest() : LimitTest(Limits()) {}
};

TEST_F(MaxPluginCallsTest, CountsThoseInFlightAndThoseQueuedOfOnePlugin) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  auto greeter = StartGreeter();
  HubUp();
  for (const char* id : {"a", "b", "over"}) HubInvokes(id);
  ExpectOverloaded("over", "--max-plugin-calls", 2);
  HubInvokesGreeter("g");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
  Replies(*worker, "a");
  HubInvokes("c");
  Replies(*worker, "b");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c"));
}

class MaxPluginCallBytesTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_plugin_call_bytes = BytesOf(SizedCall("a")) + BytesOf(SizedCall("b", 50));
    return limits;
  }
  MaxPluginCallBytesTest() : LimitTest(Limits()) {}
};

TEST_F(MaxPluginCallBytesTest, CountsThePayloadsOfOnePlugin) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  HubInvokesSized("a");
  HubInvokesSized("b", 50);
  HubInvokesSized("o");
  ExpectOverloaded("o", "--max-plugin-call-bytes", Limits().max_plugin_call_bytes);
  HubInvokesGreeter("g");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
  Replies(*worker, "b");
  HubInvokesSized("c", 50);
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c"));
}

class MaxQueuedCallsTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_queued_calls = 2;
    return limits;
  }
  MaxQueuedCallsTest() : LimitTest(Limits()) {}
};

TEST_F(MaxQueuedCallsTest, CountsCallsThatWaitForAWorker) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (const char* id : {"run", "q1", "q2", "over"}) HubInvokes(id);
  ExpectOverloaded("over", "--max-queued-calls", 2);
  Replies(*worker, "run");
  HubInvokes("q3");
  HubInvokes("over2");
  ExpectOverloaded("over2", "--max-queued-calls", 2);
  Replies(*worker, "q1");
  Replies(*worker, "q2");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("run", "q1", "q2", "q3"));
}

// ---- Answers that the hub does not have yet

class MaxPluginAnswerBytesTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.outbox.max_topic_bytes =
        HubAnswer{"invoke_tool", "a", std::string("1")}.size() +
        HubAnswer{"invoke_tool", "b", "\"" + std::string(50, 'x') + "\""}.size();
    return limits;
  }
  MaxPluginAnswerBytesTest() : LimitTest(Limits()) {}
};

TEST_F(MaxPluginAnswerBytesTest, CountsTheAnswersOfOnePlugin) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  for (const char* id : {"a", "b", "c"}) HubInvokes(id);
  Replies(*worker, "a");
  Replies(*worker, "b", "\"" + std::string(49, 'x') + "\"");
  HubInvokes("d");  // One byte is left.
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c", "d"));
  router_.OnProven(hub_.position());
  HubInvokes("e");
  Replies(*worker, "c");
  Replies(*worker, "d", "\"" + std::string(50, 'x') + "\"");
  HubInvokes("over");
  EXPECT_EQ(ErrorOf("over").code(), "transient:overloaded");
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-plugin-answer-bytes"));
  HubInvokesGreeter("g");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
  router_.OnProven(hub_.position());
  HubInvokes("f");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a", "b", "c", "d", "e", "f"));
}

class MaxOutboxBytesTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.outbox.max_bytes = HubAnswer{"invoke_tool", "a", std::string("1")}.size() + 1;
    return limits;
  }
  MaxOutboxBytesTest() : LimitTest(Limits()) {}
};

TEST_F(MaxOutboxBytesTest, CountsTheAnswersOfAllPlugins) {
  auto worker = StartWorker();
  auto greeter = StartGreeter();
  HubUp();
  HubInvokes("a");
  Replies(*worker, "a");
  HubInvokesGreeter("g");  // One byte is left.
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g"));
  HubInvokes("b");
  Replies(*worker, "b");
  HubInvokesGreeter("over");
  EXPECT_EQ(ErrorOf("over").code(), "transient:overloaded");
  EXPECT_THAT(ErrorOf("over").message(), HasSubstr("--max-outbox-bytes"));
  router_.OnProven(hub_.position());
  HubInvokesGreeter("h");
  EXPECT_THAT(greeter->calls->request_ids, ElementsAre("g", "h"));
}

// ---- Sessions and what they declare

class MaxSessionsTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_sessions = 2;
    return limits;
  }
  MaxSessionsTest() : LimitTest(Limits()) {}
};

TEST_F(MaxSessionsTest, CountsOpenSessions) {
  auto first = Open(Spec());
  auto second = Open(Spec());
  const absl::Status over = router_.OpenSession(Spec(), first->events).status();
  EXPECT_EQ(over.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(over.message()), HasSubstr("(2, set by --max-sessions)"));
  router_.CloseSession(first->session_id, "gone");
  Open(Spec());
}

TEST_F(RouterTest, AStreamTakesAtMostTenThousandCallsAtOnceAndSixteenIfItDoesNotSay) {
  auto worker = StartWorker(/*max_in_flight=*/0);
  HubUp();
  const auto subscribe = [&](CallKind kind, int max_in_flight) {
    return router_.Subscribe(worker->session_id, kind, max_in_flight,
                             std::make_shared<fakes::FakeCallSink>());
  };
  EXPECT_EQ(subscribe(CallKind::kListResources, -1).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(subscribe(CallKind::kListResources, 10'001).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(subscribe(CallKind::kListResources, 10'000).ok());
  for (int i = 0; i < 20; ++i) HubInvokes(absl::StrCat(i));
  EXPECT_THAT(worker->calls->request_ids, SizeIs(16));
}

// ---- Calls to the hub

class MaxHubCallsTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_hub_calls = 2;
    return limits;
  }
  MaxHubCallsTest() : LimitTest(Limits()) {}

  // What becomes of a call to the hub.
  using Outcome = std::shared_ptr<std::optional<absl::Status>>;
  Outcome CallHub(const Worker& worker) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    router_.CallHub(worker.session_id, "get_file_url", "{}", absl::Seconds(20),
                    [outcome](absl::StatusOr<std::string> result) { *outcome = result.status(); });
    return outcome;
  }
  void ExpectFull(const Worker& worker) {
    const Outcome over = CallHub(worker);
    ASSERT_TRUE(over->has_value());
    EXPECT_EQ((*over)->code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string((*over)->message()), HasSubstr("(2, set by --max-hub-calls)"));
  }
};

TEST_F(MaxHubCallsTest, CountsThoseOfOneSessionThatAreUnderWay) {
  auto worker = StartWorker();
  auto other = StartWorker();
  HubUp();
  for (int i = 0; i < 2; ++i) CallHub(*worker);
  ExpectFull(*worker);
  CallHub(*other);
  EXPECT_THAT(hub_.requests, SizeIs(3));
  router_.OnHubReply(kTopic, hub_.requests[0].second.request_id, std::string("{}"));
  CallHub(*worker);
  EXPECT_THAT(hub_.requests, SizeIs(4));
  ExpectFull(*worker);
}

TEST_F(MaxHubCallsTest, OnesThatTimeOutOrCannotBeSentMakeRoom) {
  auto worker = StartWorker();
  for (int i = 0; i < 5; ++i) CallHub(*worker);  // The hub is away.
  HubUp();
  for (int i = 0; i < 2; ++i) CallHub(*worker);
  EXPECT_THAT(hub_.requests, SizeIs(2));
  ExpectFull(*worker);
  scheduler_.Advance(absl::Seconds(20));
  CallHub(*worker);
  EXPECT_THAT(hub_.requests, SizeIs(3));
}

// ---- Answers to calls of an earlier bridge

class MaxParkedTest : public LimitTest {
 protected:
  static pb::InvokeResult Result(const std::string& request_id, std::size_t bytes = 0) {
    pb::InvokeResult result;
    result.set_request_id(request_id);
    result.mutable_data()->set_json("\"" + std::string(bytes, 'x') + "\"");
    return result;
  }
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_parked_answers = 3;
    limits.max_parked_bytes = Result("a", 100).ByteSizeLong() + Result("b").ByteSizeLong();
    return limits;
  }
  MaxParkedTest() : LimitTest(Limits()) {}

  // A session that is not published yet, so that its answers have to wait.
  std::unique_ptr<Worker> OpenUnpublished() {
    auto worker = Open(Spec());
    Register(*worker, PartKind::kTool, kTool);
    EXPECT_TRUE(router_.Subscribe(worker->session_id, CallKind::kInvoke, 16, worker->calls).ok());
    return worker;
  }
  void Offers(const Worker& worker, const std::string& request_id, std::size_t bytes = 0) {
    router_.Reply(worker.session_id, fakes::ReplyOf(Result(request_id, bytes)));
  }
  static void ExpectRefused(const Worker& worker, const std::string& request_id,
                            const std::string& flag) {
    ASSERT_THAT(worker.calls->rejected, SizeIs(1));
    EXPECT_EQ(worker.calls->rejected[0].first, request_id);
    EXPECT_THAT(worker.calls->rejected[0].second.at(0).message(), HasSubstr(flag + ")"));
    worker.calls->rejected.clear();
  }
};

TEST_F(MaxParkedTest, CountsTheAnswersOfOneSession) {
  auto worker = OpenUnpublished();
  auto other = OpenUnpublished();
  for (const char* id : {"a", "b", "c"}) Offers(*worker, id);
  EXPECT_THAT(worker->calls->rejected, IsEmpty());
  Offers(*worker, "d");
  ExpectRefused(*worker, "d", "--max-parked-answers");
  Offers(*other, "e");
  EXPECT_THAT(other->calls->rejected, IsEmpty());
  Publish(*worker);
  HubUp();
  for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(AnswerTo(id).ok()) << id;
}

TEST_F(MaxParkedTest, CountsTheBytesOfAllSessions) {
  auto other = OpenUnpublished();
  Offers(*other, "other's", 100);
  auto worker = OpenUnpublished();
  Offers(*worker, "b", 1);
  ExpectRefused(*worker, "b", "--max-parked-bytes");
  router_.CloseSession(other->session_id, "gone");
  Offers(*worker, "b", 100);
  EXPECT_THAT(worker->calls->rejected, IsEmpty());
}

TEST_F(MaxParkedTest, CountsTheirBytes) {
  auto worker = OpenUnpublished();
  Offers(*worker, "a", 100);
  Offers(*worker, "b", 1);
  ExpectRefused(*worker, "b", "--max-parked-bytes");
  Offers(*worker, "b");
  EXPECT_THAT(worker->calls->rejected, IsEmpty());
}

class ParkedAgainTest : public LimitTest {
 protected:
  static RouterLimits Limits() {
    RouterLimits limits;
    limits.max_parked_answers = 1;
    limits.max_parked_bytes = 20;  // One such answer has 16.
    limits.outbox.max_answers = 1;
    return limits;
  }
  ParkedAgainTest() : LimitTest(Limits()) {}
};

TEST_F(ParkedAgainTest, WhatWasTakenMakesRoom) {
  auto worker = StartWorker();
  HubUp();
  Replies(*worker, "taken");
  for (int i = 0; i < 5; ++i) {
    Replies(*worker, absl::StrCat(i));  // There is no room in the outbox.
    EXPECT_EQ(ResultOf(absl::StrCat(i)), "none");
    router_.OnProven(hub_.position());
    EXPECT_EQ(ResultOf(absl::StrCat(i)), "1");
  }
  EXPECT_THAT(worker->calls->rejected, IsEmpty());
}

}  // namespace
}  // namespace atomemo::router
