// What the log says of a call that has ended.

#include <gmock/gmock.h>

#include "tests/bridge/router/router_fixture.h"
#include "tests/fakes/captured_log.h"

namespace atomemo::router {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(RouterTest, TheLogNamesTheProcessThatAnswered) {
  fakes::CapturedLog log;
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Milliseconds(7));
  Replies(*worker, "r1");
  EXPECT_THAT(log.Take(), HasSubstr("call answered topic=debug_plugin:weather event=invoke_tool "
                                    "target=forecast request_id=r1 pid=42 ms=7"));
}

TEST_F(RouterTest, TheLogNamesTheProcessThatDidNotAnswerInTime) {
  fakes::CapturedLog log;
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  scheduler_.Advance(absl::Hours(1));
  EXPECT_THAT(log.Take(), AllOf(HasSubstr("call failed"), HasSubstr("request_id=r1 pid=42 ")));
}

TEST_F(RouterTest, TheLogNamesTheProcessThatDied) {
  fakes::CapturedLog log;
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  router_.CloseSession(worker->session_id, "killed");
  EXPECT_THAT(log.Take(), AllOf(HasSubstr("call failed"), HasSubstr("request_id=r1 pid=42 ")));
}

TEST_F(RouterTest, ACallThatCouldNotBeSentIsNotLoggedAsThePluginsError) {
  fakes::CapturedLog log;
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1");
  pb::CallFailure failure;
  failure.set_request_id("r1");
  failure.mutable_error()->set_code("sdk:invalid_parameter");
  failure.mutable_error()->set_message("the call cannot be sent: too large");
  router_.Fail(worker->session_id, CallKind::kInvoke, "r1", failure.error());
  router_.Fail(worker->session_id, CallKind::kInvoke, "r1", failure.error());
  EXPECT_EQ(ErrorOf("r1").code(), "sdk:invalid_parameter");
  EXPECT_THAT(log.Take(), AllOf(HasSubstr("request_id=r1 pid=42 "),
                                HasSubstr("reason=\"the call cannot be sent: too large\"")));
}

TEST_F(RouterTest, TheLogNamesNoProcessForACallThatNoneHad) {
  fakes::CapturedLog log;
  auto worker = StartWorker();
  HubUp();
  HubInvokes("r1", "no-such-tool");
  EXPECT_THAT(log.Take(), AllOf(HasSubstr("call failed"), HasSubstr("request_id=r1 pid=- ")));
}

}  // namespace
}  // namespace atomemo::router
