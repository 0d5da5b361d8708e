#include "bridge/hub/phoenix_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"

namespace atomemo::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

PhoenixFrame MustParse(absl::string_view text) {
  absl::StatusOr<PhoenixFrame> frame = ParsePhoenixFrame(text);
  EXPECT_TRUE(frame.ok()) << frame.status();
  return frame.ok() ? *std::move(frame) : PhoenixFrame();
}

TEST(PhoenixFrameTest, ReadsAllFiveElements) {
  const PhoenixFrame frame = MustParse(R"(["1","2","debug_plugin:p","phx_reply",{"status":"ok"}])");
  EXPECT_THAT(frame.join_ref, Optional(std::string("1")));
  EXPECT_THAT(frame.ref, Optional(std::string("2")));
  EXPECT_EQ(frame.topic, "debug_plugin:p");
  EXPECT_EQ(frame.event, "phx_reply");
  EXPECT_EQ(frame.payload, R"({"status":"ok"})");
}

TEST(PhoenixFrameTest, RefsMayBeNull) {
  const PhoenixFrame frame = MustParse(R"([null,null,"t","e",{}])");
  EXPECT_EQ(frame.join_ref, std::nullopt);
  EXPECT_EQ(frame.ref, std::nullopt);
}

TEST(PhoenixFrameTest, PayloadIsCutOutByteForByte) {
  EXPECT_EQ(
      MustParse(
          "[ \"1\" ,\n null , \"t\" , \"e\" ,\t{ \"n\": 12345678901234567890.10, \"l\":[1] }\r\n] ")
          .payload,
      R"({ "n": 12345678901234567890.10, "l":[1] })");
}

TEST(PhoenixFrameTest, QuotesAndCommasInStringsDoNotMisleadTheCut) {
  const PhoenixFrame frame = MustParse(R"(["[,\"","\\","a,\"]b","e\u002c,",["]",",",{"x":"]"}]])");
  EXPECT_THAT(frame.join_ref, Optional(std::string("[,\"")));
  EXPECT_THAT(frame.ref, Optional(std::string("\\")));
  EXPECT_EQ(frame.topic, "a,\"]b");
  EXPECT_EQ(frame.event, "e,,");
  EXPECT_EQ(frame.payload, R"(["]",",",{"x":"]"}])");
}

TEST(PhoenixFrameTest, PayloadMayBeAnyJsonValue) {
  for (const char* payload : {"null", "true", "-1.50e+7", "\"a]\"", "[]", "18446744073709551615"}) {
    EXPECT_EQ(MustParse(absl::StrCat(R"([null,"1","t","e",)", payload, "]")).payload, payload);
  }
}

TEST(PhoenixFrameTest, RefusesWhatIsNotAFrame) {
  for (const char* text :
       {"", " ", "{}", "[]", "null", "[null,null,\"t\",\"e\"]", "[null,null,\"t\",\"e\",{},{}]",
        "[1,null,\"t\",\"e\",{}]", "[null,2,\"t\",\"e\",{}]", "[null,null,null,\"e\",{}]",
        "[null,null,\"t\",7,{}]", "[null,null,\"t\",\"e\",{}", "[null,null,\"t\",\"e\",{}]x",
        "[null,null,\"t\",\"e\",{a:1}]", "[null,null,\"t\",\"e\",\"\xff\"]",
        "[null,null,\"t\",\"e\",01]"}) {
    EXPECT_EQ(ParsePhoenixFrame(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(PhoenixFrameTest, ErrorsDoNotQuoteTheFrame) {
  const absl::Status status =
      ParsePhoenixFrame(R"([null,null,"t","e",{"api_key":"s3cret"])").status();
  EXPECT_THAT(status.message(), HasSubstr("not a Phoenix V2 frame"));
  EXPECT_THAT(status.message(), Not(HasSubstr("s3cret")));
}

std::string FrameNested(int levels) {
  return absl::StrCat(R"([null,null,"t","e",)", std::string(levels, '['), std::string(levels, ']'),
                      "]");
}

TEST(PhoenixFrameTest, PayloadMayBeAsDeepAsJsonMayBeElsewhere) {
  EXPECT_TRUE(ParsePhoenixFrame(FrameNested(base::kMaxJsonDepth)).ok());
  // One more: what is as deep as it may be stands inside an answer's `data`.
  EXPECT_TRUE(ParsePhoenixFrame(FrameNested(kMaxPayloadDepth)).ok());
  EXPECT_FALSE(ParsePhoenixFrame(FrameNested(kMaxPayloadDepth + 1)).ok());
  EXPECT_FALSE(ParsePhoenixFrame(FrameNested(1'000'000)).ok());
}

TEST(PhoenixFrameTest, NumbersOfAnySizePassByteForByte) {
  for (const std::string& number :
       {std::string("100000000000000000000"), std::string("-9223372036854775809"),
        std::string("1e400"), std::string("-0"), std::string("1E+5"), std::string("0.10"),
        std::string(100'000, '9'), absl::StrCat("1e", std::string(1000, '9'))}) {
    const std::string payload =
        absl::StrCat(R"({"request_id":"r","parameters":{"n":)", number, "}}");
    const PhoenixFrame frame = MustParse(absl::StrCat(R"([null,null,"t","e",)", payload, "]"));
    EXPECT_EQ(frame.payload, payload);
    EXPECT_TRUE(frame.damage.ok());
  }
}

TEST(PhoenixFrameTest, LoneSurrogatesBecomeTheReplacementCharacter) {
  const PhoenixFrame frame = MustParse(
      R"(["1",null,"t\ud83d","e",{"text":"cut emoji \ud83d","\uDc00":"\ud83d\ude00 \\ud83d"}])");
  EXPECT_EQ(frame.topic, "t\uFFFD");
  EXPECT_EQ(frame.payload, R"({"text":"cut emoji \ufffd","\ufffd":"\ud83d\ude00 \\ud83d"})");
  EXPECT_TRUE(frame.damage.ok());
}

TEST(PhoenixFrameTest, LargeFramesKeepEveryByte) {
  const std::string payload = absl::StrCat("{\"a\":\"", std::string(12'000'000, 'x'), "\"}");
  EXPECT_EQ(MustParse(absl::StrCat(R"([null,null,"t","e",)", payload, "]")).payload, payload);
}

TEST(PhoenixFrameTest, NothingIsKeptOfALargeFrame) {
  const std::string text = absl::StrCat(R"([null,null,"t","e",{"a":")", std::string(6'000'000, 'x'),
                                        R"(","b":[)", std::string(100'000, '1'), "]}]");
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_TRUE(ParsePhoenixFrame(text).ok());
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT(after, before + 65'536);
}

TEST(PhoenixFrameTest, EncodingIsTheInverseOfParsing) {
  PhoenixFrame frame;
  frame.join_ref = "7";
  frame.topic = "debug_plugin:\"q\"\\\n\u00e9";
  frame.event = "invoke_tool_response";
  frame.payload = R"({"n":1.00})";
  const std::string text = EncodePhoenixFrame(frame);
  EXPECT_EQ(
      text,
      "[\"7\",null,\"debug_plugin:\\\"q\\\"\\\\\\n\u00e9\",\"invoke_tool_response\",{\"n\":1.00}]");
  const PhoenixFrame back = MustParse(text);
  EXPECT_EQ(back.join_ref, frame.join_ref);
  EXPECT_EQ(back.ref, frame.ref);
  EXPECT_EQ(back.topic, frame.topic);
  EXPECT_EQ(back.payload, frame.payload);
}

TEST(PhoenixFrameTest, KnowsWhereTheMembersOfItsPayloadAre) {
  const PhoenixFrame frame =
      ParsePhoenixFrame(R"(["1","2","t","e", {"a" : [1.0], "b\u0020c":"x" , "a":null} ])").value();
  EXPECT_EQ(frame.payload, R"({"a" : [1.0], "b\u0020c":"x" , "a":null})");
  const base::JsonMembers members = base::JsonMembers::At(frame.members, frame.payload);
  ASSERT_EQ(members.rest().size(), 3u);
  EXPECT_EQ(members.rest()[0].name, "a");
  EXPECT_EQ(members.rest()[0].value, "[1.0]");
  EXPECT_EQ(members.rest()[1].name, "b c");
  EXPECT_EQ(members.rest()[1].value, "\"x\"");
  EXPECT_EQ(members.rest()[2].value, "null");
}

TEST(PhoenixFrameTest, KnowsNoMembersOfAPayloadThatIsNoObjectOrWasChanged) {
  EXPECT_TRUE(ParsePhoenixFrame(R"([null,null,"t","e",[{"a":1}]])").value().members.empty());
  const PhoenixFrame repaired =
      ParsePhoenixFrame(R"([null,null,"t","e",{"a":"\ud800","b":1}])").value();
  EXPECT_EQ(repaired.payload, R"({"a":"\ufffd","b":1})");
  EXPECT_TRUE(repaired.members.empty());
}

TEST(EncodePhoenixFrameTest, PutsAPayloadTogetherOfItsParts) {
  const absl::string_view parts[] = {"{\"data\":", "[1,2]", "}"};
  EXPECT_EQ(EncodePhoenixFrame({"1", std::nullopt, "t", "e", ""}, parts),
            R"(["1",null,"t","e",{"data":[1,2]}])");
}

}  // namespace
}  // namespace atomemo::hub
