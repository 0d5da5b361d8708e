// A plugin's large reply is read while others have their turn on the io thread.

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <variant>

#include "bridge/plugin_service/plugin_reply.h"
#include "tests/bridge/plugin_service/call_stream_fixture.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string LargeJson() { return "\"" + std::string(base::kLargeMessage, 'x') + "\""; }

using LargeReplyTest = CallStreamTest;

TEST_F(LargeReplyTest, ReachesTheRouterReadAndInItsPlace) {
  Start();
  invoke_->stream->Write(Result("r1"));
  invoke_->stream->Write(Result("r2", LargeJson()));
  invoke_->stream->Write(Result("r3"));
  const auto replies = port_.WaitForReplies(3);
  ASSERT_THAT(replies, SizeIs(3));
  EXPECT_EQ(replies[1].request_id(), "r2");
  EXPECT_EQ(replies[1].json(), LargeJson());
  EXPECT_EQ(replies[2].request_id(), "r3");
}

TEST_F(LargeReplyTest, CountsThoughItsWorkerIsGone) {
  Start();
  invoke_->stream->Write(Result("r1", LargeJson()));
  invoke_->stream->WritesDone();
  ASSERT_TRUE(WaitForUnsubscribed());
  EXPECT_THAT(port_.WaitForReplies(1), SizeIs(1));
}

TEST_F(LargeReplyTest, ThatIsNoReplyFailsItsCallAlone) {
  Start();
  pb::InvokeReply broken = Result("r1", LargeJson() + "x");
  invoke_->stream->Write(broken);
  invoke_->stream->Write(Result("r2"));
  const auto replies = port_.WaitForReplies(2);
  ASSERT_THAT(replies, SizeIs(2));
  EXPECT_TRUE(absl::IsInvalidArgument(replies[0].outcome.status()));
  EXPECT_TRUE(router::GetViolations(replies[0].outcome.status()).has_value());
}

TEST_F(LargeReplyTest, WithALongRequestIdIsRejected) {
  Start();
  for (const std::size_t bytes : {std::size_t{70'000}, base::kLargeMessage}) {
    invoke_->stream->Write(Result(std::string(bytes, 'r')));
    const pb::InvokeCall call = ReadCall();
    ASSERT_TRUE(call.has_rejected());
    EXPECT_THAT(call.rejected().violations(0).message(), HasSubstr("and may have 65536"));
  }
}

// What the hub gets for it, as the answer to this event.
absl::StatusOr<router::CallOutcome> OutcomeOf(const router::PluginReply& reply,
                                              absl::string_view event) {
  return reply.outcome(*router::FindHubEvent(event));
}

TEST(PluginReplyTest, LongTextsOfAnErrorAreCutShort) {
  pb::CallFailure failure;
  failure.mutable_error()->set_code("c");
  failure.mutable_error()->set_message(std::string(100'000, 'm'));
  auto& details = *failure.mutable_error()->mutable_details();
  (*details.mutable_fields()->mutable_fields())["a"].set_string_value(std::string(70'000, 'd'));
  const auto outcome = OutcomeOf(FailureReply(std::move(failure)), "invoke_tool");
  const auto& error = std::get<pb::PluginError>(outcome.value());
  EXPECT_EQ(error.code(), "c");
  EXPECT_EQ(error.message(), std::string(kMaxErrorBytes, 'm') +
                                 "... (100000 bytes) (its details of 70008 bytes are left out)");
  EXPECT_FALSE(error.has_details());
}

TEST(PluginReplyTest, LongTextsOfItsCausesAreCutShortToo) {
  pb::CallFailure failure;
  pb::PluginError* error = failure.mutable_error();
  for (int i = 0; i < 50; ++i) {
    error = error->mutable_cause();
    error->set_stack(std::string(100'000, 's'));
  }
  const auto outcome = OutcomeOf(FailureReply(std::move(failure)), "invoke_tool");
  EXPECT_LT(std::get<pb::PluginError>(outcome.value()).ByteSizeLong(), 17 * (kMaxErrorBytes + 100));
}

TEST(PluginReplyTest, AStructInAnErrorBecomesText) {
  pb::CallFailure failure;
  auto& details = *failure.mutable_error()->mutable_details();
  (*details.mutable_fields()->mutable_fields())["a"].set_number_value(1);
  const auto outcome = OutcomeOf(FailureReply(std::move(failure)), "invoke_tool");
  EXPECT_EQ(std::get<pb::PluginError>(outcome.value()).details().json(), R"({"a":1})");
}

TEST(PluginReplyTest, AFailureTellsItsEventAndNotItsKind) {
  pb::CallFailure failure;
  failure.set_request_id("r");
  failure.set_event("locator_list");
  const router::PluginReply reply = FailureReply(failure);
  EXPECT_EQ(reply.request_id, "r");
  EXPECT_EQ(reply.kind, std::nullopt);
  EXPECT_EQ(reply.event, "locator_list");
}

TEST(PluginReplyTest, OneThatWasReadInFullHasTheSameOutcome) {
  auto result = std::make_unique<pb::InvokeResult>();
  result->set_request_id("r");
  result->mutable_data()->mutable_value()->set_bool_value(true);
  const router::PluginReply reply =
      ReadInFull(ResultReply(router::CallKind::kInvoke, std::move(result)));
  EXPECT_EQ(reply.request_id, "r");
  EXPECT_EQ(std::get<std::string>(OutcomeOf(reply, "invoke_tool").value()), "true");
}

TEST(PluginReplyTest, AnOAuth2ResultIsJudgedByTheStepThatItAnswers) {
  auto result = std::make_unique<pb::OAuth2Result>();
  result->mutable_tokens()->set_access_token("t");
  const router::PluginReply reply =
      ReadInFull(ResultReply(router::CallKind::kAuthorizeOAuth2, std::move(result)));
  EXPECT_EQ(reply.event, "");
  EXPECT_TRUE(OutcomeOf(reply, "oauth2_get_token").ok());
  EXPECT_TRUE(OutcomeOf(reply, "oauth2_refresh_token").ok());
  EXPECT_FALSE(OutcomeOf(reply, "oauth2_build_authorize_url").ok());
}

TEST(PluginReplyTest, AResultIsNoAnswerToAnotherKindOfCall) {
  const auto reply = [] {
    return ResultReply(router::CallKind::kAuthorizeOAuth2, std::make_unique<pb::OAuth2Result>());
  };
  EXPECT_TRUE(absl::IsInvalidArgument(OutcomeOf(reply(), "locator_list").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(OutcomeOf(ReadInFull(reply()), "locator_list").status()));
}

TEST(PluginReplyTest, AnUrlCanAnswerOneStepOnly) {
  auto result = std::make_unique<pb::OAuth2Result>();
  result->set_url("https://example.com/");
  EXPECT_EQ(ResultReply(router::CallKind::kAuthorizeOAuth2, std::move(result)).event,
            "oauth2_build_authorize_url");
}

}  // namespace
}  // namespace atomemo::plugin_service
