// What is still told of a message that is no valid frame.

#include "bridge/hub/frame_rescue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"

namespace atomemo::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

std::string MemberOf(const PhoenixFrame& frame, absl::string_view name) {
  absl::StatusOr<base::JsonMembers> members = base::JsonMembers::Cut(frame.payload);
  EXPECT_TRUE(members.ok()) << frame.payload;
  if (!members.ok()) return "";
  return base::UnquoteJson(members->Take(name).value_or("")).value_or("none");
}

// The request_id that is found in a damaged call with this payload; "lost" if the frame is.
std::string RescuedId(absl::string_view payload, absl::string_view end = "]") {
  const absl::StatusOr<PhoenixFrame> frame =
      ParsePhoenixFrame(absl::StrCat(R"(["1",null,"debug_plugin:p","invoke_tool",)", payload, end));
  if (!frame.ok()) return "lost";
  EXPECT_FALSE(frame->damage.ok()) << payload;
  EXPECT_EQ(frame->topic, "debug_plugin:p");
  EXPECT_EQ(frame->event, "invoke_tool");
  EXPECT_THAT(frame->join_ref, Optional(std::string("1")));
  EXPECT_TRUE(base::CheckJsonObject(frame->payload).ok()) << frame->payload;
  return MemberOf(*frame, "request_id");
}

TEST(FrameRescueTest, ACallThatNestsTooDeepIsToldWithItsReason) {
  const std::string nested = absl::StrCat(std::string(100, '['), std::string(100, ']'));
  const absl::StatusOr<PhoenixFrame> frame = ParsePhoenixFrame(absl::StrCat(
      R"(["1",null,"t","invoke_tool",{"request_id":"r5","parameters":{"a":)", nested, "}}]"));
  ASSERT_TRUE(frame.ok());
  EXPECT_THAT(std::string(frame->damage.message()), HasSubstr("nested deeper than 101 levels"));
  EXPECT_EQ(MemberOf(*frame, "request_id"), "r5");
}

TEST(FrameRescueTest, WhateverIsWrongInsideDoesNotMatter) {
  for (const std::string& inside :
       {std::string("NaN"), std::string("{,}"), std::string("[1,]"), std::string("01"),
        std::string("'x'"), std::string("\"\\x\""), std::string("\"a\nb\""), std::string("// no"),
        std::string("\"\xff\""), std::string("\"\xc0\x80\""), std::string(1, '\0'),
        std::string(100'000, '['), std::string(100'000, '{'),
        absl::StrCat(std::string(100'000, '['), std::string(100'000, ']')),
        std::string("\"\\ud83d\\u12\""), std::string(R"({"request_id":"inner"} x)"),
        std::string(R"("\",\"request_id\":\"inner\"" x)")}) {
    EXPECT_EQ(RescuedId(absl::StrCat(R"({"request_id":"r","parameters":)", inside, "}")), "r")
        << inside.substr(0, 40);
    if (inside.size() > 1000 && inside.back() != ']') continue;  // what follows is inside as well
    EXPECT_EQ(RescuedId(absl::StrCat(R"({"parameters":)", inside, R"(,"request_id":"r"})")), "r")
        << inside.substr(0, 40);
  }
}

TEST(FrameRescueTest, TheEndMayBeMissingOrWrong) {
  const char* payload = R"({"request_id":"r","parameters":{}})";
  for (const char* end : {"", " ", ",{}]", "]]", "] x", "}", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(RescuedId(payload, end), "r") << end;
  }
  EXPECT_EQ(RescuedId(R"({"request_id":"r","parameters":{"a":")", ""), "r");
  EXPECT_EQ(RescuedId(R"({"request_id":"r","parameters":{"a":"x\)", ""), "r");
}

TEST(FrameRescueTest, AByteOrderMarkAndOddRefsDoNotMatter) {
  for (const char* head :
       {"\xEF\xBB\xBF[null,null,", " [1,2,", "[ {\"a\":[1,2]} , [\",\"] ,", "[true,\"x\" y,"}) {
    const absl::StatusOr<PhoenixFrame> frame =
        ParsePhoenixFrame(absl::StrCat(head, R"("t","e",{"request_id":"r"}])"));
    ASSERT_TRUE(frame.ok()) << head;
    EXPECT_FALSE(frame->damage.ok()) << head;
    EXPECT_EQ(MemberOf(*frame, "request_id"), "r") << head;
  }
}

TEST(FrameRescueTest, OnlyAStringAtTheTopIsARequestId) {
  EXPECT_EQ(RescuedId(R"({"request_id":5,"a":NaN})"), "lost");
  EXPECT_EQ(RescuedId(R"({"request_id":null,"a":NaN})"), "lost");
  EXPECT_EQ(RescuedId(R"({"a":{"request_id":"inner"},"b":NaN})"), "lost");
  EXPECT_EQ(RescuedId(R"({"a":"request_id","b":NaN})"), "lost");
  EXPECT_EQ(RescuedId(R"([{"request_id":"inner"},NaN])"), "lost");
  EXPECT_EQ(RescuedId(R"("request_id":"r")"), "lost");
  EXPECT_EQ(RescuedId(R"({"request_id":"r)", ""), "lost");
  EXPECT_EQ(RescuedId("", ""), "lost");
}

TEST(FrameRescueTest, OfSeveralRequestIdsTheLastCountsAsEverywhere) {
  EXPECT_EQ(RescuedId(R"({"request_id":"first","request_id":"last","a":NaN})"), "last");
}

TEST(FrameRescueTest, EscapesInNameAndValueAreUnderstood) {
  EXPECT_EQ(RescuedId(R"({"request\u005fid":"r\u0031\"\ud83d","a":NaN})"), "r1\"\uFFFD");
  EXPECT_EQ(RescuedId("{\"request_id\":\"r\xff\",\"a\":NaN}"), "r\uFFFD");
  EXPECT_EQ(RescuedId(R"({"request_id":"a\u0000b","a":NaN})"), std::string("a\0b", 3));
}

TEST(FrameRescueTest, AReplyIsToldByItsStatusAndSaysWhy) {
  const absl::StatusOr<PhoenixFrame> frame = ParsePhoenixFrame(
      R"(["1","7","t","phx_reply",{"response":{"s3cret":NaN},"status":"error"}])");
  ASSERT_TRUE(frame.ok());
  EXPECT_THAT(frame->ref, Optional(std::string("7")));
  EXPECT_EQ(MemberOf(*frame, "status"), "error");
  EXPECT_THAT(frame->payload, HasSubstr("NaN is no JSON: use null"));
  EXPECT_THAT(frame->payload, Not(HasSubstr("s3cret")));
}

TEST(FrameRescueTest, TheEndOfAChannelNeedsNoPayload) {
  for (const char* event : {"phx_error", "phx_close"}) {
    const absl::StatusOr<PhoenixFrame> frame =
        ParsePhoenixFrame(absl::StrCat(R"(["1","1","t",")", event, R"(",{"reason":NaN}])"));
    ASSERT_TRUE(frame.ok());
    EXPECT_EQ(frame->payload, "{}");
  }
}

TEST(FrameRescueTest, WhatConcernsNobodyIsNoFrame) {
  for (const char* text :
       {"", "x", "{}", "[", "[]", "[null,null,null,\"e\",{\"request_id\":\"r\",NaN}]",
        "[null,null,\"t\",7,{\"request_id\":\"r\"}]", "[null,null,\"t\",\"e\",{\"a\":NaN}]",
        "[null,null,\"t\",\"e\",NaN]", "{\"topic\":\"t\",\"event\":\"e\"}"}) {
    EXPECT_EQ(ParsePhoenixFrame(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace atomemo::hub
