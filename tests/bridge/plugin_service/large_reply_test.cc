// A plugin's large reply is read while others have their turn on the io thread.

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <variant>

#include "bridge/plugin_service/large_reply.h"
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
  EXPECT_FALSE(replies[0].json.has_value());
  EXPECT_EQ(router::ReplyRequestId(replies[1].payload), "r2");
  ASSERT_TRUE(replies[1].json.has_value());
  ASSERT_TRUE(replies[1].json->ok());
  EXPECT_EQ(**replies[1].json, LargeJson());
  EXPECT_EQ(router::ReplyRequestId(replies[2].payload), "r3");
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
  ASSERT_TRUE(replies[0].json.has_value());
  EXPECT_TRUE(absl::IsInvalidArgument(replies[0].json->status()));
  EXPECT_TRUE(router::GetViolations(replies[0].json->status()).has_value());
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

TEST(ReadInFullTest, LongTextsOfAnErrorAreCutShort) {
  pb::CallFailure failure;
  failure.mutable_error()->set_code("c");
  failure.mutable_error()->set_message(std::string(100'000, 'm'));
  auto& details = *failure.mutable_error()->mutable_details();
  (*details.mutable_fields()->mutable_fields())["a"].set_string_value(std::string(70'000, 'd'));
  const router::PluginReply reply = ReadInFull(std::move(failure));
  const pb::PluginError& error = std::get<pb::CallFailure>(reply.payload).error();
  EXPECT_EQ(error.code(), "c");
  EXPECT_EQ(error.message(), std::string(kMaxErrorBytes, 'm') +
                                 "... (100000 bytes) (its details of 70008 bytes are left out)");
  EXPECT_FALSE(error.has_details());
}

TEST(ReadInFullTest, LeavesNothingOfThePayloadButItsId) {
  pb::InvokeResult result;
  result.set_request_id("r");
  result.mutable_data()->mutable_value()->set_bool_value(true);
  const router::PluginReply reply = ReadInFull(std::move(result));
  ASSERT_TRUE(reply.json.has_value());
  EXPECT_EQ(reply.json->value(), "true");
  const auto& rest = std::get<pb::InvokeResult>(reply.payload);
  EXPECT_EQ(rest.request_id(), "r");
  EXPECT_FALSE(rest.has_data());
}

TEST(ReadInFullTest, AStructInAnErrorBecomesText) {
  pb::CallFailure failure;
  failure.set_request_id("r");
  auto& details = *failure.mutable_error()->mutable_details();
  (*details.mutable_fields()->mutable_fields())["a"].set_number_value(1);
  const router::PluginReply reply = ReadInFull(std::move(failure));
  EXPECT_FALSE(reply.json.has_value());
  EXPECT_EQ(std::get<pb::CallFailure>(reply.payload).error().details().json(), R"({"a":1})");
}

TEST(ReadInFullTest, AStructInOAuth2TokensBecomesText) {
  pb::OAuth2Result result;
  auto& extra = *result.mutable_tokens()->mutable_extra_fields();
  (*extra.mutable_fields()->mutable_fields())["scope"].set_string_value("all");
  const router::PluginReply reply = ReadInFull(std::move(result));
  EXPECT_FALSE(reply.json.has_value());
  EXPECT_THAT(std::get<pb::OAuth2Result>(reply.payload).tokens().extra_fields().json(),
              HasSubstr(R"("scope":"all")"));
}

}  // namespace
}  // namespace atomemo::plugin_service
