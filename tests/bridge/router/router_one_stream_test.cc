// Sessions whose calls of all kinds share one stream: a failure does not say what it is the answer
// to, and all kinds but Invoke share their credits.

#include <gmock/gmock.h>

#include <utility>
#include <vector>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OneStreamTest : public RouterTest {
 protected:
  explicit OneStreamTest(RouterOptions options = {}) : RouterTest(std::move(options)) {}

  // Every kind, all of which write to the worker's `calls`.
  std::unique_ptr<Worker> Serve(std::size_t max_queries = 16) {
    SessionSpec spec = Spec();
    spec.max_queries = max_queries;
    auto worker = Open(std::move(spec));
    Register(*worker, PartKind::kTool, kToolOfAllKinds);
    Register(*worker, PartKind::kCredential, kCredential);
    for (std::size_t i = 0; i < kCallKindCount; ++i) {
      EXPECT_TRUE(
          router_.Subscribe(worker->session_id, static_cast<CallKind>(i), 10'000, worker->calls)
              .ok());
    }
    Publish(*worker);
    HubUp();
    return worker;
  }

  void HubLists(const std::string& request_id) {
    pb::ResourceQuery query;
    query.mutable_info()->set_request_id(request_id);
    query.set_tool_name("forecast");
    query.set_method("list_places");
    router_.OnHubCall(kTopic, fakes::CallOf("locator_list", std::move(query)));
  }

  void Fails(Worker& worker, const std::string& request_id, const std::string& event = "") {
    pb::CallFailure failure;
    failure.set_request_id(request_id);
    failure.mutable_error()->set_code("app:failed");
    failure.set_event(event);
    router_.Reply(worker.session_id, fakes::ReplyOf(failure));
  }

  static constexpr char kToolOfAllKinds[] =
      R"({"name":"forecast","display_name":{"en_US":"F"},"description":{"en_US":"d"},"icon":"i",
      "parameters":[{"name":"place","type":"resource_locator",
      "modes":[{"type":"list","search_list_method":"list_places"}]}]})";
};

TEST_F(OneStreamTest, AFailureFindsItsCallWhateverKindItIs) {
  auto worker = Serve();
  HubInvokes("i");
  HubAuthenticates("a");
  HubLists("l");
  for (const char* id : {"l", "a", "i"}) Fails(*worker, id);
  EXPECT_EQ(AnswerTo("i").event, "invoke_tool");
  EXPECT_EQ(AnswerTo("a").event, "credential_auth_spec");
  EXPECT_EQ(AnswerTo("l").event, "locator_list");
  EXPECT_EQ(ErrorOf("l").code(), "app:failed");
}

TEST_F(OneStreamTest, TheCallCountsAndNotWhatTheFailureSaysOfIt) {
  auto worker = Serve();
  HubAuthenticates("a");
  Fails(*worker, "a", "invoke_tool");
  EXPECT_EQ(AnswerTo("a").event, "credential_auth_spec");
}

TEST_F(OneStreamTest, AFailureOfACallThatNobodyKnowsMustSayWhatItWas) {
  auto worker = Serve();
  Fails(*worker, "old");
  ASSERT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(worker->calls->rejected[0].second.at(0).message(), HasSubstr("`event`"));
  EXPECT_THAT(hub_.pushed, IsEmpty());
  Fails(*worker, "old", "locator_list");
  EXPECT_EQ(AnswerTo("old").event, "locator_list");
}

TEST_F(OneStreamTest, AResultOfAnotherKindIsRejectedAndTheCallGoesOn) {
  auto worker = Serve();
  HubAuthenticates("a");
  pb::InvokeResult result;
  result.set_request_id("a");
  router_.Reply(worker->session_id, fakes::ReplyOf(result));
  EXPECT_THAT(worker->calls->rejected, SizeIs(1));
  EXPECT_THAT(hub_.pushed, IsEmpty());
  Fails(*worker, "a");
  EXPECT_EQ(ErrorOf("a").code(), "app:failed");
}

TEST_F(OneStreamTest, AllKindsButInvokeShareTheirCredits) {
  auto worker = Serve(/*max_queries=*/2);
  HubAuthenticates("a1");
  HubLists("l1");
  HubAuthenticates("a2");
  HubLists("l2");
  HubInvokes("i1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a1", "l1", "i1"));
  Fails(*worker, "a1");  // each kind has its turn
  Fails(*worker, "l2");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a1", "l1", "i1", "l2", "a2"));
  EXPECT_EQ(ErrorOf("l2").code(), "app:failed");
}

TEST_F(OneStreamTest, ACreditThatACancelledQueryHoldsIsGivenBackByItsFailure) {
  auto worker = Serve(/*max_queries=*/1);
  HubAuthenticates("a1");
  scheduler_.Advance(absl::Seconds(5));
  EXPECT_EQ(ErrorOf("a1").code(), "sdk:timeout");
  HubLists("l1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a1"));
  Fails(*worker, "a1");
  EXPECT_THAT(worker->calls->request_ids, ElementsAre("a1", "l1"));
}

class FullOutboxTest : public OneStreamTest {
 protected:
  FullOutboxTest() : OneStreamTest(OneAnswer()) {}
  static RouterOptions OneAnswer() {
    RouterOptions options;
    options.limits.outbox.max_answers = 1;
    return options;
  }
};

// Else a plugin that stops would take them along.
TEST_F(FullOutboxTest, NobodyIsDrainedWhileItsAnswersWaitForRoom) {
  auto worker = Serve();
  HubInvokes("r1");
  Replies(*worker, "r1");
  Fails(*worker, "old", "locator_list");
  ASSERT_TRUE(router_.DrainSession(worker->session_id).ok());
  EXPECT_EQ(worker->calls->drained, 0);
  router_.OnProven(hub_.position());
  EXPECT_EQ(AnswerTo("old").event, "locator_list");
  EXPECT_GT(worker->calls->drained, 0);
}

TEST_F(OneStreamTest, WhatIsParkedBeforePublishFindsItsCallToo) {
  auto first = Serve();
  HubLists("l");
  auto second = Open(Spec());
  Register(*second, PartKind::kTool, kToolOfAllKinds);
  Register(*second, PartKind::kCredential, kCredential);
  Fails(*second, "l");
  EXPECT_THAT(hub_.pushed, IsEmpty());
  Publish(*second);
  EXPECT_EQ(AnswerTo("l").event, "locator_list");
}

}  // namespace
}  // namespace atomemo::router
