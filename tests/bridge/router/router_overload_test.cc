// Past its bounds the bridge refuses, and keeps nothing of what it refuses.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

class OverloadTest : public RouterTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.limits.outbox.max_answers = 10;
    options.limits.max_calls = 20;
    return options;
  }
  OverloadTest() : RouterTest(Options()) {}

  // Answers that the hub does not prove.
  void FillOutbox(Worker& worker) {
    for (int i = 0; i < 10; ++i) HubInvokes(absl::StrCat("full", i));
    for (int i = 0; i < 10; ++i) Replies(worker, absl::StrCat("full", i));
    ASSERT_FALSE(router_.outbox().HasRoom());
  }
};

TEST_F(OverloadTest, RefusalsAreSentAtOnceAndNotKept) {
  auto worker = StartWorker();
  HubUp();
  FillOutbox(*worker);
  for (int i = 0; i < 1000; ++i) HubInvokes(absl::StrCat("r", i));
  EXPECT_EQ(router_.outbox().answers(), 10u);
  for (int i = 0; i < 1000; ++i) {
    const std::string request_id = absl::StrCat("r", i);
    ASSERT_EQ(ErrorOf(request_id).code(), "transient:overloaded");
    ASSERT_THAT(ErrorOf(request_id).message(), HasSubstr("--max-outbox-answers"));
  }
}

TEST_F(OverloadTest, ARefusedCallThatIsRepeatedLaterIsServed) {
  auto worker = StartWorker();
  HubUp();
  FillOutbox(*worker);
  HubInvokes("r1");
  HubInvokes("r1");
  EXPECT_THAT(hub_.AnswersTo("r1"), SizeIs(2));
  router_.OnProven(hub_.position());
  HubInvokes("r1");
  Replies(*worker, "r1");
  ASSERT_THAT(hub_.AnswersTo("r1"), SizeIs(3));
  EXPECT_TRUE(hub_.AnswersTo("r1").back().ok());
}

TEST_F(OverloadTest, TooManyCallsInFlightAreRefusedWithoutATrace) {
  auto worker = StartWorker(/*max_in_flight=*/1);
  HubUp();
  for (int i = 0; i < 500; ++i) HubInvokes(absl::StrCat("r", i));
  EXPECT_EQ(router_.calls().active().calls, 20u);
  EXPECT_EQ(router_.outbox().answers(), 0u);
  EXPECT_THAT(ErrorOf("r20").message(), HasSubstr("--max-calls"));
}

TEST_F(OverloadTest, CallsThatCannotBeUnderstoodAreBoundedToo) {
  auto worker = StartWorker();
  HubUp();
  for (int i = 0; i < 1000; ++i) {
    router_.OnBadHubCall(kTopic, "invoke_tool", absl::StrCat("bad", i),
                         absl::InvalidArgumentError("tool_name is missing"));
  }
  EXPECT_EQ(router_.outbox().answers(), 10u);
  EXPECT_EQ(ErrorOf("bad999").code(), "transient:overloaded");
}

TEST_F(OverloadTest, ACallThatIsRepeatedWithoutEndDoesNotFillTheOutbox) {
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  Replies(*worker, "r1");
  for (int i = 0; i < 1000; ++i) HubInvokes("r1");
  EXPECT_THAT(router_.outbox().answers(), Le(2u));
  FillOutbox(*worker);
  for (int i = 0; i < 1000; ++i) HubInvokes("full3");
  EXPECT_THAT(router_.outbox().answers(), Le(12u));
}

TEST_F(OverloadTest, RefusalsGoOutWhileTheSendBufferIsFull) {
  auto worker = StartWorker();
  HubUp();
  FillOutbox(*worker);
  hub_.writable = false;
  HubInvokes("r1");
  EXPECT_EQ(ErrorOf("r1").code(), "transient:overloaded");
}

}  // namespace
}  // namespace atomemo::router
